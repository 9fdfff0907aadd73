import { mkdirSync } from "node:fs";

import type { ExecutorContext, JobRef, SubmitRequest } from "../../src/executor/contract.ts";
import type { CommandOptions, CommandResult } from "../../src/executor/run.ts";
import type { JobSpec, NativeId } from "../../src/model/job.ts";
import { jobDir } from "../../src/store/layout.ts";
import { input } from "./executor.ts";

type Answer = Partial<CommandResult> | Error;

/** Stands for a scheduler's commands: answers by the first word, and remembers what it was asked. */
export class FakeCommands {
  readonly calls: string[][] = [];
  readonly environments: CommandOptions["env"][] = [];
  readonly notes: string[] = [];
  readonly context: ExecutorContext;

  constructor(
    home: string,
    answer: (argv: string[]) => Answer | Promise<Answer>,
    env: Record<string, string | undefined> = { PATH: process.env["PATH"] },
  ) {
    this.context = {
      home,
      env,
      settings: {},
      run: async (argv, options) => {
        this.calls.push(argv);
        this.environments.push(options?.env);
        const result = await answer(argv);
        if (result instanceof Error) throw result;
        return { code: 0, stdout: "", stderr: "", ...result };
      },
      note: (text) => this.notes.push(text),
      taskOutput: 1,
      runtime: ["/opt/jobx"],
    };
  }

  /** The calls of one command. */
  callsOf(command: string): string[][] {
    return this.calls.filter(([name]) => name === command);
  }
}

/** A job of `tasks` tasks that is about to be submitted; its folder is there. */
export function requestFor(
  home: string,
  tasks: number,
  changes: Partial<Omit<JobSpec, "run">> & { run?: Partial<JobSpec["run"]> } = {},
): SubmitRequest {
  const base = input(tasks);
  const id = changes.id ?? 12;
  const dir = jobDir(home, id);
  mkdirSync(dir, { recursive: true });
  const spec: JobSpec = {
    id,
    name: "train",
    executor: "slurm",
    token: "T0ken",
    tasks,
    entry: { kind: "command", argv: ["true"] },
    templated: false,
    array: false,
    indices: null,
    resources: {},
    options: {},
    cwd: "/work",
    user: "ann",
    host: "login1",
    version: "0.1.0",
    created: "2026-11-22T18:00:00.000Z",
    runtime: ["/opt/jobx"],
    origin: null,
    ...changes,
    run: { ...base.run, ...changes.run },
  };
  return {
    spec,
    dir,
    elements: Math.ceil(tasks / spec.run.pack.tasks),
    worker: ["/opt/jobx", "_worker", dir],
    environment: { HOME: "/home/ann", PATH: "/usr/bin" },
    inspect: false,
    accepted: () => undefined,
  };
}

/** The same job once it was submitted as these arrays. */
export function refFor({ spec, dir }: SubmitRequest, natives: NativeId[]): JobRef {
  return { id: spec.id, dir, spec, natives };
}

/** A native id of elements 0 to `elements` - 1, submitted `seconds` ago. */
export function nativeOf(id: string, elements: number, seconds = 60): NativeId {
  const submitted = new Date(Date.now() - seconds * 1000).toISOString();
  return { id, cluster: "dev", submitted, firstElement: 0, elements };
}
