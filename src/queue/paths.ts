import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { errnoOf, JobxError } from "../errors.ts";

/** The files of one queue, in a folder of mode 0700 on local disk. */
export type QueuePaths = { dir: string; socket: string; lock: string; journal: string; log: string };

type Environment = Record<string, string | undefined>;

/** The kernel's limit for a socket's path is 108 bytes with the closing zero (unix(7)); 104 on darwin. */
const SOCKET_BYTES = process.platform === "darwin" ? 103 : 107;

/** The variable by which each scheduler names the job that a process is part of. */
const ALLOCATIONS: [scheduler: string, variable: string][] = [
  ["slurm", "SLURM_JOB_ID"],
  ["pbs", "PBS_JOBID"],
  ["lsf", "LSB_JOBID"],
  ["sge", "JOB_ID"],
];

/**
 * The queue that this environment belongs to: one per user and host, and one per scheduler allocation.
 * It stands in /tmp/jobx-UID, which neither a login session nor TMPDIR changes, so that an ssh session
 * and a cron job share it; `$JOBX_RUNTIME_DIR` puts it elsewhere.
 */
export function queuePaths(env: Environment): QueuePaths {
  const base = env["JOBX_RUNTIME_DIR"] || `/tmp/jobx-${userId()}`;
  // The queue itself stands in no folder that the path could be taken from.
  return pathsIn(resolve(base, allocationOf(env) ?? "queue"));
}

/** The queue whose socket this is. */
export function pathsOfSocket(socket: string): QueuePaths {
  return pathsIn(dirname(socket));
}

/** The scheduler allocation that this process runs in, e.g. "slurm-4211"; null outside of one. */
export function allocationOf(env: Environment): string | null {
  for (const [scheduler, variable] of ALLOCATIONS) {
    const id = env[variable];
    if (id) return `${scheduler}-${id.replaceAll(/[^\w.-]/g, "_")}`;
  }
  return null;
}

/** The variables that `allocationOf` looks at. */
export const ALLOCATION_VARIABLES: string[] = ALLOCATIONS.map(([, variable]) => variable);

/** Makes the folder, or checks that it and its parent are the user's alone. Throws STORAGE or USAGE. */
export function preparePaths(paths: QueuePaths): void {
  if (Buffer.byteLength(paths.socket) > SOCKET_BYTES) {
    throw new JobxError("USAGE", `The path of the queue's socket is too long: ${paths.socket}`, {
      hint: `Set JOBX_RUNTIME_DIR to a shorter folder on local disk: a socket's path has at most ${SOCKET_BYTES} bytes`,
    });
  }
  for (const dir of [dirname(paths.dir), paths.dir]) {
    makePrivate(dir);
    checkPrivate(dir);
  }
  chmodSync(paths.dir, 0o700);
}

function pathsIn(dir: string): QueuePaths {
  return {
    dir,
    socket: join(dir, "socket"),
    lock: join(dir, "lock"),
    journal: join(dir, "journal"),
    log: join(dir, "queue.log"),
  };
}

function makePrivate(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return;
    throw unusable(dir, "it cannot be made", error);
  }
}

function checkPrivate(dir: string): void {
  const found = lstatSync(dir);
  if (!found.isDirectory()) throw unusable(dir, "it is not a folder");
  if (found.uid !== userId()) throw unusable(dir, `it belongs to user ${found.uid}`);
  if ((found.mode & 0o022) !== 0) throw unusable(dir, "others can write to it");
}

function unusable(dir: string, why: string, cause?: unknown): JobxError {
  return new JobxError("STORAGE", `The queue's folder ${dir} cannot be used: ${why}`, {
    hint: "Set JOBX_RUNTIME_DIR to a folder of yours on local disk",
    cause,
  });
}

function userId(): number {
  return process.getuid?.() ?? 0;
}
