import type { Subprocess } from "bun";

import { JobxError } from "../errors.ts";
import { type Channel, openChannel } from "./channel.ts";
import {
  type AbortKind,
  type FunctionTask,
  isHeard,
  isReply,
  type RunnerOutcome,
  type RunnerRequest,
} from "./runner-protocol.ts";

export type { AbortKind, FunctionTask, RunnerOutcome } from "./runner-protocol.ts";

export type RunnerOptions = {
  /** Words that start this jobx, before `_runner`. */
  runtime: string[];
  /** What the process starts with; each task brings its own. */
  env: Record<string, string>;
  cwd?: string;
};

/** How long after the process's end its last words may take to arrive, in milliseconds. */
const LAST_WORDS_MS = 500;

/** A child process that runs functions, one at a time, and is kept for the next. It leads a process group. */
export class Runner {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly closed: Promise<void>;

  #process: Subprocess;
  #channel: Promise<Channel>;
  #silent = Promise.withResolvers<void>();
  #lastResort: Timer | undefined;
  #pending: ((outcome: RunnerOutcome) => void) | null = null;
  /** Who waits to be told that the task has heard. */
  #unanswered: ((heeded: boolean) => void)[] = [];
  #ended: RunnerOutcome | null = null;

  /** Starts the process; tasks may be given to it at once. */
  static start(options: RunnerOptions): Runner {
    return new Runner(options);
  }

  private constructor(options: RunnerOptions) {
    this.#process = Bun.spawn([...options.runtime, "_runner"], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
      env: options.env,
      cwd: options.cwd,
      detached: true,
    });
    this.pid = this.#process.pid;
    this.#channel = this.#open();
    const ended = this.#watch();
    this.closed = ended.then(() => {});
    // After whoever waits for `closed`, so that nobody hears of the death and still takes this for a runner.
    void this.closed.then(() => ended).then((outcome) => this.#settle(outcome));
  }

  /** Runs one task; never rejects. A second one before the first has ended is an error of the caller. */
  run(task: FunctionTask): Promise<RunnerOutcome> {
    if (this.#pending)
      throw new JobxError("BUG", `Runner ${this.pid} was given a task while it runs another`);
    if (this.#ended) return Promise.resolve(this.#ended);
    const { promise, resolve } = Promise.withResolvers<RunnerOutcome>();
    this.#pending = resolve;
    this.#send({ type: "run", task });
    return promise;
  }

  /**
   * Tells the running task that it should leave. `heard` is called once its process knows, with whether the
   * function may do something about it; never where the function blocks its event loop, or has ended.
   */
  abort(kind: AbortKind, heard: (heeded: boolean) => void = () => undefined): void {
    if (!this.#pending) return;
    this.#unanswered.push(heard);
    this.#send({ type: "abort", kind });
  }

  /** Ends the process and everything in its group, at once. */
  kill(): void {
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }

  #send(message: RunnerRequest): void {
    this.#channel.then(
      (channel) => channel.send(message),
      // It ended before it could be spoken to; `#watch` says so.
      () => this.kill(),
    );
  }

  async #open(): Promise<Channel> {
    const fd = this.#process.stdio[3];
    if (typeof fd !== "number") throw new JobxError("BUG", "The runner has no channel");
    return openChannel(fd, {
      message: (message) => {
        if (isHeard(message)) this.#unanswered.shift()?.(message.heeded);
        else if (isReply(message)) this.#settle(message);
        else this.kill();
      },
      closed: () => {
        this.#silent.resolve();
        // Without a channel it can never answer again; one that is ending may finish, with its own exit code.
        this.#lastResort = setTimeout(() => this.kill(), LAST_WORDS_MS);
      },
    });
  }

  #settle(outcome: RunnerOutcome): void {
    const resolve = this.#pending;
    this.#pending = null;
    this.#unanswered = [];
    resolve?.(outcome);
  }

  /** A reply that was sent before the process ended still counts. */
  async #watch(): Promise<RunnerOutcome> {
    await this.#process.exited;
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, LAST_WORDS_MS);
    await Promise.race([this.#silent.promise, patience.promise]);
    clearTimeout(timer);
    clearTimeout(this.#lastResort);
    const { exitCode, signalCode } = this.#process;
    const ended: RunnerOutcome = {
      kind: "died",
      exitCode,
      signal: signalCode === null ? null : String(signalCode),
    };
    this.#ended = ended;
    // What it started goes with it.
    this.kill();
    return ended;
  }
}
