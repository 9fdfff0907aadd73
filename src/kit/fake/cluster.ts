import { join } from "node:path";

import { JobxError } from "../../errors.ts";
import type { Executor } from "../../executor/contract.ts";
import type { CommandResult, Run } from "../../executor/run.ts";
import { defineScheduler } from "../../executor/scheduler/define.ts";
import type { NativeArray, StatusQuery, StatusStage, Target } from "../../executor/scheduler/native.ts";
import type { SampleJob } from "../../executor/scheduler/samples.ts";
import { scriptArguments } from "../script.ts";
import { definitionOf, documentOf, sampleJob, samplesOf, type Subject } from "../subject.ts";
import { type FakeElement, startElement } from "./element.ts";
import { type Meaning, Meanings } from "./meanings.ts";

/** What the next command of a verb meets instead of its usual answer. */
export type Fault = (usual: () => CommandResult) => CommandResult | Promise<CommandResult>;

export type FakeJob = {
  id: string;
  /** What the plugin reads from the answer to submit, and names the job by: `5001[]` in PBS. */
  native: string;
  array: NativeArray;
  script: string;
  words: string[];
  env: Record<string, string>;
  submitted: Date;
  elements: FakeElement[];
  /** Nobody knows it any more. */
  forgotten: boolean;
};

const OK: CommandResult = { code: 0, stdout: "", stderr: "" };
const KILL_AFTER_MS = 3_000;
const LOOK_MS = 25;

/**
 * A pretended scheduler: takes the commands of a plugin, runs the elements of its jobs by the plugin's own script, and
 * answers in the words of the plugin's samples.
 */
export class FakeCluster {
  readonly jobs: FakeJob[] = [];
  readonly executor: Executor;
  /** Commands that were run, in order. */
  readonly calls: Meaning["verb"][] = [];
  /** Commands that the plugin made for no verb. */
  readonly strange: string[][] = [];
  /** While true, nothing starts. */
  isFull = false;
  /** How long later stages know nothing of an end. */
  accountingDelayMs = 0;
  /** The first stage drops what has ended at once. */
  forgetsEnds = false;
  /** Changes what stages print. */
  garble: ((text: string) => string) | null = null;
  maxArraySize = 1001;
  readonly #subject: Subject;
  readonly #folder: string;
  readonly #meanings: Meanings;
  readonly #faults = new Map<Meaning["verb"], Fault[]>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #runs = new Set<Promise<void>>();
  #isStopped = false;
  #nextId = 5001;

  constructor(subject: Subject, folder: string) {
    this.#subject = subject;
    this.#folder = folder;
    this.#meanings = new Meanings(definitionOf(subject));
    const { graceSeconds, ...executor } = defineScheduler({
      ...this.#meanings.definition,
      detect: () => ({ score: 2, why: "it is pretended" }),
      retryDelaysMs: [10, 20, 40],
    });
    this.executor = { ...executor, graceSeconds: Math.min(1, graceSeconds) };
  }

  /** Stands for starting a command. */
  readonly run: Run = async (argv, options = {}) => {
    const meaning = this.#meanings.of(argv);
    if (!meaning) {
      this.strange.push(argv);
      return { code: 127, stdout: "", stderr: `${argv[0]}: nothing that a verb asked for` };
    }
    this.calls.push(meaning.verb);
    const usual = () => this.#answer(meaning, argv, options.env ?? {});
    const fault = this.#faults.get(meaning.verb)?.shift();
    return fault ? await fault(usual) : usual();
  };

  /** Lets the next commands of a verb meet these faults, one each. */
  fault(verb: Meaning["verb"], ...faults: Fault[]): void {
    this.#faults.set(verb, [...(this.#faults.get(verb) ?? []), ...faults]);
  }

  /** From now on all is well. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /** Starts what can start. */
  schedule(): void {
    if (this.isFull) return;
    for (const job of this.jobs) {
      const most = job.array.parallel ?? Number.POSITIVE_INFINITY;
      for (const element of job.elements) {
        const running = job.elements.filter((one) => one.state === "running").length;
        if (element.state !== "queued" || element.held || running >= most) continue;
        const verdict = this.#verdict(job, element);
        if (verdict === false) close(element, "cancelled");
        if (verdict !== true) continue;
        element.state = "running";
        element.started = new Date();
        const run = this.#runElement(job, element).finally(() => this.#runs.delete(run));
        this.#runs.add(run);
      }
    }
  }

