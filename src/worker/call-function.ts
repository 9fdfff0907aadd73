import { JobxError } from "../errors.ts";
import type { StoredValue } from "../model/records.ts";
import { storeValue } from "../store/values.ts";
import { loadFunction } from "./load-function.ts";
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
