import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { addCancelled, addHeld, addInterrupt, type Interrupt, removeHeld } from "../../src/store/jobs.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import {
  againsOf,
  LEAVES,
  logOf,
  makeJob,
  recordsOf,
  resultOf,
  resultsOf,
  runJob,
  startWorker,
  whenReady,
} from "./job.ts";

const DEAF = ["sh", "-c", "test $JOBX_ATTEMPT -gt 0 && exit 0; echo ready; exec sleep 300"];

/** What a scheduler's script says to the worker of an element; being asked to run it again leaves a file. */
function allocation(home: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    JOBX_ELEMENT: "0",
    JOBX_REQUEUE_COMMAND: JSON.stringify(["sh", "-c", `echo asked >> '${home}/requeue'`]),
    ...more,
  };
}

describe("an element of a scheduler's array", () => {
  test("runs its own tasks, as many at once as were packed, and keeps their records together", async () => {
    const home = tempDir();
    const tasks = Array.from({ length: 5 }, () => ({}));
    const dir = makeJob(home, { argv: ["true"], tasks, run: { pack: { tasks: 3, slots: 2 } } });
    expect(await runJob(dir, allocation(home, { JOBX_ELEMENT: "1" }))).toBe(0);
    expect(resultsOf(dir).map(({ task }) => task)).toEqual([3, 4]);
    expect(existsSync(join(dir, "results/0/1.0.0.seg"))).toBe(true);
    expect(existsSync(join(home, "requeue"))).toBe(false);
  });

  test("shares its GPUs out to the tasks that run at once", async () => {
    const home = tempDir();
    const argv = [
      "sh",
      "-c",
      `echo $CUDA_VISIBLE_DEVICES; touch ${home}/$JOBX_TASK; until test -e ${home}/0 -a -e ${home}/1; do sleep 0.01; done`,
    ];
    const dir = makeJob(home, {
      argv,
      tasks: [{}, {}],
      resources: { gpus: { count: 2 } },
      run: { pack: { tasks: 2, slots: 2 } },
    });
    expect(await runJob(dir, allocation(home, { CUDA_VISIBLE_DEVICES: "4,5,6,7" }))).toBe(0);
    const seen = [0, 1].map((task) => logOf(dir, task, "out", 2).trim());
    expect(seen.sort()).toEqual(["4,5", "6,7"]);
  });

  test("tells tasks the hosts of the allocation, and none of what the script said to the worker", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: ["env"], environment: { JOBX_ELEMENT: "5" } });
    await runJob(dir, allocation(home, { JOBX_HOSTLIST: "tux[1-3]" }));
    const lines = logOf(dir).split("\n");
    expect(lines).toContain("JOBX_HOSTNAMES=tux1,tux2,tux3");
    expect(lines).toContain("JOBX_NUM_NODES=3");
    expect(lines.filter((line) => /^JOBX_(ELEMENT|REQUEUE|HOSTLIST)/.test(line))).toEqual([]);
  });

  test("counts the scheduler's restarts, should the file system be slow to show an earlier run", async () => {
    const home = tempDir();
    const dir = makeJob(home, {});
    await runJob(dir, allocation(home, { JOBX_RESTARTS: "2" }));
    expect(existsSync(join(dir, "results/0/0.2.0.seg"))).toBe(true);
  });
});

