import type { Registry } from "../../registry.ts";
import { type Check, ok, warn } from "./check.ts";

/** The plugin folders that are not used, and the plugins that did not load. */
export async function checkPlugins(registry: Registry): Promise<Check[]> {
  const folders = registry.folders.flatMap(({ path, problem }) =>
    problem ? [warn("plugin folder", `${path}: ${problem.why}`, problem.mend)] : [],
  );
  const refused = new Set(registry.folders.filter(({ problem }) => problem).flatMap(({ files }) => files));
  const lines = await registry.list();
  const broken = lines
    .filter(({ state, from }) => state === "broken" && !refused.has(from))
    .map(({ name, why, hint }) => warn(`plugin ${name}`, why ?? "it did not load", hint));
  const loaded = lines.filter(({ state }) => state === "loaded").map(({ name }) => name);
  return [ok("executors", loaded.join(", ")), ...folders, ...broken];
}
