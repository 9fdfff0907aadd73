import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";

import { JobxError } from "../errors.ts";
import { PLUGIN_NAMESPACE } from "../executor/plugin-place.ts";
import { distrustError, distrustOf } from "../executor/trust.ts";
import { registerOwnModules } from "../own-modules.ts";
import { pluginPrelude } from "./plugin-globals.ts";
import { importLine } from "./source-line.ts";

const NAMESPACE = PLUGIN_NAMESPACE.slice(0, -1);

let isRegistered = false;

/**
 * Imports a plugin file. It is imported by a name that is no path, so that nothing around it decides what
 * its imports mean: not a tsconfig's `paths`, not a `node_modules` folder above it. It can import
 * `jobx/plugin`, built-in modules, and files by relative path, each of which is checked for trust.
 */
export async function importPlugin(path: string): Promise<unknown> {
  if (!isRegistered) register();
  isRegistered = true;
  const specifier = PLUGIN_NAMESPACE + path;
  return await import(specifier);
}

function register(): void {
  registerOwnModules();
  Bun.plugin({
    name: NAMESPACE,
    setup(build) {
      // Asked for every relative import of the process; all but those of plugins are left alone.
      build.onResolve({ filter: /^\.\.?\// }, ({ path, importer }) => {
        if (!importer.startsWith(PLUGIN_NAMESPACE)) return undefined;
        return { path: beside(importer.slice(PLUGIN_NAMESPACE.length), path), namespace: NAMESPACE };
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => {
        const distrust = distrustOf(path);
        if (distrust) throw distrustError("PLUGIN", `the plugin file ${path}`, distrust);
        const source = readFileSync(path, "utf8").replace(/^#!/, "//");
        const loader = loaderOf(path);
        return { contents: loader === "json" ? source : pluginPrelude(source) + source, loader };
      });
    },
  });
}

function beside(importer: string, specifier: string): string {
  const path = resolve(dirname(importer), specifier);
  if (existsSync(path)) return path;
  throw new JobxError(
    "PLUGIN",
    `${importLine(importer, specifier) ?? importer} imports ${specifier}, and there is no ${path}`,
    {
      hint: "Relative imports need the whole file name, ending included",
    },
  );
}

function loaderOf(path: string): "ts" | "tsx" | "js" | "json" {
  const ending = extname(path);
  if (ending === ".json" || ending === ".tsx") return ending === ".json" ? "json" : "tsx";
  return ending === ".ts" || ending === ".mts" ? "ts" : "js";
}