describe("a warning inside an allocation", () => {
  test("lets tasks leave, starts none, and has the scheduler run the element again", async () => {
    const home = tempDir();
    const dir = makeJob(home, {
      argv: LEAVES,
      tasks: [{}, {}],
      run: { pack: { tasks: 2, slots: 1 } },
    });
    const worker = await whenReady(dir, allocation(home), 2);
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(75);
    expect(readFileSync(join(home, "requeue"), "utf8")).toBe("asked\n");
    expect(recordsOf(dir).filter(({ task }) => task === 1)).toEqual([]);
    expect(againsOf(dir)).toMatchObject([{ task: 0, attempt: 0, why: "preempted", exitCode: 85 }]);
    const again = startWorker(dir, allocation(home, { JOBX_RESTARTS: "1" }));
    await eventually(() => logOf(dir, 1, "out", 2).includes("ready"));
    again.signal("SIGUSR2");
    expect(await again.ended).toBe(75);
    expect(await runJob(dir, allocation(home, { JOBX_RESTARTS: "2" }))).toBe(0);
    expect(resultsOf(dir).map(({ attempt }) => attempt)).toEqual([1, 1]);
  });

  test("asks for nothing when the tasks end all the same", async () => {
    const home = tempDir();
    const dir = makeJob(home, {
      argv: ["sh", "-c", "trap 'exit 0' USR2; echo ready; while :; do sleep 0.05; done"],
    });
    const worker = await whenReady(dir, allocation(home));
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(0);
    expect(existsSync(join(home, "requeue"))).toBe(false);
  });

  test("spares a program that does not listen, below a shell that does", async () => {
    const home = tempDir();
    const until = (file: string) => `until test -e ${home}/${file}; do sleep 0.05; done`;
    const listener = `trap "echo told; exit" USR2; ${until("started")}; echo ready; ${until("never")}`;
    const program = `touch ${home}/started; ${until("go")}`;
    const script = `trap 'echo heard' USR2; sh -c '${listener}' & sh -c '${program}'; echo ended by $?; wait`;
    const dir = makeJob(home, { argv: ["bash", "-c", script] });
    const worker = await whenReady(dir, allocation(home));
    worker.signal("SIGUSR2");
    await eventually(() => logOf(dir).includes("told"));
    writeFileSync(join(home, "go"), "");
    expect(await worker.ended).toBe(0);
    expect(logOf(dir)).toEndWith("told\nheard\nended by 0\n");
  });

  test("followed by SIGTERM leaves it to the scheduler to run the element again", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: DEAF });
    const worker = await whenReady(dir, allocation(home));
    worker.signal("SIGUSR2");
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(75);
    expect(existsSync(join(home, "requeue"))).toBe(false);
    expect(againsOf(dir)).toMatchObject([{ why: "preempted", reason: "ended by the scheduler (SIGTERM)" }]);
  });
});

describe("a warning where nothing has the scheduler run the element again", () => {
  const alone = { JOBX_ELEMENT: "0" };
  const script = "trap 'exit 0' USR2; echo ready; test $JOBX_TASK = 1 || while :; do sleep 0.05; done";
  const run = { pack: { tasks: 2, slots: 1 }, requeue: false };

  test("keeps no task from starting", async () => {
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", script], tasks: [{}, {}], run });
    const worker = await whenReady(dir, alone, 2);
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(0);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  });

  test("does where the limit is near", async () => {
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", script], tasks: [{}, {}], run });
    const worker = await whenReady(dir, { ...alone, JOBX_ELEMENT_SECONDS: "60" }, 2);
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(75);
    expect(resultsOf(dir).map(({ task }) => task)).toEqual([0]);
  });
});

describe("jobx interrupt", () => {
  const staying = "trap 'echo warned' USR2; echo ready; while :; do sleep 0.05; done";
  const argv = ["sh", "-c", `test $JOBX_ATTEMPT -gt 0 && exit 0; ${staying}`];
  const run = { requeue: true, signalDelaySeconds: 0.5 };
  const interrupt: Interrupt = { tasks: [0], kind: "preempted", signalled: true };

  test("ends what stays after the notice and may run again, as soon as the folder tells whose the signal is", async () => {
    for (const isLate of [false, true]) {
      const home = tempDir();
      const dir = makeJob(home, { argv, run });
      const worker = await whenReady(dir, allocation(home));
      if (!isLate) addInterrupt(dir, interrupt);
      worker.signal("SIGUSR2");
      await eventually(() => logOf(dir).includes("warned"));
      if (isLate) addInterrupt(dir, interrupt);
      expect(await worker.ended).toBe(75);
      expect(logOf(dir)).toBe("ready\nwarned\n");
      expect(againsOf(dir)).toMatchObject([
        { why: "preempted", reason: "preempted (asked for with interrupt)" },
      ]);
      expect(readFileSync(join(home, "requeue"), "utf8")).toBe("asked\n");
    }
  });

  test("leaves it alone where the signal is the scheduler's own", async () => {
    const home = tempDir();
    const script = "trap 'warned=yes' USR2; echo ready; until test $warned; do sleep 0.05; done; sleep 1";
    const dir = makeJob(home, { argv: ["sh", "-c", script], run });
    const worker = await whenReady(dir, allocation(home));
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(0);
    expect(resultOf(dir)).toMatchObject({ status: "succeeded", attempt: 0 });
  });
});

