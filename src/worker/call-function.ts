import { JobxError } from "../errors.ts";
import type { StoredValue } from "../model/records.ts";
import { storeValue } from "../store/values.ts";
import { callTask } from "./call-task.ts";
import { jobContext } from "./context.ts";
import { loadFunction } from "./load-function.ts";
import type { FunctionTask } from "./runner-protocol.ts";
import { StateKeeper } from "./state-keeper.ts";
import { isTask } from "./task.ts";
import type { Warning } from "./warning.ts";

export type FunctionCall = Pick<
  FunctionTask,
  "rank" | "attempt" | "code" | "args" | "params" | "steps" | "dir" | "valueName" | "upTo" | "noticeSeconds"
>;

export type CallHost = {
  /** Tells of errors that escape every graph, until the function that it returns is called. */
  listen: (reject: (error: unknown) => void) => () => void;
  warning: Warning;
  /** Writes a line into the task's logs. */
  note: (text: string) => void;
};

/**
 * Calls a task's function with modules, timers and sockets of its own, and stores what it gives; of a sequence
 * its steps, one after the other. An error that its code leaves unhandled until then is the task's, and so is
 * what `listen` hears of. `jobContext()` must be the task's.
 */
export async function callFunction(task: FunctionCall, host: CallHost): Promise<StoredValue> {
  const escaped = Promise.withResolvers<never>();
  escaped.promise.catch(() => {});
  const graph = new Bun.ModuleGraph({ onError: (error) => escaped.reject(error) });
  const stopListening = host.listen(escaped.reject);
  const call = new Call(task, host, graph);
  try {
    const value = await Promise.race([call.run(), escaped.promise]);
    // A rejection that nobody handles is only reported after this turn of the event loop.
    await Promise.race([new Promise((resolve) => setImmediate(resolve)), escaped.promise]);
    return await storeResult(task, value, host.note);
  } finally {
    await call.close();
    graph.dispose();
    stopListening();
  }
}

class Call {
  readonly #task: FunctionCall;
  readonly #host: CallHost;
  readonly #graph: Bun.ModuleGraph;
  /** Opened when something is there to be kept: most functions keep nothing. */
  #keeper: StateKeeper | null = null;

  constructor(task: FunctionCall, host: CallHost, graph: Bun.ModuleGraph) {
    this.#task = task;
    this.#host = host;
    this.#graph = graph;
  }

  async run(): Promise<unknown> {
    const { steps, code, args, params } = this.#task;
    if (steps) return this.#runSteps(steps);
    return this.#callStep({ code, args: params === null ? args : [...args, params] });
  }

  async close(): Promise<void> {
    await this.#keeper?.close();
  }

  /** After a warning no further step begins: what is done is kept, and the next attempt goes on there. */
  async #runSteps(steps: NonNullable<FunctionCall["steps"]>): Promise<unknown[]> {
    const first = this.#states().done.length;
    for (const [index, step] of steps.entries()) {
      if (index < first) continue;
      const { error } = this.#host.warning;
      if (error && index > first) throw error;
      const value = await this.#callStep(step);
      await this.#finishStep(index, value);
    }
    return [...this.#states().done];
  }

  async #finishStep(index: number, value: unknown): Promise<void> {
    try {
      await this.#states().finishStep(value);
    } catch (error) {
      throw unstored(`The value of step ${index + 1}`, error);
    }
  }

  async #callStep({ code, args }: { code: FunctionTask["code"]; args: unknown[] }): Promise<unknown> {
    const graph = this.#graph;
    const found = await loadFunction(graph, code);
    const { warning } = this.#host;
    if (!isTask(found)) {
      warning.isAsked = this.#task.steps !== null;
      return graph.run(() => found(...args));
    }
    const keeper = this.#states();
    const { noticeSeconds } = this.#task;
    const host = { graph, context: jobContext(), keeper, warning, noticeSeconds };
    return callTask(found, keeper.args ?? args, host);
  }

  #states(): StateKeeper {
    const { attempt, rank, upTo } = this.#task;
    const { paths, numRanks } = jobContext();
    const place = { folder: paths.checkpoint, attempt, rank, ranks: numRanks, upTo, note: this.#host.note };
    this.#keeper ??= new StateKeeper(place);
    return this.#keeper;
  }
}

async function storeResult(
  task: FunctionCall,
  value: unknown,
  onRefused: (why: string) => void,
): Promise<StoredValue> {
  try {
    return await storeValue(task.dir, task.valueName, value, { onRefused });
  } catch (error) {
    throw unstored("The result", error);
  }
}

function unstored(what: string, error: unknown): unknown {
  if (!(error instanceof JobxError) || error.code !== "PAYLOAD") return error;
  return new JobxError("PAYLOAD", `${what} cannot be stored: ${error.message}`, { hint: error.hint });
}
