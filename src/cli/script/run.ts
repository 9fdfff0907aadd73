import { createRequire } from "node:module";

import { setDriver } from "../../client/driver.ts";
import { registerOwnModules, withNearestExport } from "../../own-modules.ts";
import { warnOfOpenAwait, watchErrors } from "./ending.ts";
import { whileWaiting } from "./interrupt.ts";

/**
 * Runs a script as the program of this process: its arguments, its errors, Ctrl-C and standard input are its own.
 * `file` is absolute and without symbolic links. Never settles: the process ends when nothing keeps it alive,
 * or when the script ends it.
 */
export function runScript(file: string, words: string[], colors: boolean): Promise<never> {
  becomeProgram(file, words);
  const errors = watchErrors(colors);
  registerOwnModules();
  // The first module of a graph is a main module: `import.meta.main` and `require.main === module` hold in it.
  const graph = new Bun.ModuleGraph();
  const note = (text: string) => console.error(text);
  setDriver({ script: file, modules: () => graph.run(() => modulesOf(file)), note, waiting: whileWaiting });
  const evaluated = graph.import(file);
  evaluated.catch(async (error) => errors.inMain(await withNearestExport(error)));
  warnOfOpenAwait(evaluated);
  return new Promise(() => {});
}

/** What tells a script that it is the program, as it would be under `bun`. */
function becomeProgram(file: string, words: string[]): void {
  process.argv = [process.execPath, file, ...words];
  Reflect.set(Bun, "argv", process.argv);
  Reflect.set(Bun, "main", file);
  // A handler would keep Ctrl-C from a script that never comes back to the event loop.
  process.removeAllListeners("SIGINT");
}

/** What the cache of the current module graph holds, ES modules included. */
function modulesOf(file: string): [path: string, exports: unknown][] {
  return Object.entries(createRequire(file).cache).flatMap(([path, module]) =>
    module ? [[path, module.exports]] : [],
  );
}
