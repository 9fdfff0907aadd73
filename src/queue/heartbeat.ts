import { existsSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";

import { ensureDir } from "../store/files.ts";
import { heartbeatPath, homeOf } from "../store/layout.ts";
import type { QueuePaths } from "./paths.ts";

/** How often a queue says that it is alive. */
export const HEARTBEAT_SECONDS = 30;

/**
 * Says in the homes of a queue's jobs that this host's queue is alive, with one small file per home, since
 * other hosts see only the home. The queue's own files are touched too, which keeps /tmp's cleaners off.
 */
export class Heartbeat {
  readonly #paths: QueuePaths;
  /** Where the last beat was told. */
  #homes = new Set<string>();

  constructor(paths: QueuePaths) {
    this.#paths = paths;
  }

  /** Called every `HEARTBEAT_SECONDS` with the folders of all jobs. */
  beat(dirs: Iterable<string>): void {
    this.#homes = new Set([...dirs].map(homeOf));
    for (const home of this.#homes) tell(home);
    const { dir, socket, lock, journal } = this.#paths;
    const now = new Date();
    for (const path of [dir, socket, lock, journal]) attempt(() => utimesSync(path, now, now));
  }

  /** The first job of a home need not wait for the next beat. */
  welcome(dir: string): void {
    const home = homeOf(dir);
    if (this.#homes.has(home)) return;
    this.#homes.add(home);
    tell(home);
  }
}

/** Seconds since a host's queue last said that it is alive; null when it never did. */
export function secondsSinceBeat(home: string, host: string): number | null {
  try {
    return Math.max(0, (Date.now() - statSync(heartbeatPath(home, host)).mtimeMs) / 1000);
  } catch {
    return null;
  }
}

function tell(home: string): void {
  // A home that was removed is not to come back.
  if (!existsSync(home)) return;
  attempt(() => {
    const path = heartbeatPath(home, hostname());
    ensureDir(dirname(path));
    writeFileSync(path, `${process.pid} ${new Date().toISOString()}\n`, { mode: 0o600 });
  });
}

/** A home that is full, read-only or gone for a moment must not end the queue. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The next beat tries again.
  }
}
