import { readCancelled } from "../store/jobs.ts";
import { isRequested } from "../store/requests.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Who was asked to stop, while a job runs in this process. */
export type InlineSignals = {
  /** Says that a task begins; the signal is aborted when it shall end. */
  begin(task: number): AbortSignal;
  /** Why a task shall not run, or no longer; null when nothing was asked. */
  asked(task: number): string | null;
  /** Calls `handler` when the whole job is asked to end, until the returned function is called. */
  onEnd(handler: () => void): () => void;
  /** Lets others handle signals again, and passes on the one that ended the job. */
  giveBack(): Promise<void>;
};

/** How long a signal that was passed on may take to end the process, in milliseconds. */
const DELIVERY_MS = 200;

/**
 * Handles SIGINT, SIGTERM and SIGHUP in place of everybody else, so that nothing ends the process before
 * the records are written. Where tasks were cancelled by `jobx cancel`, SIGTERM only ends those.
 */
export function takeSignals(dir: string): InlineSignals {
  const others = SIGNALS.map((name) => ({ name, listeners: process.rawListeners(name) }));
  let current: { task: number; controller: AbortController } | null = null;
  let ended: { signal: NodeJS.Signals; reason: string } | null = null;
  let onEnd: (() => void) | null = null;

  const asked = (task: number): string | null => {
    if (ended) return ended.reason;
    const cancelled = readCancelled(dir);
    return isRequested(cancelled, task) ? "cancelled" : null;
  };
  const handle = (signal: NodeJS.Signals) => {
    if (signal !== "SIGTERM" || readCancelled(dir) === null) {
      ended = {
        signal,
        reason: signal === "SIGINT" ? "interrupted with Ctrl-C" : `interrupted by ${signal}`,
      };
      onEnd?.();
    }
    if (current && asked(current.task)) current.controller.abort();
  };

  for (const { name } of others) {
    process.removeAllListeners(name);
    process.on(name, handle);
  }
  return {
    asked,
    onEnd(handler) {
      onEnd = handler;
      return () => {
        onEnd = null;
      };
    },
    begin(task) {
      current = { task, controller: new AbortController() };
      return current.controller.signal;
    },
    async giveBack() {
      for (const { name, listeners } of others) {
        process.removeListener(name, handle);
        for (const listener of listeners) Reflect.apply(process.on, process, [name, listener]);
      }
      if (!ended) return;
      process.kill(process.pid, ended.signal);
      await Bun.sleep(DELIVERY_MS);
    },
  };
}
