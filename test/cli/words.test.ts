import { expect, test } from "bun:test";

import { renderClean, summaryOfClean } from "../../src/cli/clean-text.ts";
import { controlLine } from "../../src/cli/control.ts";
import { makeOutput } from "../../src/cli/output.ts";
import { nameOfScope, scopeOf, subjectsOf } from "../../src/cli/selection.ts";
import { parseStates } from "../../src/cli/states.ts";
import { jobJson, jobJsonOf, oneOrMany, taskJson } from "../../src/cli/status-json.ts";
import { toResources } from "../../src/config/resources.ts";
import { noCounts } from "../../src/model/states.ts";
import type { Selected } from "../../src/orchestrator/select.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { readJob } from "../../src/orchestrator/view.ts";
import { addHeld, readSpec } from "../../src/store/jobs.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";
import { taskView } from "./views.ts";

const { style } = makeOutput(
  { json: false, quiet: false, verbose: false, color: { out: false, err: false } },
  () => {},
);

test("resource flags become resources, and what was not given stays absent", () => {
  const given: Record<string, string> = { time: "90", mem: "4G", gpus: "a100:2", "ranks-per-node": "3" };
  expect(toResources((flag) => given[flag])).toEqual({
    timeSeconds: 5400,
    memBytes: 4 * 1024 ** 3,
    gpus: { type: "a100", count: 2 },
    ranksPerNode: 3,
  });
  expect(Object.keys(toResources(() => undefined))).toEqual([]);
});

test("a bad resource names its flag and shows the value", () => {
  expect(() => toResources((flag) => (flag === "cpus" ? "0" : undefined))).toThrow('--cpus: "0"');
  expect(() => toResources((flag) => (flag === "time" ? "0" : undefined))).toThrow("more than 0");
  expect(() => toResources((flag) => (flag === "mem" ? "0" : undefined))).toThrow(
    '--mem: "0" is no memory limit',
  );
  expect(() => toResources((flag) => (flag === "partition" ? "a b" : undefined))).toThrow(
    '--partition: "a b"',
  );
});

test("an unknown state names the nearest", () => {
  expect(parseStates("failed, lost")).toEqual(["failed", "lost"]);
  expect(() => parseStates("faild")).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("failed") }),
  );
});

test("the JSON of a job and a task has the documented fields in the documented order", () => {
  const times = { startedAt: null, endedAt: null, seconds: null };
  const created = "2026-01-01T00:00:00.000Z";
  const counts = noCounts();
  const job = jobJsonOf({ id: 12, name: "n", executor: "slurm", state: "queued", counts, created, ...times });
  expect(JSON.stringify(job)).toBe(
    '{"id":12,"name":"n","executor":"slurm","state":"queued","counts":{"queued":0,"running":0,' +
      '"succeeded":0,"failed":0,"cancelled":0,"timeout":0,"lost":0},"created":"2026-01-01T00:00:00.000Z",' +
      '"startedAt":null,"endedAt":null,"seconds":null}',
  );
  expect(Object.keys(taskJson(taskView({})))).toEqual(
    "index state attempt exitCode signal reason native node startedAt endedAt seconds maxRssBytes".split(" "),
  );
  expect(oneOrMany([1])).toBe(1);
  expect(oneOrMany([1, 2])).toEqual([1, 2]);
});

test("the JSON of a job's status says why what was asked about waits", async () => {
  const services = new MemoryExecutor().services(tempDir());
  const { id, dir } = await submitJob(services, input(2));
  addHeld(dir, [1]);
  const view = await readJob(services, id);
  const reasonOf = (tasks: number[] | null) => jobJson(scopeOf(view, tasks), { tasks: false }).reason;
  expect(reasonOf(null)).toBe("Priority");
  expect(reasonOf([1])).toBe("held; jobx release lets it start");
});

test("tasks of one job that were named apart are one subject", async () => {
  const { dir } = await submitJob(new MemoryExecutor().services(tempDir()), input(9));
  const spec = readSpec(dir);
  const one = (id: number, tasks: number[] | null): Selected => ({ id, dir, spec, tasks, rank: null });
  expect(subjectsOf([one(12, [3]), one(13, null), one(12, [1, 3])])).toEqual([
    { id: 12, tasks: [1, 3] },
    { id: 13, tasks: null },
  ]);
  expect(subjectsOf([one(12, [3]), one(12, null)])).toEqual([{ id: 12, tasks: null }]);
  expect(nameOfScope(12, [0, 1, 2, 7])).toBe("12.0-2,7");
});

test("a verb says how many tasks it met, and what became of the others", () => {
  const words = {
    done: "Held",
    nothing: "Nothing to hold in",
    passedOver: ["has already started", "have already started"] satisfies [string, string],
  };
  const line = (asked: number, passedOver: number, alreadyFinal: number) =>
    controlLine({ id: 12, asked, passedOver, alreadyFinal }, asked + passedOver + alreadyFinal, words);
  expect(line(1, 0, 0)).toBe("Held job 12");
  expect(line(3, 0, 21)).toBe("Held 3 tasks of job 12; 21 had already ended");
  expect(line(1, 2, 0)).toBe("Held 1 task of job 12; 2 have already started");
  expect(line(0, 1, 0)).toBe("Nothing to hold in job 12: it has already started");
  expect(line(0, 0, 1)).toBe("Nothing to hold in job 12: it has already ended");
  expect(line(0, 0, 24)).toBe("Nothing to hold in job 12: all 24 tasks have already ended");
  expect(line(0, 2, 1)).toBe(
    "Nothing to hold in job 12: 2 tasks have already started, 1 task has already ended",
  );
});

test("cleaning reports every job and the sum", () => {
  const report = {
    jobs: [{ id: 3, name: "fit", state: "failed" as const, bytes: 2048 }],
    snapshots: [{ name: "ab", bytes: 1024 }],
    runtimes: [],
    bytes: 3072,
  };
  expect(renderClean(report, style, { dryRun: true })).toBe(
    "  job 3 (fit): failed, 2.0 KiB\nWould remove 1 job and 1 snapshot: 3.0 KiB",
  );
  expect(summaryOfClean({ jobs: [], snapshots: [], runtimes: [], bytes: 0 })).toBe("0 jobs: 0 B");
});
