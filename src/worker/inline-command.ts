import { mkdirSync } from "node:fs";

import { errnoOf, messageOf } from "../errors.ts";
import { checkpointDir, resultFilePath, valueName } from "../store/layout.ts";
import { storeValue } from "../store/values.ts";
import { readCaptured, takeResultFile } from "./command-value.ts";
import { commandWords } from "./environment.ts";
import type { InlineTask } from "./inline.ts";
import { GRACE_MS } from "./limits.ts";
import { closeLogs, logNames, type Logs, markAttempt, openLogs, sizeOf } from "./logs.ts";
import { AGAIN_EXIT_CODE } from "./policy.ts";
import { treeOf } from "./proc.ts";
import { neverRan, type RankEnd } from "./rank.ts";
import { usageOf } from "./usage.ts";

/**
 * Runs a command with this process's own input and output, so that it may ask and be debugged. Its log
 * says that the output went to the terminal; with `--capture` standard output goes to both.
 */
export async function runCommandHere(task: InlineTask): Promise<RankEnd> {
  const { dir, spec } = task.request;
  const logs = openLogs(logNames(dir, spec.tasks, task.task, 0, spec.run.mergeOutput));
  try {
    mkdirSync(checkpointDir(dir, spec.tasks, task.task), { recursive: true, mode: 0o700 });
    if (!spec.run.capture) markAttempt({ out: logs.out, err: logs.out }, "the output went to the terminal");
    return await run(task, logs);
  } catch (error) {
    return neverRan(messageOf(error));
  } finally {
    closeLogs(logs);
  }
}

async function run(task: InlineTask, logs: Logs): Promise<RankEnd> {
  const { spec } = task.request;
  const entry = spec.entry.kind === "command" ? spec.entry.argv : [];
  const argv = commandWords(entry, spec, task.task, task.payload);
  const offset = sizeOf(logs.out);
  const started = start(task, argv);
  if ("reason" in started) return neverRan(started.reason, started.exitCode);
  const stop = () => void endTree(started);
  task.signal.addEventListener("abort", stop, { once: true });
  if (started.stdout instanceof ReadableStream) await tee(started.stdout, logs.out);
  await started.exited;
  task.signal.removeEventListener("abort", stop);
  const end: RankEnd = {
    exitCode: started.exitCode,
    signal: started.signalCode === null ? null : String(started.signalCode),
    value: null,
    error: null,
    reason: null,
    ok: started.exitCode === 0,
    again: started.exitCode === AGAIN_EXIT_CODE ? true : null,
    usage: usageOf(started.resourceUsage(), 0),
  };
  if (!end.ok)
    return { ...end, reason: end.signal ? `killed by ${end.signal}` : `exit code ${end.exitCode}` };
  return { ...end, ...valueOf(task, logs, offset) };
}

function start(task: InlineTask, argv: string[]): Bun.Subprocess | { reason: string; exitCode: number } {
  const { spec } = task.request;
  const word = argv[0] ?? "";
  const program = word.includes("/")
    ? word
    : Bun.which(word, { PATH: task.env["PATH"] ?? "", cwd: spec.cwd });
  if (!program) return { reason: `command not found: ${word}`, exitCode: 127 };
  const stdout = spec.run.capture ? "pipe" : "inherit";
  try {
    return Bun.spawn([program, ...argv.slice(1)], {
      argv0: word,
      cwd: spec.cwd,
      env: task.env,
      stdio: ["inherit", stdout, spec.run.mergeOutput ? 1 : "inherit"],
    });
  } catch (error) {
    const missing = errnoOf(error) === "ENOENT";
    return {
      reason: missing ? `command not found: ${word}` : messageOf(error),
      exitCode: missing ? 127 : 126,
    };
  }
}

async function tee(stream: ReadableStream<Uint8Array>, log: number): Promise<void> {
  for await (const chunk of stream) {
    await Bun.write(Bun.stdout, chunk);
    await Bun.write(Bun.file(log), chunk);
  }
}

/** SIGTERM to the command and everything below it, and SIGKILL to what is left after a grace. */
function endTree(child: Bun.Subprocess): void {
  const tree = treeOf(child.pid);
  signalAll(tree, "SIGTERM");
  const timer = setTimeout(
    () => signalAll([...new Set([...tree, ...treeOf(child.pid)])], "SIGKILL"),
    GRACE_MS,
  );
  void child.exited.then(() => clearTimeout(timer));
}

function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

function valueOf(task: InlineTask, logs: Logs, offset: number): Partial<RankEnd> {
  const { dir, spec } = task.request;
  const name = valueName(task.task, task.attempt, 0);
  try {
    const written = takeResultFile(resultFilePath(dir, task.task, task.attempt, 0));
    if (written !== undefined) return { value: storeValue(dir, name, written) };
    if (!spec.run.capture) return {};
    const output = readCaptured(logs.out, offset, sizeOf(logs.out), spec.run.maxPayloadBytes);
    return { value: storeValue(dir, name, output) };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}
