import { expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { preparePaths, queuePaths } from "../../src/queue/paths.ts";
import type { EnqueueRequest } from "../../src/queue/protocol.ts";
import { Queue } from "../../src/queue/queue.ts";
import { tempDir } from "../helpers/temp.ts";

/** A job that asks for more CPUs than any machine has, so that it waits. */
function waitingJob(dir: string): EnqueueRequest {
  return {
    dir,
    job: 1,
    name: "waits",
    token: "token",
    worker: ["true"],
    shape: { cpus: 1_000_000, memBytes: 0, gpus: 0 },
    tasks: 1,
    parallel: null,
    after: [],
    limits: { cpus: null, memBytes: null, gpus: null, nice: null },
  };
}

test("waiting jobs of a home that was removed are let go, those of other homes stay", () => {
  const root = tempDir();
  const env = { JOBX_RUNTIME_DIR: join(root, "run") };
  const paths = queuePaths(env);
  preparePaths(paths);
  let ended = 0;
  const queue = new Queue({
    paths,
    env,
    log: () => undefined,
    entered: () => undefined,
    ended: () => ended++,
  });
  for (const home of ["kept", "removed"]) {
    const dir = join(root, home, "jobs", "1");
    mkdirSync(dir, { recursive: true });
    queue.enqueue(waitingJob(dir));
  }
  queue.forgetRemoved();
  expect(queue.size).toBe(2);
  rmSync(join(root, "removed"), { recursive: true });
  queue.forgetRemoved();
  expect([...queue.dirs]).toEqual([join(root, "kept", "jobs", "1")]);
  expect(ended).toBe(1);
});
