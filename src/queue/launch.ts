import { closeSync, openSync } from "node:fs";

import { JobxError, messageOf } from "../errors.ts";
import { queueEnvironment } from "./environment.ts";
import type { QueuePaths } from "./paths.ts";

/** A queue's process that was started here; it may find that another one was elected, and end. */
export type Launched = { ended(): boolean };

/**
 * Starts a queue's process, apart from this one: a session of its own, output to its log. Several starts
 * at once are harmless, since the lock elects one. Throws UNREACHABLE when it cannot be started.
 */
export function launchQueue(
  paths: QueuePaths,
  runtime: string[],
  env: Record<string, string | undefined>,
): Launched {
  const log = openSync(paths.log, "a", 0o600);
  try {
    const child = Bun.spawn([...runtime, "_queue", paths.dir], {
      cwd: "/",
      // A supervisor that adopts orphans tells the queue from what a task left behind by JOBX_SERVICE.
      env: { ...queueEnvironment(env), JOBX_SERVICE: "queue" },
      stdio: ["ignore", log, log],
      detached: true,
    });
    child.unref();
    return { ended: () => child.exitCode !== null || child.signalCode !== null };
  } catch (error) {
    throw new JobxError("UNREACHABLE", `The local queue cannot be started: ${messageOf(error)}`, {
      hint: `The command was ${runtime.join(" ")} _queue`,
      cause: error,
    });
  } finally {
    closeSync(log);
  }
}
