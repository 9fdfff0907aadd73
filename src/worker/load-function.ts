import { whyNotCallable } from "../code/callable.ts";
import { missingExport, notCallable } from "../code/exports.ts";
import type { LoadableCode } from "../code/snapshot.ts";

export type Callable = (...args: unknown[]) => unknown;

/** The function that a task's module exports, imported into the graph. Throws USAGE when it has none. */
export async function loadFunction(graph: Bun.ModuleGraph, code: LoadableCode): Promise<Callable> {
  // The first module of a graph is its main module; a live task file must not take itself for one.
  if (code.path === code.file) await graph.import("jobx");
  const module = await graph.import<Record<string, unknown>>(code.path);
  const reference = { file: code.file, export: code.export };
  const found = pick(module, code.export);
  if (!found) throw missingExport(reference, Object.keys(module));
  if (!isCallable(found.value)) throw notCallable(reference, whyNotCallable(found.value) ?? "");
  return found.value;
}

/** A bundled module that was written with `module.exports` has all its names in its default export. */
function pick(module: Record<string, unknown>, name: string): { value: unknown } | null {
  const whole = module.default;
  const names = typeof whole === "object" && whole !== null ? whole : {};
  if (name === "default" && "__esModule" in names && "default" in names) return { value: names.default };
  if (name in module) return { value: module[name] };
  return name in names ? { value: Reflect.get(names, name) } : null;
}

function isCallable(value: unknown): value is Callable {
  return whyNotCallable(value) === null;
}