  /** Ends everything that runs. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.isFull = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { process: child } of this.jobs.flatMap(({ elements }) => elements)) {
      if (child) kill(child, "SIGKILL");
    }
    await Promise.all(this.#runs);
  }

  #answer(meaning: Meaning, argv: string[], env: Record<string, string | undefined>): CommandResult {
    switch (meaning.verb) {
      case "submit":
        return this.#submit(meaning.array, meaning.script, argv, env);
      case "status":
        return { ...OK, stdout: this.#statusText(meaning.stage, meaning.query) };
      case "limits":
        return { ...OK, stdout: this.#limitsText() };
      case "partitions":
        return { ...OK, code: 1, stderr: "there are none" };
      case "find":
        return { ...OK, stdout: this.#findText() };
      default:
        for (const element of this.#targeted(meaning.targets)) this.#steer(element, meaning);
        this.schedule();
        return OK;
    }
  }

  #submit(
    array: NativeArray,
    script: string,
    argv: string[],
    env: Record<string, string | undefined>,
  ): CommandResult {
    const sample = samplesOf(this.#subject, "submit").find((one) => !("is" in one));
    if (!sample || "is" in sample)
      throw new Error("there is no sample of submit whose text is made of the job's id");
    const id = String(this.#nextId++);
    const indices = array.indices ?? Array.from({ length: array.elements }, (_, index) => index);
    const job: FakeJob = {
      id,
      native: id,
      array,
      script,
      words: scriptArguments(argv, script),
      env: Object.fromEntries(
        Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined),
      ),
      submitted: new Date(),
      elements: indices.map(newElement),
      forgotten: false,
    };
    this.jobs.push(job);
    this.#later(0, () => this.schedule());
    const stdout = sample.stdout(this.#sampleOf(job, job.elements.slice(0, 1)));
    job.native = this.#meanings.definition.submit.parse(stdout, array)?.id ?? id;
    return { ...OK, stdout };
  }

  #statusText(stage: StatusStage, query: StatusQuery): string {
    const position = definitionOf(this.#subject).status.findIndex(({ name }) => name === stage.name);
    const rows = this.jobs
      .filter((job) => !job.forgotten && (stage.scope === "user" || query.ids.includes(job.native)))
      .flatMap((job) => groups(job).flatMap((elements) => this.#row(stage, position, job, elements) ?? []));
    const text = documentOf(this.#subject, stage.name, rows);
    return this.garble ? this.garble(text) : text;
  }

  #row(stage: StatusStage, position: number, job: FakeJob, elements: FakeElement[]): string | null {
    const [first] = elements;
    if (!first) return null;
    if (first.ended) {
      if (position === 0 && this.forgetsEnds) return null;
      if (position > 0 && Date.now() - first.ended.getTime() < this.accountingDelayMs) return null;
    }
    const rows = samplesOf(this.#subject, "row").filter((one) => one.stage === stage.name);
    const sample = rows.find((one) => one.is.state === first.state);
    return sample?.row(this.#sampleOf(job, elements)) ?? null;
  }

  #limitsText(): string {
    const sample = samplesOf(this.#subject, "limits").find((one) => !("is" in one));
    if (sample && !("is" in sample))
      return sample.stdout({ cluster: "kit", maxArraySize: this.maxArraySize });
    const fixed = samplesOf(this.#subject, "limits").find((one) => "is" in one);
    return fixed && "is" in fixed ? fixed.stdout : "";
  }

  #findText(): string {
    const sample = samplesOf(this.#subject, "find").find((one) => !("is" in one));
    if (!sample || "is" in sample) return "";
    return sample.stdout(
      this.jobs.filter((job) => !job.forgotten).map((job) => this.#sampleOf(job, job.elements)),
    );
  }

  #sampleOf(job: FakeJob, elements: FakeElement[]): SampleJob {
    const [first] = elements;
    const last = elements.at(-1);
    const { array } = job;
    return sampleJob({
      id: job.id,
      range: array.isArray && first && last ? { first: first.index, last: last.index } : null,
      script: job.script,
      arguments: job.words,
      token: array.spec.token,
      name: array.spec.name,
      uid: String(process.getuid?.() ?? 0),
      submitted: job.submitted,
      started: first?.started ?? job.submitted,
      ended: first?.ended ?? job.submitted,
      hosts: Array.from({ length: array.resources.nodes ?? 1 }, (_, at) => `node${at + 1}`),
      exitCode: first?.exitCode ?? 0,
      signal: first?.signal ?? 0,
      restarts: first?.restarts ?? 0,
    });
  }

  *#targeted(targets: Target[]): Iterable<FakeElement> {
    for (const { native, indices } of targets) {
      const job = this.jobs.find((one) => one.native === native.id && !one.forgotten);
      for (const element of job?.elements ?? []) {
        if (indices === null || indices.includes(element.index)) yield element;
      }
    }
  }

  #steer(element: FakeElement, meaning: Extract<Meaning, { targets: Target[] }>): void {
    const { process: child } = element;
    const isOver = element.ended !== null;
    switch (meaning.verb) {
      case "hold":
      case "release":
        element.held = meaning.verb === "hold";
        return;
      case "interrupt":
        if (child) kill(child, meaning.kind === "timeout" ? "SIGUSR1" : "SIGUSR2", false);
        return;
      case "requeue":
      case "cancel":
        if (child) this.#end(element, meaning.verb);
        else if (!isOver && meaning.verb === "cancel") close(element, "cancelled");
    }
  }

  /** As schedulers do: TERM, and KILL for what is still there a while later. */
  #end(element: FakeElement, wish: "cancel" | "requeue"): void {
    const { process: child } = element;
    if (!child || element.wish !== null) return;
    element.wish = wish;
    kill(child, "SIGTERM");
    this.#later(KILL_AFTER_MS, () => {
      if (element.process === child) kill(child, "SIGKILL");
    });
  }

  async #runElement(job: FakeJob, element: FakeElement): Promise<void> {
    const folder = join(this.#folder, `${job.id}.${element.index}`);
    const sample = this.#sampleOf(job, [element]);
    const { env, array } = job;
    try {
      const started = await startElement({
        subject: this.#subject,
        array,
        element,
        job: sample,
        env,
        folder,
      });
      const { process: child } = started;
      element.process = child;
      if (this.#isStopped) kill(child, "SIGKILL");
      while (await stillRuns(child)) if (started.wantsRequeue()) this.#end(element, "requeue");
      if (started.wantsRequeue()) element.wish ??= "requeue";
      element.exitCode = child.exitCode ?? 0;
      element.signal = child.signalCode === null ? 0 : 9;
    } catch (error) {
      element.exitCode = 1;
      if (!(error instanceof JobxError)) throw error;
    }
    this.#ended(element);
  }

  #ended(element: FakeElement): void {
    const { wish, exitCode, signal } = element;
    element.process = null;
    element.wish = null;
    if (wish === "requeue") {
      element.state = "queued";
      element.restarts++;
    } else
      close(element, wish === "cancel" ? "cancelled" : exitCode === 0 && signal === 0 ? "ended" : "failed");
    this.schedule();
  }

  /** Whether what an element waits for has ended as it should; null while that is open. */
  #verdict(job: FakeJob, element: FakeElement): boolean | null {
    const verdicts = job.array.after.flatMap(({ kind, natives }) =>
      natives.flatMap(({ native, indices }) => {
        const other = this.jobs.find((one) => one.native === native.id);
        const wanted = other?.elements.filter(({ index }) =>
          kind === "each" ? index === element.index : (indices?.includes(index) ?? true),
        );
        return (wanted ?? []).map(({ ended, state }) => {
          if (ended === null) return null;
          return kind === "any" || (state === "ended") === (kind !== "fail");
        });
      }),
    );
    return verdicts.includes(false) ? false : verdicts.includes(null) ? null : true;
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}

