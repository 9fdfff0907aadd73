import { join } from "node:path";

import { Executor } from "../../src/client/executor.ts";
import type { ExecutorOptions } from "../../src/client/options.ts";
import { openSession } from "../../src/client/session.ts";
import type { ResultRecord } from "../../src/model/records.ts";
import { jobDir, segmentPath } from "../../src/store/layout.ts";
import { SegmentWriter } from "../../src/store/segments.ts";
import { MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";

/** An executor of the API whose jobs are accepted and never run; tests write their records. */
export function memoryExecutor(options: ExecutorOptions = {}, definition = { wholeJob: true }) {
  const home = join(tempDir("client"), "home");
  const memory = new MemoryExecutor(definition);
  const services = memory.services(home);
  const { config } = openSession({ home });
  const executor = new Executor({ config, services }, { executor: "memory", ...options });
  return { executor, memory, home, services };
}

/** The path of a module with functions, from any folder. */
export const FUNCTIONS = join(import.meta.dir, "functions.ts");

/** Ends tasks of a job with these values. */
export async function endTasks(
  home: string,
  job: number,
  values: ReadonlyMap<number, unknown>,
  start = 0,
  endedAt = STARTED_AT,
): Promise<void> {
  const writer = SegmentWriter.create(segmentPath(jobDir(home, job), 0, start, 0));
  await Promise.all([...values].map(([task, value]) => writer.append(success(task, value, endedAt))));
  await writer.close();
}

const STARTED_AT = "2026-01-01T00:00:00.000Z";

function success(task: number, value: unknown, endedAt: string): ResultRecord {
  return {
    kind: "result",
    task,
    rank: 0,
    attempt: 0,
    status: "succeeded",
    value: { kind: "inline", value },
    error: null,
    exitCode: 0,
    signal: null,
    reason: null,
    node: "here",
    startedAt: STARTED_AT,
    endedAt,
    usage: null,
  };
}
