import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Clock } from "../../src/worker/clock.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import { makeJob, resultsOf, whenReady } from "./job.ts";

describe("the clock of deadlines", () => {
  function clockAt(times: { now: number }) {
    const clock = new Clock(() => times.now);
    const unwatch = clock.watch();
    return Object.assign(clock, { [Symbol.dispose]: unwatch });
  }

  test("stands still while the process is stopped", () => {
    const times = { now: 1000 };
    using clock = clockAt(times);
    times.now += 60_000;
    expect(clock.isUnsure()).toBe(true);
    clock.continued();
    expect(clock.isUnsure()).toBe(false);
    // When it was stopped is known to half a second.
    expect(Math.abs(clock.now() - 1000)).toBeLessThanOrEqual(250);
  });

  test("goes on while the process is merely busy, also when it is told to continue later", () => {
    const times = { now: 1000 };
    using clock = clockAt(times);
    times.now += 60_000;
    expect(clock.isUnsure()).toBe(true);
    times.now += 200;
    expect(clock.isUnsure()).toBe(false);
    clock.continued();
    expect(clock.now()).toBe(61_200);
  });

  test("goes on when a process is told to continue that was not stopped", () => {
    const times = { now: 1000 };
    using clock = clockAt(times);
    times.now += 400;
    clock.continued();
    expect(clock.now()).toBe(1400);
  });
});

test.each<Record<string, string>>([{}, { JOBX_ELEMENT: "0", JOBX_ELEMENT_SECONDS: "8" }])(
  "the time for which a worker is stopped counts against no limit, of its tasks or its allocation: %p",
  async (env) => {
    const home = tempDir();
    const [overdue, go] = [join(home, "overdue"), join(home, "go")];
    const first = `echo ready; sleep 4; echo > ${overdue}; until test -e ${go}; do sleep 0.05; done; sleep 0.5`;
    const dir = makeJob(home, {
      argv: ["sh", "-c", `test $JOBX_TASK = 1 && exec sleep 2.2; ${first}`],
      tasks: [{}, {}],
      resources: { timeSeconds: 3 },
      run: { pack: { tasks: 2, slots: 1 } },
    });
    const worker = await whenReady(dir, env, 2);
    worker.signal("SIGSTOP");
    await eventually(() => existsSync(overdue));
    worker.signal("SIGCONT");
    writeFileSync(go, "");
    expect(await worker.ended).toBe(0);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  },
);
