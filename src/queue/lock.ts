import { closeSync, constants, existsSync, fstatSync, openSync, statSync } from "node:fs";

import { JobxError } from "../errors.ts";
import { libc, LOCK_EX, LOCK_NB, LOCK_SH } from "./libc.ts";

export type Lock = {
  release(): void;
  /** Whether it still counts: nobody has removed the file, of which others would take another lock. */
  holds(): boolean;
};

/**
 * Takes the exclusive lock of a file on local disk, for as long as this process lives; the kernel frees
 * it however the process ends. Null when another process has it. The descriptor is closed in children.
 */
export function takeLock(path: string): Lock | null {
  const library = libc();
  if (!library) {
    throw new JobxError(
      "STORAGE",
      "The C library of this system cannot be opened, so the queue cannot lock",
      { hint: "Report the system's name and version (uname -a)" },
    );
  }
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  if (library.flock(fd, LOCK_EX | LOCK_NB) === 0) {
    const { ino } = fstatSync(fd);
    return {
      release: () => closeSync(fd),
      // An open file keeps its number.
      holds: () => statSync(path, { throwIfNoEntry: false })?.ino === ino,
    };
  }
  closeSync(fd);
  return null;
}

/** Whether a process has the lock of this file just now; nobody has that of a file that is not there. */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  const fd = openSync(path, constants.O_RDONLY);
  try {
    return libc()?.flock(fd, LOCK_SH | LOCK_NB) !== 0;
  } finally {
    closeSync(fd);
  }
}
