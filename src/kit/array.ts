import { arrayOf } from "../executor/scheduler/array.ts";
import type { NativeArray, NativeDependency } from "../executor/scheduler/native.ts";
import type { JobSpec, NativeId, RunOptions } from "../model/job.ts";
import type { Resources } from "../model/resources.ts";

/** What a native array of the pure level differs in from the plainest one: one task that asks for nothing. */
export type ArrayChanges = {
  resources?: Resources;
  run?: Partial<RunOptions>;
  options?: Record<string, unknown>;
  name?: string;
  cwd?: string;
  dir?: string;
  worker?: string[];
  firstElement?: number;
  elements?: number;
  parallel?: number | null;
  after?: NativeDependency[];
  token?: string;
};

export const PLAIN_RUN: RunOptions = {
  retries: 0,
  maxTimeouts: 3,
  requeue: null,
  signalDelaySeconds: 90,
  parallel: null,
  pack: { tasks: 1, slots: 1 },
  after: [],
  setup: [],
  teardown: [],
  launcher: [],
  capture: false,
  mergeOutput: false,
  distributed: false,
  cleanEnv: false,
  env: {},
  maxPayloadBytes: 2 ** 30,
};

/** An array as the core hands it to `script` and `submit.argv`. */
export function arrayFor(changes: ArrayChanges = {}): NativeArray {
  const { elements = 1, firstElement = 0, parallel = null, dir = "/home/ann/.jobx/jobs/12" } = changes;
  const spec: JobSpec = {
    id: 12,
    name: changes.name ?? "train",
    executor: "kit",
    token: changes.token ?? "T0ken_-x",
    tasks: firstElement + elements,
    entry: { kind: "command", argv: ["true"] },
    templated: false,
    array: false,
    indices: null,
    resources: changes.resources ?? {},
    options: changes.options ?? {},
    run: { ...PLAIN_RUN, ...changes.run },
    cwd: changes.cwd ?? "/work",
    user: "ann",
    host: "login1",
    version: "0.1.0",
    created: "2026-11-22T18:10:00.000Z",
    runtime: ["/opt/jobx"],
    origin: null,
  };
  const part = { firstElement, elements, parallel, behind: null, digits: firstElement === 0 ? 0 : 3 };
  const request = { spec, dir, worker: changes.worker ?? ["/opt/jobx", "_worker", dir] };
  return { ...arrayOf(request, part, [], { home: "/home/ann/.jobx", env: {} }), after: changes.after ?? [] };
}

/** A native id that was given to this many elements. */
export function nativeFor(id: string, elements = 1): NativeId {
  return { id, cluster: null, submitted: "2026-11-22T18:10:04.000Z", firstElement: 0, elements };
}
