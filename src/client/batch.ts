import { type JobxError, usageError } from "../errors.ts";
import { type Callable, callOf, isWork, type Work } from "./calls.ts";
import { checkKeys } from "./check-keys.ts";
import { show } from "./given.ts";
import { Task } from "./job.ts";
import { Scope, type ScopeSource } from "./scope.ts";

export type BatchOptions = {
  /** Submit what is there when a handle is waited for or asked inside the batch, instead of refusing that. */
  implicit?: boolean;
};

/** Submits one job with a task for each. */
type SubmitAll = (works: readonly Work[]) => Promise<Scope>;

/** What the body of `executor.batch` is given. */
export class Batch {
  readonly #group: Group;

  /** Made by `executor.batch`. @internal */
  constructor(group: Group) {
    this.#group = group;
  }

  /** Adds a task to the batch's job. Its handle can be used once the batch has been submitted. */
  submit<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Task<Awaited<R>>;
  submit<R>(work: Work<R>): Task<R>;
  submit<R = unknown>(reference: string, ...args: unknown[]): Task<R>;
  submit(what: unknown, ...args: unknown[]): Task {
    return new Task(this.#group.add(isWork(what) ? what : callOf(what, args)));
  }
}

/** Runs the body of a batch and submits what it collected; a throw submits nothing. */
export async function runBatch<R>(
  body: (batch: Batch) => R | Promise<R>,
  options: BatchOptions,
  submitAll: SubmitAll,
): Promise<R> {
  if (typeof body !== "function") {
    throw usageError(
      `batch was given ${show(body)} and no function`,
      "Write executor.batch((batch) => batch.submit(f, 1)): what is submitted in it becomes one job",
    );
  }
  checkKeys("batch()", options, ["implicit"]);
  const group = new Group(submitAll, options.implicit === true);
  let given: R;
  try {
    given = await body(new Batch(group));
  } catch (error) {
    group.abandon();
    throw error;
  }
  await group.close();
  return given;
}

/** The tasks of a batch: those that wait to be submitted, in pieces where handles are touched in between. */
class Group {
  readonly #submitAll: SubmitAll;
  readonly #implicit: boolean;
  #waiting: { work: Work; slot: Slot }[] = [];
  #state: "open" | "closed" | "abandoned" = "open";

  constructor(submitAll: SubmitAll, implicit: boolean) {
    this.#submitAll = submitAll;
    this.#implicit = implicit;
  }

  add(work: Work): ScopeSource {
    if (this.#state !== "open") throw usageError("The batch is over", "Submit with the executor itself");
    const slot = new Slot(() => this.#touched());
    this.#waiting.push({ work, slot });
    return slot;
  }

  async close(): Promise<void> {
    this.#state = "closed";
    await this.#flush();
  }

  abandon(): void {
    this.#state = "abandoned";
  }

  /** What waits becomes one job; who asks meanwhile waits for that. */
  async #flush(): Promise<void> {
    const going = this.#waiting;
    this.#waiting = [];
    if (going.length === 0) return;
    const submitted = this.#submitAll(going.map(({ work }) => work));
    for (const [index, { slot }] of going.entries()) {
      slot.fill(submitted.then((job) => new Scope(job.files, [index])));
    }
    await submitted;
  }

  /** A handle was used before it stood for anything. */
  async #touched(): Promise<void> {
    if (this.#state === "open" && this.#implicit) return this.#flush();
    throw untimely(this.#state === "abandoned");
  }
}

/** What a handle of a batch stands for, once that has been submitted. */
class Slot implements ScopeSource {
  readonly #touched: () => Promise<void>;
  #coming: Promise<Scope> | null = null;
  #scope: Scope | null = null;

  constructor(touched: () => Promise<void>) {
    this.#touched = touched;
  }

  fill(coming: Promise<Scope>): void {
    this.#coming = coming;
    coming.then(
      (scope) => (this.#scope = scope),
      () => {}, // told to whoever asks, and by the batch
    );
  }

  now(): Scope {
    if (this.#scope) return this.#scope;
    throw untimely(false);
  }

  peek(): Scope | null {
    return this.#scope;
  }

  async get(): Promise<Scope> {
    if (!this.#coming) await this.#touched();
    if (!this.#coming) throw untimely(false);
    return this.#coming;
  }
}

function untimely(abandoned: boolean): JobxError {
  return abandoned
    ? usageError("The batch of this task ended with an error, so the task was never submitted")
    : usageError(
        "The batch of this task has not been submitted yet",
        "Use the task after `await executor.batch(…)`; with { implicit: true }, wait for it first",
      );
}
