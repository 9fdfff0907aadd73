import type { ElementStatus, Executor, SubmitRequest, TaskSelection } from "../../src/executor/contract.ts";
import { defineExecutor } from "../../src/executor/define.ts";
import type { Services } from "../../src/orchestrator/services.ts";
import type { SubmitInput } from "../../src/orchestrator/submit.ts";
import { RUN } from "./run-options.ts";

/** An executor that only remembers what it was told, and says of its elements what a test wants it to. */
export class MemoryExecutor {
  readonly submitted: SubmitRequest[] = [];
  readonly cancelled: TaskSelection[] = [];
  statusCalls = 0;
  /** What `status` answers for every job it is asked about. */
  answer: Omit<ElementStatus, "job" | "element"> | "nothing" = {
    state: "queued",
    native: "PENDING",
    reason: "Priority",
    node: null,
  };
  refusal: Error | null = null;
  readonly executor: Executor;

  constructor(
    definition: {
      wholeJob?: boolean;
      thisHost?: boolean;
      graceSeconds?: number;
      find?: Executor["find"];
    } = {},
  ) {
    this.executor = defineExecutor({
      name: "memory",
      description: "Remembers what it was told",
      capabilities: {
        arrays: true,
        dependencies: true,
        wholeJob: definition.wholeJob ?? false,
        thisHost: definition.thisHost ?? false,
      },
      graceSeconds: definition.graceSeconds ?? 0,
      affinity: () => ({ score: 1, why: "for tests" }),
      submit: async (request) => {
        if (this.refusal) throw this.refusal;
        this.submitted.push(request);
        const submitted = new Date().toISOString();
        const id = `n${request.spec.id}`;
        return { natives: [{ id, cluster: null, submitted, firstElement: 0, elements: request.elements }] };
      },
      status: async (jobs) => {
        this.statusCalls++;
        const { answer } = this;
        if (answer === "nothing") return [];
        return jobs.flatMap((job) =>
          Array.from({ length: definition.wholeJob ? 1 : job.spec.tasks }, (_, element) => ({
            ...answer,
            job: job.id,
            element,
          })),
        );
      },
      cancel: async (selections) => {
        this.cancelled.push(...selections);
      },
      find: definition.find,
      environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
    });
  }

  services(home: string): Services & { notes: string[] } {
    const notes: string[] = [];
    return {
      home,
      shared: null,
      env: {},
      runtime: ["bun", "main.ts"],
      remoteRuntime: ["bun", "main.ts"],
      note: (text) => notes.push(text),
      notes,
      executors: {
        get: async () => this.executor,
        pick: async () => ({ executor: this.executor, why: "the only one" }),
        contextFor: () => ({
          home,
          env: {},
          settings: {},
          run: async () => ({ code: 0, stdout: "", stderr: "" }),
          note: (text) => notes.push(text),
          runtime: ["bun", "main.ts"],
          taskOutput: 1,
        }),
      },
    };
  }
}

/** A submission of `count` tasks that run `true`. */
export function input(count: number, changes: Partial<SubmitInput> = {}): SubmitInput {
  return {
    name: null,
    executor: "memory",
    entry: { kind: "command", argv: ["true"] },
    tasks: Array.from({ length: count }, () => ({ params: null, line: null, args: [] })),
    count,
    templated: false,
    array: false,
    indices: null,
    resources: {},
    options: {},
    run: RUN,
    cwd: "/",
    environment: {},
    inspect: false,
    origin: null,
    ...changes,
  };
}
