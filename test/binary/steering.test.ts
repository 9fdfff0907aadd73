import { expect, test } from "bun:test";

import { eventually } from "../helpers/eventually.ts";
import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

type Control = { asked: number; passedOver: number; alreadyFinal: number };

async function control(...argv: string[]): Promise<Control | undefined> {
  const [one] = await jobx.json<Control[]>(argv);
  return one && { asked: one.asked, passedOver: one.passedOver, alreadyFinal: one.alreadyFinal };
}

async function untilRunning(id: string): Promise<void> {
  await eventually(
    async () => (await jobx.json<{ counts: { running: number } }>(["status", id])).counts.running === 1,
    { what: "one task runs" },
  );
}

test("hold, release and interrupt count the tasks that they mean something to", async () => {
  const id = await jobx.submit(["--array", "0-2", "--parallel", "1", "--", "sleep", "60"]);
  await untilRunning(id);
  expect(await control("hold", id)).toEqual({ asked: 2, passedOver: 1, alreadyFinal: 0 });
  expect(await jobx.ok(["hold", `${id}.0`])).toBe(
    `Nothing to hold in job ${id}: 1 task has already started\n`,
  );
  expect(await control("release", id)).toEqual({ asked: 2, passedOver: 1, alreadyFinal: 0 });
  expect(await jobx.ok(["release", id])).toContain(`Nothing to release in job ${id}: 3 tasks are not held`);
  expect(await control("interrupt", id)).toEqual({ asked: 1, passedOver: 2, alreadyFinal: 0 });
  await jobx.ok(["cancel", id]);
});

test("a single task that runs cannot be held, and the answer says so", async () => {
  const id = await jobx.submit(["--", "sleep", "60"]);
  await untilRunning(id);
  expect(await jobx.ok(["hold", id])).toBe(`Nothing to hold in job ${id}: it has already started\n`);
  await jobx.ok(["cancel", id]);
});