describe("a packed task that is cancelled while it runs", () => {
  test("is ended by its supervisor, which finds that in the job's folder, and the others go on", async () => {
    const home = tempDir();
    const script = `echo ready; until test -e ${home}/go; do sleep 0.05; done`;
    const run = { pack: { tasks: 2, slots: 2 } };
    const dir = makeJob(home, { argv: ["sh", "-c", script], tasks: [{}, {}], run });
    const worker = await whenReady(dir, allocation(home), 2);
    addCancelled(dir, [0]);
    await eventually(() => resultsOf(dir).some(({ task, status }) => task === 0 && status === "cancelled"));
    writeFileSync(join(home, "go"), "");
    expect(await worker.ended).toBe(1);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["cancelled", "succeeded"]);
  });

  test("does not run again either where it was just being ended for something else", async () => {
    const home = tempDir();
    const leaving = `trap 'echo ending' TERM; echo ready; until test -e ${home}/go; do sleep 0.05; done; exit 1`;
    const script = `test $JOBX_TASK = 1 && exec sleep 300; test $JOBX_ATTEMPT -gt 0 && exit 0; ${leaving}`;
    const run = { pack: { tasks: 2, slots: 2 }, requeue: true };
    const dir = makeJob(home, { argv: ["sh", "-c", script], tasks: [{}, {}], run });
    const worker = await whenReady(dir, allocation(home), 2);
    addInterrupt(dir, { tasks: [0], kind: "preempted", signalled: false });
    await eventually(() => logOf(dir, 0, "out", 2).includes("ending"));
    addCancelled(dir, [0, 1]);
    await eventually(() => resultsOf(dir).some(({ task }) => task === 1));
    writeFileSync(join(home, "go"), "");
    expect(await worker.ended).toBe(1);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
    expect(againsOf(dir)).toEqual([]);
  });
});

describe("a warning that may be of a limit that only the scheduler knows", () => {
  const asking = (answer: string) => ({ JOBX_TIME_LEFT_COMMAND: JSON.stringify(["echo", answer]) });

  test("is one of the limit when little time is left, and ends in time what does not listen", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: DEAF, run: { requeue: true, maxTimeouts: 1 } });
    const worker = await whenReady(dir, allocation(home, asking("0:01")));
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(75);
    expect(againsOf(dir)).toMatchObject([{ why: "timeout", reason: expect.stringContaining("time limit") }]);
  });

  test("does not show in the task's environment", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: ["sh", "-c", "env"] });
    const env = allocation(home, { ...asking("0:01"), JOBX_ELEMENT_SECONDS: "600" });
    expect(await runJob(dir, env)).toBe(0);
    expect(logOf(dir, 0, "out")).not.toMatch(/JOBX_(TIME_LEFT|REQUEUE|ELEMENT)/);
  });

  test("ends what has timed out often enough", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: DEAF, run: { requeue: true, maxTimeouts: 0 } });
    const worker = await whenReady(dir, allocation(home, asking("0:01")));
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "timeout" });
  });

  test.each(["1-00:00:00", "UNLIMITED", ""])("is one of a preemption when %p is left", async (answer) => {
    const home = tempDir();
    const dir = makeJob(home, { argv: DEAF, run: { requeue: true, maxTimeouts: 0 } });
    const worker = await whenReady(dir, allocation(home, asking(answer)));
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(75);
    expect(againsOf(dir)).toMatchObject([{ why: "preempted" }]);
  });
});

describe("a warning of the time limit", () => {
  test("counts as a timeout, and the element is run again", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: LEAVES, run: { maxTimeouts: 1 } });
    const worker = await whenReady(dir, allocation(home));
    worker.signal("SIGUSR1");
    expect(await worker.ended).toBe(75);
    expect(againsOf(dir)).toMatchObject([{ why: "timeout", exitCode: 85 }]);
    expect(existsSync(join(home, "requeue"))).toBe(true);
  });
});

describe("the end of an allocation", () => {
  test("is the end of tasks that may not run again, which a second run records", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: DEAF });
    const worker = await whenReady(dir, allocation(home));
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(75);
    expect(resultsOf(dir)).toEqual([]);
    expect(await runJob(dir, allocation(home))).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "failed", attempt: 0 });
    expect(resultOf(dir).reason).toContain("neither --requeue nor a checkpoint");
  });

  test("is followed by another attempt where --requeue allows it, or a checkpoint", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: DEAF, run: { requeue: true } });
    const worker = await whenReady(dir, allocation(home));
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(75);
    expect(await runJob(dir, allocation(home))).toBe(0);
    expect(resultOf(dir)).toMatchObject({ status: "succeeded", attempt: 1 });
  });

  test("uses a retry up where nothing else allows another attempt, once, however often the element begins", async () => {
    const home = tempDir();
    const argv = ["sh", "-c", "echo ready $JOBX_ATTEMPT; exec sleep 300"];
    const dir = makeJob(home, { argv, run: { retries: 1 } });
    const endOnce = async (isThere: () => boolean) => {
      const worker = startWorker(dir, allocation(home));
      await eventually(isThere);
      worker.signal("SIGTERM");
      expect(await worker.ended).toBe(75);
    };
    await endOnce(() => logOf(dir).includes("ready 0"));
    addHeld(dir, null);
    await endOnce(() => againsOf(dir).length === 2);
    removeHeld(dir, null);
    await endOnce(() => logOf(dir).includes("ready 1"));
    expect(await runJob(dir, allocation(home))).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "failed", attempt: 1 });
    const agains = againsOf(dir).map(({ attempt, why }) => `${attempt} ${why}`);
    expect(agains.sort()).toEqual(["0 failed", "0 preempted", "1 preempted"]);
  });

  test("is a cancellation for tasks that jobx was asked to cancel", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: DEAF, run: { requeue: true } });
    const worker = await whenReady(dir, allocation(home));
    addCancelled(dir, null);
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "cancelled" });
  });
});

