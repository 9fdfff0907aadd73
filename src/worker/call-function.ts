import { whyNotCallable } from "../code/callable.ts";
import { missingExport, notCallable } from "../code/exports.ts";
import { JobxError } from "../errors.ts";
import type { StoredValue } from "../model/records.ts";
import { storeValue } from "../store/values.ts";
import type { FunctionTask } from "./runner-protocol.ts";

export type FunctionCall = Pick<FunctionTask, "code" | "args" | "params" | "dir" | "valueName">;

/**
 * Calls a task's function with modules, timers and sockets of its own, and stores what it gives. An error that
 * its code leaves unhandled until then is the task's, and so is what `listen` hears of by other ways, until the
 * function that it returns is called.
 */
export async function callFunction(
  task: FunctionCall,
  listen: (reject: (error: unknown) => void) => () => void,
): Promise<StoredValue> {
  const escaped = Promise.withResolvers<never>();
  escaped.promise.catch(() => {});
  const graph = new Bun.ModuleGraph({ onError: (error) => escaped.reject(error) });
  const stopListening = listen(escaped.reject);
  try {
    const value = await Promise.race([call(graph, task), escaped.promise]);
    // A rejection that nobody handles is only reported after this turn of the event loop.
    await Promise.race([new Promise((resolve) => setImmediate(resolve)), escaped.promise]);
    return storeResult(task, value);
  } finally {
    graph.dispose();
    stopListening();
  }
}

async function call(graph: Bun.ModuleGraph, task: FunctionCall): Promise<unknown> {
  const callable = await loadFunction(graph, task.code);
  const args = task.params === null ? task.args : [...task.args, task.params];
  return graph.run(() => callable(...args));
}

function storeResult(task: FunctionCall, value: unknown): StoredValue {
  try {
    return storeValue(task.dir, task.valueName, value);
  } catch (error) {
    if (!(error instanceof JobxError) || error.code !== "PAYLOAD") throw error;
    throw new JobxError("PAYLOAD", `The result cannot be stored: ${error.message}`, { hint: error.hint });
  }
}

type Callable = (...args: unknown[]) => unknown;

/** The function that the task's module exports, imported into the graph. Throws USAGE when it has none. */
async function loadFunction(graph: Bun.ModuleGraph, code: FunctionTask["code"]): Promise<Callable> {
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
