import { createRequire } from "node:module";

import { isInFunction } from "../worker/context.ts";

/** The script that submits, and how to look at the modules that it has loaded. */
export type Driver = {
  /** The absolute path of the main script; null where there is none. */
  script: string | null;
  /** Path and exports of every module that the script has loaded so far. */
  modules(): Iterable<[path: string, exports: unknown]>;
  /** Told what jobx has to say beside errors; a process warning by default. */
  note?(text: string): void;
  /** Told which jobs a wait is about when it begins; what it gives is called when that ends. */
  waiting?(ids: readonly number[]): () => void;
};

let current: Driver | null = null;

/** Says which script is about to run: called before it is evaluated, where this process's main module is another. */
export function setDriver(driver: Driver | null): void {
  current = driver;
}

/**
 * The script that runs; without `setDriver` the one that this process was started with. A job's function has none,
 * and modules of its own.
 */
export function currentDriver(): Driver {
  if (isInFunction()) return { ...current, script: null, modules: () => loadedModules(Bun.main) };
  return current ?? { script: Bun.main, modules: () => loadedModules(Bun.main) };
}

/** What the module cache of this process holds, ES modules included. */
function* loadedModules(main: string): Iterable<[path: string, exports: unknown]> {
  for (const [path, module] of Object.entries(createRequire(main).cache)) {
    if (module) yield [path, module.exports];
  }
}
