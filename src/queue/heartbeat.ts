import { existsSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { ensureDir } from "../store/files.ts";
import { heartbeatPath, homeOf } from "../store/layout.ts";
import type { QueuePaths } from "./paths.ts";

/** How often a queue says that it is alive. */
export const HEARTBEAT_SECONDS = 30;

/**
 * Says in the homes of these jobs that this host's queue is alive, with one small file per home, since
 * other hosts see only the home. The queue's own files are touched too, which keeps /tmp's cleaners off.
 */
export function beat(dirs: Iterable<string>, host: string, paths: QueuePaths): void {
  for (const home of new Set([...dirs].map(homeOf))) {
    // A home that was removed is not to come back.
    if (!existsSync(home)) continue;
    attempt(() => {
      const path = heartbeatPath(home, host);
      ensureDir(dirname(path));
      writeFileSync(path, `${process.pid} ${new Date().toISOString()}\n`, { mode: 0o600 });
    });
  }
  const now = new Date();
  for (const path of [paths.dir, paths.socket, paths.lock, paths.journal]) {
    attempt(() => utimesSync(path, now, now));
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

/** A home that is full, read-only or gone for a moment must not end the queue. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The next beat tries again.
  }
}
