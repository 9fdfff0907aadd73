import { inspect } from "node:util";

import { type JobxError, usageError } from "../errors.ts";
import type { TaskState } from "../model/states.ts";
import { cancelJobs, type Control, holdJobs, interruptJobs, releaseJobs } from "../orchestrator/control.ts";
import { checkKeys } from "./check-keys.ts";
import { named } from "./errors.ts";
import {
  errorOf,
  hasEnded,
  logText,
  look,
  stateOfScope,
  valueOf,
  valuesOf,
  waitForAll,
  type WaitOptions,
} from "./outcome.ts";
import { type RetryOptions, retryScope } from "./retry.ts";
import type { Scope, ScopeSource } from "./scope.ts";

/** How many tasks a verb was about, how many it passed over or found ended. */
export type Asked = Omit<Control, "id">;

/** What a handle stands for; for this room alone. */
export let scopeOf: (handle: Handle) => Promise<Scope>;

/**
 * What a job, a task and a rank have in common. Whatever waits keeps the process alive; the handle itself does
 * not, and the job goes on without it. `await using` cancels it when the scope ends.
 */
export abstract class Handle<T = unknown> {
  static {
    scopeOf = (handle) => handle.#source.get();
  }

  /** A job's number, `"12.3"` of a task, `"12.3:1"` of a rank. */
  abstract readonly id: number | string;
  readonly #source: ScopeSource;

  /** @internal */
  constructor(source: ScopeSource) {
    this.#source = source;
  }

  /** As it would be typed after `jobx status`. */
  get selector(): string {
    return this.scope.selector;
  }

  /** What it stands for; throws in a batch that has not been submitted. Not for users. */
  protected get scope(): Scope {
    return this.#source.now();
  }

  /** The state as it is now: records first, then the executor is asked. */
  state(): Promise<TaskState> {
    return this.read(stateOfScope);
  }

  /** Whether it has ended, whatever the end. */
  done(): Promise<boolean> {
    return this.#with(async (scope) => {
      if (!hasEnded(scope)) await look(scope);
      return hasEnded(scope);
    });
  }

  /** Waits for the end, whatever it is. Throws WaitTimeoutError or the signal's reason; the job goes on. */
  async wait(options: WaitOptions = {}): Promise<this> {
    await this.#with((scope) => waitForAll([scope], options));
    return this;
  }

  /**
   * Waits for the one value. Throws JobFailedError, JobLostError, JobCancelledError or JobTimeoutError where there
   * is none, and USAGE for several tasks or ranks: they have `results()`.
   */
  result(options: WaitOptions = {}): Promise<T> {
    return this.#with(async (scope) => {
      const { indices, rank, ranks, selector } = scope;
      const [only] = indices;
      if (only === undefined || indices.length > 1) {
        throw usageError(
          `${selector} has ${indices.length} tasks and so no single value`,
          "results() gives all of them",
        );
      }
      if (rank === null && ranks > 1) {
        throw usageError(
          `${selector} has ${ranks} ranks and so no single value`,
          "results() gives all of them",
        );
      }
      await waitForAll([scope], options);
      return typed<T>(valueOf(scope, only, rank));
    });
  }

  /**
   * Waits for all values: one per task; of a single task with several ranks one per rank; of several such tasks
   * an array for each, as `results<T[]>()` says. Throws the error of the first that has none.
   */
  results(options?: WaitOptions): Promise<T[]>;
  results<V>(options?: WaitOptions): Promise<V[]>;
  results(options: WaitOptions = {}): Promise<unknown[]> {
    return this.#with(async (scope) => {
      await waitForAll([scope], options);
      return valuesOf(scope);
    });
  }

  /** Waits for the end, and gives why it did not succeed: of several tasks the first one; null where all succeeded. */
  exception(options: WaitOptions = {}): Promise<JobxError | null> {
    return this.#with(async (scope) => {
      await waitForAll([scope], options);
      for (const index of scope.indices) {
        const error = errorOf(scope, index, scope.rank);
        if (error) return error;
      }
      return null;
    });
  }

  /** What was printed so far. */
  stdout(): Promise<string> {
    return this.#with((scope) => logText(scope, "out"));
  }

  /** What was printed so far to standard error; empty with `mergeOutput`. */
  stderr(): Promise<string> {
    return this.#with((scope) => logText(scope, "err"));
  }

  /** Cancels what has not ended. */
  cancel(): Promise<Asked> {
    return this.#ask((scope) => cancelJobs(scope.files.session.services, [scope.selected]));
  }

  /** Keeps what waits from starting. */
  hold(): Promise<Asked> {
    return this.#ask((scope) => holdJobs(scope.files.session.services, [scope.selected]));
  }

  /** Lets what is held start. */
  release(): Promise<Asked> {
    return this.#ask((scope) => releaseJobs(scope.files.session.services, [scope.selected]));
  }

  /** Sends what runs the warning that comes before a preemption, or a time limit, to try out checkpointing. */
  interrupt(options: { timeout?: boolean } = {}): Promise<Asked> {
    return this.#ask((scope) => {
      checkKeys("interrupt()", options, ["timeout"]);
      const kind = options.timeout ? "timeout" : "preempted";
      return interruptJobs(scope.files.session.services, [scope.selected], kind);
    });
  }

  /** Looks, and reads something of what it then stands for. */
  protected read<R>(act: (scope: Scope) => R): Promise<R> {
    return this.#with(async (scope) => {
      await look(scope);
      return act(scope);
    });
  }

  /** What `retry` of a job and a task submits. */
  protected again(options: RetryOptions): Promise<Scope> {
    return this.#with((scope) => retryScope(scope, options));
  }

  /** Its id, as `Job.attach` takes it. */
  toString(): string {
    return String(this.id);
  }

  /** Its id, as `Job.attach` takes it. */
  toJSON(): number | string {
    return this.id;
  }

  /** What a console shows. @internal */
  [inspect.custom](): string {
    const scope = this.#source.peek();
    const { name } = this.constructor;
    return scope ? `${name} ${this.id} (${scope.reader.spec.name})` : `${name} not submitted yet`;
  }

  /**
   * What `await using` calls at the end of its scope, however that is left: cancels what has not ended. A script that
   * Ctrl-C or a kill ends leaves no scope, so its jobs go on.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!(await this.done())) await this.cancel();
  }

  #ask(verb: (scope: Scope) => Promise<Control[]>): Promise<Asked> {
    return this.#with(async (scope) => {
      const [control] = await verb(scope);
      const { asked = 0, passedOver = 0, alreadyFinal = 0 } = control ?? {};
      return { asked, passedOver, alreadyFinal };
    });
  }

  #with<R>(act: (scope: Scope) => R | Promise<R>): Promise<R> {
    return named(async () => act(await this.#source.get()));
  }
}

/** What a record holds has the type that its function gave: the one place where that is taken on trust. */
function typed<T>(value: unknown): T {
  return value as T;
}
