import { describe, expect, test } from "bun:test";
import { chownSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { sharedAnswer } from "../../src/executor/scheduler/answers.ts";
import { cancelJobs } from "../../src/orchestrator/control.ts";
import { listJobs } from "../../src/orchestrator/list.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { readJob } from "../../src/orchestrator/view.ts";
import { readSpec, writeEnvironment, writeSpec } from "../../src/store/jobs.ts";
import { jobFiles } from "../../src/store/layout.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("SKIPPED: the tests of looking into another user's home need root");

const OWNER = 65_534;

/** Every path of a home with its owner. */
function ownersIn(home: string): string[] {
  const paths = readdirSync(home, { recursive: true, encoding: "utf8" });
  return paths.map((path) => `${path} ${statSync(join(home, path)).uid}`).sort();
}

function giveAway(home: string): void {
  for (const path of [".", ...readdirSync(home, { recursive: true, encoding: "utf8" })]) {
    chownSync(join(home, path), OWNER, OWNER);
  }
}

describe.skipIf(!isRoot)("root, in another user's home", () => {
  test("leaves nothing there by looking at a job that has ended, and still sees how", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { id, dir } = await submitJob(services, input(2));
    writeEnvironment(dir, { A: "b" });
    giveAway(services.home);
    const before = ownersIn(services.home);
    memory.answer = { state: "cancelled", native: "CANCELLED", reason: null, node: null, neverStarted: true };
    expect((await readJob(services, id)).counts.cancelled).toBe(2);
    expect(await listJobs(services)).toMatchObject([{ id, state: "cancelled" }]);
    expect(ownersIn(services.home)).toEqual(before);
  });

  test("leaves nothing there by finding a submission that was cut off", async () => {
    const native = { id: "77", cluster: null, submitted: "", firstElement: 0, elements: 1 };
    const memory = new MemoryExecutor({ find: async () => ({ natives: [native] }) });
    const services = memory.services(tempDir());
    const { id, dir } = await submitJob(services, input(1));
    rmSync(jobFiles.native(dir));
    writeSpec(dir, { ...readSpec(dir), created: "2020-01-01T00:00:00.000Z" });
    giveAway(services.home);
    const before = ownersIn(services.home);
    expect((await readJob(services, id)).task(0)).toMatchObject({ state: "queued", reason: "Priority" });
    expect(ownersIn(services.home)).toEqual(before);
  });

  test("keeps what a scheduler said to itself", async () => {
    const home = tempDir();
    chownSync(home, OWNER, OWNER);
    const options = { maxAgeMs: 60_000, after: 0, ask: async () => [] };
    expect((await sharedAnswer(home, "toy", null, options)).rows).toEqual([]);
    expect(readdirSync(home)).toEqual([]);
  });

  test("cancels by a request that its owner can read", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { id, dir } = await submitJob(services, input(2));
    giveAway(services.home);
    await cancelJobs(services, [{ id, dir, spec: readSpec(dir), tasks: null, rank: null }]);
    expect(statSync(jobFiles.cancelled(dir))).toMatchObject({ uid: OWNER, gid: OWNER });
  });
});

describe.skipIf(!isRoot)("a summary that may not be read", () => {
  test("costs list no more than reading the job", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { id, dir } = await submitJob(services, input(1));
    writeFileSync(jobFiles.summary(dir), "", { mode: 0 });
    giveAway(services.home);
    const owner = process.seteuid;
    if (!owner) throw new Error("there are no users here");
    owner(OWNER);
    try {
      expect(await listJobs(services)).toMatchObject([{ id, state: "queued" }]);
    } finally {
      owner(0);
    }
  });
});
