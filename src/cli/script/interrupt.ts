import { writeSync } from "node:fs";

import { waitInterrupted } from "../../orchestrator/wait.ts";

/** The jobs that the script waits for, and how many of its waits are about each. */
const waits = new Map<number, number>();

/**
 * Told of each wait of a script, so that Ctrl-C says what goes on without it. Only while it waits for jobs: a
 * handler would keep Ctrl-C from a script that computes and never comes back to the event loop.
 */
export function whileWaiting(ids: readonly number[]): () => void {
  if (waits.size === 0) process.on("SIGINT", onInterrupt);
  for (const id of ids) waits.set(id, (waits.get(id) ?? 0) + 1);
  return () => {
    for (const id of ids) {
      const left = (waits.get(id) ?? 0) - 1;
      if (left > 0) waits.set(id, left);
      else waits.delete(id);
    }
    if (waits.size === 0) process.off("SIGINT", onInterrupt);
  };
}

function onInterrupt(): void {
  // A handler of the script's own decides what happens.
  if (process.listenerCount("SIGINT") > 1) return;
  const { message, hint } = waitInterrupted([...waits.keys()].map(String));
  try {
    writeSync(2, `\n${message}\n  ${hint}\n`);
  } catch {
    // Nobody reads it.
  }
  process.off("SIGINT", onInterrupt);
  process.kill(process.pid, "SIGINT");
}