describe("a time limit inside an allocation", () => {
  const SLOW = ["sh", "-c", "echo run >> $JOBX_CHECKPOINT_DIR/state; exec sleep 300"];
  const limited = { timeSeconds: 0.3 };
  const almostAll = { timeSeconds: 0.6 };

  test("has the element run again when the time left is too short, as often as timeouts are allowed", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: SLOW, resources: almostAll, run: { maxTimeouts: 1 } });
    const env = allocation(home, { JOBX_ELEMENT_SECONDS: "1" });
    expect(await runJob(dir, env)).toBe(75);
    expect(againsOf(dir)).toMatchObject([{ attempt: 0, why: "timeout" }]);
    expect(await runJob(dir, env)).toBe(1);
    expect(resultOf(dir)).toMatchObject({ attempt: 1, status: "timeout" });
    expect(readFileSync(join(home, "requeue"), "utf8")).toBe("asked\n");
  });

  test("is followed by the next attempt in place while there is time", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: SLOW, resources: limited, run: { maxTimeouts: 1 } });
    expect(await runJob(dir, allocation(home, { JOBX_ELEMENT_SECONDS: "600" }))).toBe(1);
    expect(resultOf(dir)).toMatchObject({ attempt: 1, status: "timeout" });
    expect(existsSync(join(home, "requeue"))).toBe(false);
  });

  test("is never cut short for an attempt in place: where it does not fit, the element is run again", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: SLOW, resources: { timeSeconds: 2 }, run: { maxTimeouts: 2 } });
    expect(await runJob(dir, allocation(home, { JOBX_ELEMENT_SECONDS: "5" }))).toBe(75);
    expect(againsOf(dir)).toMatchObject([
      { attempt: 0, why: "timeout", reason: "reached its time limit of 2s; retry with a longer --time" },
    ]);
  });

  test("is not cut short for a retry that waited for other tasks: the element is run again for it", async () => {
    const home = tempDir();
    const script = "test $JOBX_ATTEMPT -gt 0 && exit 0; test $JOBX_TASK = 0 && exit 3; sleep 1";
    const argv = ["sh", "-c", script];
    const run = { pack: { tasks: 2, slots: 1 }, retries: 1 };
    const dir = makeJob(home, { argv, tasks: [{}, {}], resources: { timeSeconds: 2 }, run });
    const env = allocation(home, { JOBX_ELEMENT_SECONDS: "5" });
    expect(await runJob(dir, env)).toBe(75);
    expect(resultsOf(dir)).toMatchObject([{ task: 1, status: "succeeded" }]);
    expect(againsOf(dir)).toMatchObject([{ task: 0, attempt: 0, why: "failed" }]);
    expect(readFileSync(join(home, "requeue"), "utf8")).toBe("asked\n");
    expect(await runJob(dir, { ...env, JOBX_RESTARTS: "1" })).toBe(0);
    expect(resultsOf(dir)).toMatchObject([{ attempt: 1, status: "succeeded" }, { task: 1 }]);
  });

  test("is the task's end when the scheduler refuses to run the element again", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: SLOW, resources: almostAll });
    const script = join(home, "refuse");
    writeFileSync(script, "#!/bin/sh\necho 'Requested operation is disabled' >&2\nexit 1\n", { mode: 0o755 });
    const env = { JOBX_ELEMENT_SECONDS: "1", JOBX_REQUEUE_COMMAND: JSON.stringify([script]) };
    const worker = startWorker(dir, allocation(home, env));
    expect(await worker.ended).toBe(75);
    expect(resultOf(dir)).toMatchObject({ status: "timeout" });
    expect(resultOf(dir).reason).toContain("Requested operation is disabled");
    expect(worker.errors()).toContain("Requested operation is disabled");
  }, 20_000);
});
