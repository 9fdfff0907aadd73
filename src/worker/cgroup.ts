import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A control group of one attempt, which limits its memory. */
export type MemoryGroup = {
  /** For `Bun.spawn({ cgroup })`: the process is in it from its first instruction. */
  path: string;
  /** How often the kernel killed one of its processes for want of memory. */
  outOfMemoryKills(): number;
  /** The most that was in use, in bytes; null where the kernel does not say. */
  peakBytes(): number | null;
  remove(): void;
};

/**
 * Makes a control group below this process's own, limited to `bytes`; null where one may not (no
 * delegation, a read-only mount, no Linux). Version 1 and 2 differ in nothing but file names.
 */
export function createMemoryGroup(name: string, bytes: number): MemoryGroup | null {
  const place = findPlace();
  if (!place) return null;
  const path = join(place.parent, name);
  try {
    mkdirSync(path);
    writeFileSync(join(path, place.files.limit), String(bytes));
  } catch {
    tryTo(() => rmdirSync(path));
    return null;
  }
  tryTo(() => writeFileSync(join(path, place.files.swap), place.files.swapValue(bytes)));
  return {
    path,
    outOfMemoryKills: () => Number(/^oom_kill (\d+)/m.exec(read(path, place.files.events))?.[1] ?? 0),
    peakBytes: () => Number(read(path, place.files.peak)) || null,
    remove: () => tryTo(() => rmdirSync(path)),
  };
}

type Files = {
  limit: string;
  swap: string;
  swapValue: (bytes: number) => string;
  events: string;
  peak: string;
};

const VERSION_1: Files = {
  limit: "memory.limit_in_bytes",
  swap: "memory.memsw.limit_in_bytes",
  swapValue: String,
  events: "memory.oom_control",
  peak: "memory.max_usage_in_bytes",
};

const VERSION_2: Files = {
  limit: "memory.max",
  swap: "memory.swap.max",
  swapValue: () => "0",
  events: "memory.events",
  peak: "memory.peak",
};

function findPlace(): { parent: string; files: Files } | null {
  const groups = read("/proc/self", "cgroup");
  const version1 = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
  if (version1 !== undefined) return { parent: join("/sys/fs/cgroup/memory", version1), files: VERSION_1 };
  const version2 = /^0::(.*)$/m.exec(groups)?.[1];
  if (version2 === undefined) return null;
  const parent = join("/sys/fs/cgroup", version2);
  const controllers = read(parent, "cgroup.subtree_control").split(/\s+/);
  return controllers.includes("memory") ? { parent, files: VERSION_2 } : null;
}

function read(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), "utf8");
  } catch {
    return "";
  }
}

function tryTo(action: () => void): void {
  try {
    action();
  } catch {
    // Optional: swap accounting may be off, and a group that is still in use goes with its parent.
  }
}
