import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { JobxError, messageOf } from "../errors.ts";
import type { Executor, ExecutorContext } from "../executor/contract.ts";
import { cleanJobEnvironment } from "../model/env-clean.ts";
import type { RunOptions, TaskPayload } from "../model/job.ts";
import type { Resources } from "../model/resources.ts";
import { cancelJobs } from "../orchestrator/control.ts";
import { taskValue } from "../orchestrator/results.ts";
import { resolveSelectors, type Selected } from "../orchestrator/select.ts";
import type { Services } from "../orchestrator/services.ts";
import { submitJob } from "../orchestrator/submit.ts";
import { type JobView, readJob } from "../orchestrator/view.ts";
import { waitFor } from "../orchestrator/wait.ts";
import { jobIds } from "../store/jobs.ts";
import { homeDirs, logPath } from "../store/layout.ts";
import { PLAIN_RUN } from "./array.ts";
import { check, fail, show } from "./case.ts";

/** What a job of the kit differs in from one plain task. */
export type Wish = {
  tasks?: number;
  resources?: Resources;
  run?: Partial<RunOptions>;
  env?: Record<string, string>;
};

/** How long a job of the kit may take before it counts as one that hangs, in seconds. */
const PATIENCE_SECONDS = 60;

/** A home of its own with one executor in it: what the life of jobs is tried with. */
export class Bench {
  readonly executor: Executor;
  readonly services: Services;
  /** What the executor told the person at the terminal. */
  readonly notes: string[] = [];
  /** Whether its scheduler is a real one, which takes its time. */
  readonly isLive: boolean;

  constructor(
    executor: Executor,
    options: {
      home: string;
      runtime: string[];
      env: Record<string, string | undefined>;
      isLive: boolean;
    } & Pick<ExecutorContext, "run" | "settings">,
  ) {
    const { home, runtime, env, run, settings, isLive } = options;
    this.executor = executor;
    this.isLive = isLive;
    const note = (text: string) => void this.notes.push(text);
    const context: ExecutorContext = { home, env, settings, run, note, taskOutput: 2, runtime };
    this.services = {
      home,
      shared: null,
      env,
      runtime,
      remoteRuntime: runtime,
      note,
      executors: {
        get: async () => executor,
        pick: async () => ({ executor, why: "it is the only one" }),
        contextFor: () => context,
      },
    };
  }

  /** Submits a command, and gives what later verbs name it by. */
  async submit(argv: string[], wish: Wish = {}): Promise<Selected> {
    const count = wish.tasks ?? 1;
    const { env } = this.services;
    const task: TaskPayload = { params: null, line: null, args: [] };
    const { id } = await submitJob(this.services, {
      name: "jobx-kit",
      executor: this.executor.name,
      entry: { kind: "command", argv },
      tasks: Array.from({ length: count }, () => task),
      count,
      templated: false,
      array: false,
      indices: null,
      resources: wish.resources ?? {},
      options: {},
      run: { ...PLAIN_RUN, capture: true, ...wish.run, env: wish.env ?? {} },
      cwd: this.services.home,
      environment: cleanJobEnvironment(env, { cleanEnv: false, extra: wish.env }),
      inspect: false,
      origin: null,
    });
    return await this.select(String(id));
  }

  /** A shell's line as one job. */
  async shell(line: string, wish: Wish = {}): Promise<Selected> {
    return this.submit(["/bin/sh", "-c", line], wish);
  }

  async select(text: string): Promise<Selected> {
    const [selected] = await resolveSelectors(this.services, [text]);
    return selected ?? fail(`there is no job ${text}`);
  }

  /** Waits for the end. A wait that would hang is the plugin's failure. */
  async wait(selected: Selected): Promise<JobView> {
    return (
      (await this.#watch(selected, PATIENCE_SECONDS)) ??
      fail(`a wait for it hangs: ${await this.describe(selected)}`)
    );
  }

  /** Watches a job that runs for longer than any end may go unrecorded: it must not be given up. */
  async runsOn(selected: Selected, meanwhile: string): Promise<void> {
    this.forgetAnswers();
    const view = await this.#watch(selected, this.executor.graceSeconds + 1.5);
    if (view) fail(`the job that runs counts as ${view.state} ${meanwhile}: ${reasonOf(view)}`);
  }

  /** Null where the job has not ended in this time. */
  async #watch(selected: Selected, timeoutSeconds: number): Promise<JobView | null> {
    // What was answered a moment ago is kept for other processes; here it would only cost time.
    const timer = setInterval(() => this.forgetAnswers(), 200);
    try {
      const [view] = await waitFor(this.services, [selected], { timeoutSeconds });
      return view ?? fail(`job ${selected.id} is gone`);
    } catch (error) {
      if (error instanceof JobxError && error.code === "WAIT_TIMEOUT") return null;
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Waits until something holds of a job. */
  async until(selected: Selected, what: string, holds: (view: JobView) => boolean): Promise<JobView> {
    const deadline = performance.now() + PATIENCE_SECONDS * 1000;
    for (;;) {
      this.forgetAnswers();
      const view = await readJob(this.services, selected.id);
      if (holds(view)) return view;
      if (performance.now() > deadline) fail(`${what} does not come: ${await this.describe(selected)}`);
      await Bun.sleep(this.isLive ? 500 : 50);
    }
  }

  /** Runs a shell's line to its end, which must be the state that is given. */
  async ended(state: string, line: string, wish: Wish = {}): Promise<JobView> {
    const view = await this.wait(await this.shell(line, wish));
    check(
      view.state === state,
      `${show(line)} ended as ${view.state} instead of ${state}: ${reasonOf(view)}`,
    );
    return view;
  }

  async cancel(selected: Selected): Promise<void> {
    this.forgetAnswers();
    await cancelJobs(this.services, [selected]);
  }

  /** Leaves nothing that runs behind, whatever a case left. */
  async cancelAll(): Promise<void> {
    const ids = jobIds(this.services.home);
    const all = await Promise.all(ids.map((id) => this.select(String(id))));
    if (all.length > 0) await cancelJobs(this.services, all);
    for (const one of all) await this.wait(one);
  }

  /** What a task that succeeded has printed. */
  output(view: JobView, task = 0, rank = 0): string {
    return String(taskValue(view, task, rank));
  }

  /** What stands in a task's log. */
  log(view: JobView, task = 0, rank = 0): string {
    const path = logPath(view.dir, view.spec.tasks, task, rank, "out");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  forgetAnswers(): void {
    const folder = homeDirs.cache(this.services.home);
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder))
      if (name.endsWith(".json") && !/-(limits|partitions)-/.test(name))
        rmSync(join(folder, name), { force: true });
  }

  async describe(selected: Selected): Promise<string> {
    try {
      const view = await readJob(this.services, selected.id);
      return `it is ${view.state}, ${reasonOf(view)}`;
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** Why a job ended as it did, in its tasks' own words. */
export function reasonOf(view: JobView): string {
  const reasons = [...view.tasks()].flatMap(({ reason, native }) => reason ?? native ?? []);
  return reasons[0] ?? view.reason ?? "no reason is given";
}

/** Makes a folder for a bench's home. */
export function makeHome(folder: string, name: string): string {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return home;
}
