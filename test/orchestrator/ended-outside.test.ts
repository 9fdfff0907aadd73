import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";

import { submitJob } from "../../src/orchestrator/submit.ts";
import { readJob } from "../../src/orchestrator/view.ts";
import { jobFiles } from "../../src/store/layout.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";

test("what thousands of elements came to that were cancelled outside of jobx is kept in one file", async () => {
  const memory = new MemoryExecutor();
  const services = memory.services(tempDir());
  const { id, dir } = await submitJob(services, input(2_000));
  memory.answer = {
    state: "cancelled",
    native: "CANCELLED",
    reason: null,
    node: null,
    endedAt: "2026-01-01T00:00:00Z",
  };
  expect((await readJob(services, id)).counts).toMatchObject({ cancelled: 2_000 });
  expect(readdirSync(jobFiles.verdicts(dir))).toHaveLength(1);
  memory.answer = "nothing";
  expect((await readJob(services, id)).counts).toMatchObject({ cancelled: 2_000 });
});
