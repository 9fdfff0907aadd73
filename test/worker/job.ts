import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import type { Entry, JobSpec, RunOptions, TaskPayload } from "../../src/model/job.ts";
import type { AgainRecord, ResultRecord, SegmentRecord } from "../../src/model/records.ts";
import type { Resources } from "../../src/model/resources.ts";
import { isZombie, startOf } from "../../src/queue/proc.ts";
import { ensureHome, writeEnvironment, writeSpec } from "../../src/store/jobs.ts";
import { jobDir, jobFiles, logPath } from "../../src/store/layout.ts";
import { writePayload } from "../../src/store/payload.ts";
import { JobTail } from "../../src/store/segment-tail.ts";
import { eventually } from "../helpers/eventually.ts";
import { RUN } from "../helpers/run-options.ts";

export const MAIN = resolve(import.meta.dir, "../../src/cli/main.ts");
const WORKER = resolve(import.meta.dir, "worker-main.ts");

/** Says that it is ready, leaves with 85 when it is warned, and succeeds when it is run again. */
export const LEAVES = [
  "sh",
  "-c",
  "test $JOBX_ATTEMPT -gt 0 && exit 0; trap 'exit 85' USR2; echo ready; while :; do sleep 0.05; done",
];

export type JobInput = {
  argv?: string[];
  entry?: Entry;
  tasks?: Partial<TaskPayload>[];
  resources?: Resources;
  run?: Partial<RunOptions>;
  templated?: boolean;
  array?: boolean;
  cwd?: string;
  environment?: Record<string, string>;
  /** 1 without. */
  id?: number;
};

/** A job's directory, as submission leaves it. */
export function makeJob(home: string, input: JobInput): string {
  ensureHome(home);
  const { id = 1 } = input;
  const dir = jobDir(home, id);
  mkdirSync(dir, { recursive: true });
  const tasks = (input.tasks ?? [{}]).map((task) => ({ params: null, line: null, args: [], ...task }));
  const spec: JobSpec = {
    id,
    name: "test",
    executor: "local",
    token: "token",
    tasks: tasks.length,
    entry: input.entry ?? { kind: "command", argv: input.argv ?? ["true"] },
    templated: input.templated ?? false,
    array: input.array ?? false,
    indices: null,
    resources: input.resources ?? {},
    options: {},
    run: { ...RUN, pack: { tasks: 1, slots: 2 }, ...input.run },
    cwd: input.cwd ?? home,
    user: "somebody",
    host: "here",
    version: "0.1.0",
    created: new Date().toISOString(),
    runtime: [process.execPath, "--no-install", MAIN],
    origin: null,
  };
  writePayload(jobFiles.payload(dir), tasks, 1 << 30);
  writeSpec(dir, spec);
  const { HOME = "/", PATH = "" } = process.env;
  writeEnvironment(dir, { HOME, PATH, ...input.environment });
  return dir;
}

export type Worker = {
  pid: number;
  ended: Promise<number>;
  errors: () => string;
  signal: (name: NodeJS.Signals) => void;
};

/** Starts a supervisor on a job's directory. */
export function startWorker(dir: string, env: Record<string, string> = {}): Worker {
  const log = join(dir, `worker-${performance.now()}.log`);
  writeFileSync(log, "");
  const child = Bun.spawn([process.execPath, "--no-install", WORKER, dir], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", Bun.file(log)],
  });
  return {
    pid: child.pid,
    ended: child.exited,
    errors: () => readFileSync(log, "utf8"),
    signal: (name) => child.kill(name),
  };
}

/** Runs a job to its end; gives the worker's exit code. */
/** Starts a worker whose first task says `ready`, and waits for that word. */
export async function whenReady(dir: string, env: Record<string, string>, tasks = 1): Promise<Worker> {
  const worker = startWorker(dir, env);
  await eventually(() => logOf(dir, 0, "out", tasks).includes("ready"));
  return worker;
}

export async function runJob(dir: string, env: Record<string, string> = {}): Promise<number> {
  return startWorker(dir, env).ended;
}

export function recordsOf(dir: string): SegmentRecord[] {
  return new JobTail(dir).poll().records;
}

/** Whether an attempt's beginning is on record, which it is after 20 ms: who is killed before leaves no trace of it. */
export function hasStarted(dir: string, ranks = 1): boolean {
  return recordsOf(dir).filter(({ kind }) => kind === "started").length >= ranks;
}

export function resultsOf(dir: string): ResultRecord[] {
  const results = recordsOf(dir).filter((record): record is ResultRecord => record.kind === "result");
  return results.sort((a, b) => a.task - b.task || a.rank - b.rank);
}

export function againsOf(dir: string): AgainRecord[] {
  return recordsOf(dir).filter((record): record is AgainRecord => record.kind === "again");
}

/** The only result of a job with one task. */
export function resultOf(dir: string): ResultRecord {
  const [result, ...others] = resultsOf(dir);
  if (!result || others.length > 0)
    throw new Error(`Expected one result, got ${JSON.stringify(resultsOf(dir))}`);
  return result;
}

export function logOf(dir: string, task = 0, stream: "out" | "err" = "out", tasks = 1, rank = 0): string {
  return readFileSync(logPath(dir, tasks, task, rank, stream), "utf8");
}

/** Whether the process runs; one that has ended and waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  return startOf(pid) !== null && !isZombie(pid);
}