/** Waiting elements side by side are one row, as schedulers print them; every other one has a row of its own. */
function groups({ elements }: FakeJob): FakeElement[][] {
  const rows: FakeElement[][] = [];
  for (const element of elements) {
    const row = rows.at(-1);
    const last = row?.at(-1);
    const joins = last?.state === "queued" && element.state === "queued" && last.index === element.index - 1;
    if (row && joins) row.push(element);
    else rows.push([element]);
  }
  return rows;
}

function newElement(index: number): FakeElement {
  return {
    index,
    state: "queued",
    held: false,
    restarts: 0,
    process: null,
    wish: null,
    started: null,
    ended: null,
    exitCode: 0,
    signal: 0,
  };
}

function close(element: FakeElement, state: FakeElement["state"]): void {
  element.state = state;
  element.ended = new Date();
}

async function stillRuns(child: Bun.Subprocess): Promise<boolean> {
  await Promise.race([child.exited, Bun.sleep(LOOK_MS)]);
  return child.exitCode === null && child.signalCode === null;
}

/** Signals the script's process; KILL takes its whole group along. */
function kill(child: Bun.Subprocess, signal: NodeJS.Signals, withGroup = signal === "SIGKILL"): void {
  try {
    process.kill(withGroup ? -child.pid : child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}
