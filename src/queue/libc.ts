import { dlopen } from "bun:ffi";

/** The few C functions that Bun has no word for. Each returns -1 on failure. */
export type Libc = {
  /** Makes orphaned descendants children of this process instead of init's (Linux; -1 elsewhere). */
  becomeSubreaper(): number;
  /** Has this process killed when its parent ends (Linux; -1 elsewhere). */
  dieWithParent(): number;
  /** Reaps one child without waiting: its pid when it has ended, 0 while it lives, -1 when it is not ours. */
  reap(pid: number): number;
  flock(fd: number, operation: number): number;
  dup2(from: number, to: number): number;
};

export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;

const WNOHANG = 1;
const PR_SET_PDEATHSIG = 1;
const PR_SET_CHILD_SUBREAPER = 36;
const SIGKILL = 9;

/** The C library of this system, opened on the first call; null where it cannot be (the callers do without). */
export function libc(): Libc | null {
  if (opened === undefined) opened = open();
  return opened;
}

let opened: Libc | null | undefined;

function open(): Libc | null {
  for (const name of libraryNames()) {
    try {
      return bind(name);
    } catch {
      // Not this one: glibc, musl and darwin name it differently.
    }
  }
  return null;
}

function libraryNames(): string[] {
  if (process.platform === "darwin") return ["libSystem.B.dylib"];
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  return ["libc.so.6", `libc.musl-${machine}.so.1`, `/lib/ld-musl-${machine}.so.1`];
}

function bind(name: string): Libc {
  const { symbols } = dlopen(name, {
    waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
    flock: { args: ["i32", "i32"], returns: "i32" },
    dup2: { args: ["i32", "i32"], returns: "i32" },
  });
  const setProcess = process.platform === "linux" ? prctl(name) : () => -1;
  return {
    becomeSubreaper: () => setProcess(PR_SET_CHILD_SUBREAPER, 1),
    dieWithParent: () => setProcess(PR_SET_PDEATHSIG, SIGKILL),
    reap: (pid) => symbols.waitpid(pid, null, WNOHANG),
    flock: symbols.flock,
    dup2: symbols.dup2,
  };
}

function prctl(name: string): (option: number, value: number) => number {
  const { symbols } = dlopen(name, {
    prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  });
  return (option, value) => symbols.prctl(option, value, 0, 0, 0);
}
