import { messageOf } from "../errors.ts";

/**
 * Asks the scheduler to run this element again, by the words that its script gave. Returns null when it
 * agreed, else why not. A scheduler that cannot be reached is asked a few times; it never takes longer than a
 * minute, and ends early when `over` says that the allocation was ended meanwhile.
 */
export async function requeueElement(words: string[], over: () => boolean): Promise<string | null> {
  let refusal: string | null = null;
  for (const pause of PAUSES_MS) {
    await Bun.sleep(pause);
    if (over()) return refusal;
    refusal = await ask(words);
    if (refusal === null) return null;
  }
  return refusal;
}

async function ask(words: string[]): Promise<string | null> {
  try {
    const child = Bun.spawn(words, {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    const [text, code] = await Promise.all([child.stderr.text(), child.exited]);
    if (code === 0) return null;
    if (child.signalCode !== null) return `${words[0]} did not answer within ${TIMEOUT_MS / 1000} s`;
    return text.trim() || `${words[0]} ended with exit code ${code}`;
  } catch (error) {
    return messageOf(error);
  }
}

const PAUSES_MS = [0, 500, 2_000];
const TIMEOUT_MS = 15_000;
