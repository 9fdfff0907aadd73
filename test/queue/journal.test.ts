import { afterEach, describe, expect, test } from "bun:test";
import { appendFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { Journal } from "../../src/queue/journal.ts";
import { startOf } from "../../src/queue/proc.ts";
import { requestOf } from "../../src/queue/request.ts";
import { eventually } from "../helpers/eventually.ts";
import { fill, mountSmall } from "../helpers/small-disk.ts";
import { tempDir } from "../helpers/temp.ts";
import { Bench, specOf } from "./fixtures/bench.ts";

const disk = mountSmall();

function requestIn(dir: string) {
  return requestOf(specOf(1, ["true"], {}), dir);
}

describe("the journal", () => {
  test("gives back the living jobs in the order in which they came", () => {
    const path = join(tempDir(), "journal");
    const journal = new Journal(path);
    for (const dir of ["/h/jobs/1", "/h/jobs/2", "/h/jobs/3"])
      journal.append({ kind: "job", request: requestIn(dir) });
    journal.append({ kind: "supervisor", dir: "/h/jobs/1", pid: 77, start: "1234" });
    journal.append({ kind: "slots", dir: "/h/jobs/1", slots: [{ id: 5, gpus: ["0"] }] });
    journal.append({ kind: "held", dir: "/h/jobs/3", held: true });
    journal.append({ kind: "end", dir: "/h/jobs/2" });
    journal.close();
    expect(new Journal(path).read()).toMatchObject([
      {
        request: { dir: "/h/jobs/1" },
        held: false,
        supervisor: { pid: 77, start: "1234" },
        slots: [{ id: 5 }],
      },
      { request: { dir: "/h/jobs/3" }, held: true, supervisor: null, slots: [] },
    ]);
  });

  test("passes over a line that was cut", () => {
    const path = join(tempDir(), "journal");
    const journal = new Journal(path);
    journal.append({ kind: "job", request: requestIn("/h/jobs/1") });
    appendFileSync(path, '{"kind":"job","requ');
    expect(new Journal(path).read()).toHaveLength(1);
  });

  test("goes on after a line that was cut", () => {
    const path = join(tempDir(), "journal");
    appendFileSync(path, '{"kind":"job","requ');
    const journal = new Journal(path);
    journal.append({ kind: "job", request: requestIn("/h/jobs/1") });
    expect(journal.read()).toHaveLength(1);
  });

  test("is written anew when most of it is over", () => {
    const path = join(tempDir(), "journal");
    const journal = new Journal(path);
    const living = { request: requestIn("/h/jobs/1"), held: true, supervisor: null, slots: [] };
    journal.append({ kind: "job", request: living.request });
    journal.append({ kind: "held", dir: "/h/jobs/1", held: true });
    for (let change = 0; change < 3_000; change++)
      journal.append({ kind: "slots", dir: "/h/jobs/1", slots: [] });
    const before = statSync(path).size;
    journal.compact(1, () => [living]);
    expect(statSync(path).size).toBeLessThan(before / 100);
    expect(journal.read()).toEqual([living]);
    journal.append({ kind: "end", dir: "/h/jobs/1" });
    expect(journal.read()).toEqual([]);
  });
});

describe.skipIf(disk === null)("the journal on a full disk", () => {
  const folder = disk ?? "";
  const filler = join(folder, "filler");
  afterEach(() => rmSync(filler, { force: true }));

  test("goes on without a word lost to the queue, says so once, and is written anew when there is room", () => {
    const path = join(folder, "journal");
    const said: string[] = [];
    const journal = new Journal(path, (line) => said.push(line));
    const living = { request: requestIn("/h/jobs/2"), held: true, supervisor: null, slots: [] };
    journal.append({ kind: "job", request: requestIn("/h/jobs/1") });
    fill(filler);
    // More than the rest of a page: one of them is cut.
    for (let line = 0; line < 100; line++) journal.append({ kind: "slots", dir: "/h/jobs/1", slots: [] });
    journal.append({ kind: "end", dir: "/h/jobs/1" });
    journal.append({ kind: "job", request: living.request });
    journal.compact(1, () => [living]);
    expect(said).toEqual([expect.stringContaining("the journal cannot be written: ENOSPC")]);
    rmSync(filler);
    journal.append({ kind: "held", dir: "/h/jobs/2", held: true });
    journal.compact(1, () => [living]);
    expect(new Journal(path).read()).toEqual([living]);
    journal.append({ kind: "end", dir: "/h/jobs/2" });
    expect(new Journal(path).read()).toEqual([]);
    fill(filler);
    for (let line = 0; line < 200; line++) journal.append({ kind: "end", dir: "/h/jobs/2" });
    expect(said).toHaveLength(2);
    journal.close();
  });

  test("keeps no job from being run", async () => {
    const run = join(folder, "run");
    const bench = new Bench({ JOBX_RUNTIME_DIR: run });
    const client = await bench.open();
    fill(filler);
    // Long lines, so that they need another page of the disk.
    const name = "x".repeat(3_000);
    const jobs = [1, 2, 3].map(() => bench.standIn({ tasks: 1 }, { name }));
    for (const job of jobs) await client.enqueue(job.request);
    for (const job of jobs) job.end();
    await eventually(() => jobs.every((job) => job.isOver));
    await eventually(async () => (await client.info()).jobs.length === 0);
    expect((await client.info()).used.cpus).toBe(0);
    client.close();
  });

  test("keeps no queue from starting, and from ending when it is idle", async () => {
    const bench = new Bench({ JOBX_RUNTIME_DIR: join(folder, "full"), JOBX_QUEUE_IDLE_MS: "50" });
    fill(filler);
    const client = await bench.open();
    const pid = await bench.pidOf(client);
    client.close();
    await eventually(() => startOf(pid) === null);
  });
});
