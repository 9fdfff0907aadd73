import { usageError } from "./errors.ts";
import { missingExport } from "./model/missing-export.ts";
import { nearest } from "./model/nearest.ts";

/** What users' files import, each loaded when it is first asked for. */
const MODULES: Record<string, () => Promise<Record<string, unknown>>> = {
  jobx: () => import("./index.ts"),
  "jobx/plugin": () => import("./plugin.ts"),
  "jobx/plugin/test": () => import("./plugin-test.ts"),
};

/**
 * Makes `import "jobx"`, `"jobx/plugin"` and `"jobx/plugin/test"` in users' files give this very program's modules,
 * so that nothing needs to be installed where they run. To be called before any user's file is imported.
 */
export function registerOwnModules(): void {
  if (registered) return;
  registered = true;
  Bun.plugin({
    name: "jobx",
    setup(build) {
      for (const [name, load] of Object.entries(MODULES)) {
        build.module(name, async () => ({ exports: await load(), loader: "object" }));
      }
    },
  });
}

let registered = false;

/** The error of a file that imports what these modules do not export, with the nearest name; any other as it is. */
export async function withNearestExport(error: unknown): Promise<unknown> {
  const { name = "", module = "" } = missingExport(error) ?? {};
  const load = MODULES[module];
  if (!load) return error;
  if (name === "default") {
    return usageError(`${module} has no default export`, `Name what you need: import { … } from "${module}"`);
  }
  const known = Object.keys(await load()).sort();
  const near = nearest(name, known);
  const hint = near ? `Did you mean ${near}?` : `It has ${known.join(", ")}`;
  return usageError(`${module} has no export ${name}`, hint);
}
