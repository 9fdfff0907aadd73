import type { Executor } from "../executor/contract.ts";
import type { CommandResult } from "../executor/run.ts";
import { type SchedulerDefinition, schedulerOf } from "../executor/scheduler/definition.ts";
import type { NativeStatus, StatusStage } from "../executor/scheduler/native.ts";
import type { Sample, SampleJob } from "../executor/scheduler/samples.ts";

/** The plugin that is looked at. */
export type Subject = { executor: Executor };

/** What `defineScheduler` was given; only cases that are skipped without it ask. */
export function definitionOf({ executor }: Subject): SchedulerDefinition {
  const scheduler = schedulerOf(executor);
  if (scheduler) return scheduler;
  throw new Error(`${executor.name} was not made by defineScheduler`);
}

type Kind = Sample["of"];

/** The samples of one kind. */
export function samplesOf<K extends Kind>(subject: Subject, kind: K): Extract<Sample, { of: K }>[] {
  const all = schedulerOf(subject.executor)?.samples ?? [];
  return all.filter((sample): sample is Extract<Sample, { of: K }> => sample.of === kind);
}

/** A job that a sample can be about. */
export function sampleJob(changes: Partial<SampleJob> = {}): SampleJob {
  const script = "/home/ann/.jobx/jobs/12/submit.sh";
  return {
    id: "4211",
    range: null,
    script,
    arguments: [],
    token: "T0ken_-x",
    name: "train",
    uid: "1000",
    user: "ann",
    submitted: new Date("2026-11-22T18:10:04Z"),
    started: new Date("2026-11-22T18:10:09Z"),
    ended: new Date("2026-11-22T18:11:30Z"),
    hosts: ["node1"],
    exitCode: 0,
    signal: 0,
    restarts: 0,
    ...changes,
  };
}

/** The jobs that a plugin's rows are tried with: alone, an element of an array, and several that wait side by side. */
export function sampleJobs(subject: Subject, state: NativeStatus["state"]): SampleJob[] {
  const outcome = state === "failed" ? { exitCode: 3 } : {};
  const alone = sampleJob(outcome);
  if (!subject.executor.capabilities.arrays) return [alone];
  const jobs = [alone, sampleJob({ ...outcome, range: { first: 7, last: 7 } })];
  if (state === "queued") jobs.push(sampleJob({ range: { first: 2, last: 5 } }));
  return jobs;
}

/** A text in which one word for a state is another one, and letters that are the same elsewhere stay. */
export function withWord(text: string, word: string, other: string): string {
  if (word === "") return text;
  const escaped = word.replaceAll(/[^\w\s]/g, "\\$&");
  return text.replaceAll(new RegExp(`(?<!\\w)${escaped}(?!\\w)`, "g"), other);
}

/** A stage's whole answer that holds these rows. */
export function documentOf(subject: Subject, stage: string, rows: string[]): string {
  const document = samplesOf(subject, "document").find((sample) => sample.stage === stage);
  return document ? document.stdout(rows) : rows.join("");
}

/** What a stage makes of one answer. */
export function parseAnswer(stage: StatusStage, answer: Partial<CommandResult>): NativeStatus[] {
  const job = sampleJob();
  const query = { ids: [job.id], users: [job.uid], since: job.submitted.toISOString() };
  return stage.parse([{ code: 0, stdout: "", stderr: "", ...answer }], query);
}
