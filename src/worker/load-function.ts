import { dirname, join } from "node:path";

import { whyNotCallable } from "../code/callable.ts";
import { missingExport, notCallable } from "../code/exports.ts";
import { FROM_VALUES, type LoadableCode, VALUES } from "../code/snapshot.ts";
import { JobxError } from "../errors.ts";
import { registerOwnModules } from "../own-modules.ts";
import { readRecordFile } from "../store/files.ts";
import { whileImporting } from "./context.ts";
import { isTask, type Task } from "./task.ts";

export type Callable = (...args: unknown[]) => unknown;

/** The function, or the task of `defineTask`, that a module exports, imported into the graph. Throws USAGE when it has none. */
export async function loadFunction(graph: Bun.ModuleGraph, code: LoadableCode): Promise<Callable | Task> {
  registerOwnModules();
  // The first module of a graph is its main module: a task's, or a package in it, must not take itself for one.
  await graph.import("data:text/javascript,");
  const module = await whileImporting(() => graph.import<Record<string, unknown>>(code.path));
  if (FROM_VALUES in module && code.path !== code.file) return bindValues(module[FROM_VALUES], code);
  const reference = { file: code.file, export: code.export };
  const found = pick(module, code.export);
  if (!found) throw missingExport(reference, Object.keys(module));
  if (isTask(found.value)) return found.value;
  if (!isCallable(found.value)) throw notCallable(reference, whyNotCallable(found.value) ?? "");
  return found.value;
}

/** An inline function that `bind` gave values: they lie beside its code. */
function bindValues(make: unknown, code: LoadableCode): Callable {
  const path = join(dirname(code.path), VALUES);
  const values = readRecordFile(path);
  if (values === null) throw new JobxError("NOT_FOUND", `${path} does not exist`);
  const made: unknown = typeof make === "function" ? make(values) : null;
  if (!isCallable(made))
    throw notCallable({ file: code.file, export: code.export }, whyNotCallable(made) ?? "");
  return made;
}

/** A bundled module that was written with `module.exports` has all its names in its default export. */
function pick(module: Record<string, unknown>, name: string): { value: unknown } | null {
  const whole = module.default;
  const hasNames = (typeof whole === "object" && whole !== null) || typeof whole === "function";
  const names = hasNames ? whole : {};
  if (name === "default" && "__esModule" in names && "default" in names) return { value: names.default };
  if (name in module) return { value: module[name] };
  return name in names ? { value: Reflect.get(names, name) } : null;
}

function isCallable(value: unknown): value is Callable {
  return whyNotCallable(value) === null;
}
