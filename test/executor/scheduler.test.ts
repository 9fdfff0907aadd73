import { describe, expect, spyOn, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";

import { maxAgeMs, sharedAnswer } from "../../src/executor/scheduler/answers.ts";
import { defineScheduler } from "../../src/executor/scheduler/define.ts";
import type { SchedulerDefinition } from "../../src/executor/scheduler/definition.ts";
import type { Target } from "../../src/executor/scheduler/native.ts";
import { elementResources } from "../../src/executor/scheduler/shape.ts";
import { splitArray } from "../../src/executor/scheduler/split.ts";
import { addCancelled, addHeld, writeSpec } from "../../src/store/jobs.ts";
import { jobFiles } from "../../src/store/layout.ts";
import { FakeCommands, nativeOf, refFor, requestFor } from "../helpers/scheduler.ts";
import { tempDir } from "../helpers/temp.ts";

describe("a job is split", () => {
  test("only when it is larger than one array may be", () => {
    expect(splitArray(1001, 1001, 5)).toEqual([
      { firstElement: 0, elements: 1001, parallel: 5, behind: null, digits: 0 },
    ]);
    expect(
      splitArray(2500, 1001, null).map((part) => [part.firstElement, part.elements, part.digits]),
    ).toEqual([
      [0, 1000, 3],
      [1000, 1000, 3],
      [2000, 500, 3],
    ]);
  });

  test("with its throttle shared out, never more in sum than was asked for", () => {
    const parts = splitArray(2500, 1001, 8);
    expect(parts.map((part) => part.parallel)).toEqual([3, 3, 2]);
    expect(parts.every((part) => part.behind === null)).toBe(true);
  });

  test("into lanes where there are more parts than elements may run at once", () => {
    const parts = splitArray(5000, 1001, 2);
    expect(parts.map((part) => part.parallel)).toEqual([1, 1, 1, 1, 1]);
    expect(parts.map((part) => part.behind)).toEqual([null, null, 0, 1, 2]);
  });
});

test("an element of several tasks asks for all of them, and for nothing that was not asked for", () => {
  const packed = (resources: object, tasks: number, slots: number) =>
    elementResources(requestFor(tempDir(), 100, { resources, run: { pack: { tasks, slots } } }).spec);
  expect(packed({ timeSeconds: 60, memBytes: 1024, gpus: { count: 1 }, cpus: 2 }, 10, 4)).toEqual({
    timeSeconds: 3 * 65,
    memBytes: 4096,
    gpus: { count: 4 },
    cpus: 8,
  });
  expect(packed({}, 10, 1)).toEqual({});
  expect(packed({}, 10, 2)).toEqual({ cpus: 2 });
  expect(packed({ timeSeconds: 60 }, 1, 1)).toEqual({ timeSeconds: 60 });
});

describe("answers", () => {
  test("may be 2 s old at first and a minute old later", () => {
    expect([0, 5_000, 60_000, 3_600_000].map(maxAgeMs)).toEqual([2_000, 2_000, 6_000, 60_000]);
  });

  test("are shared: of fifty that ask at once, one asks the scheduler", async () => {
    const home = tempDir();
    let asked = 0;
    const ask = async () => {
      asked++;
      await Bun.sleep(20);
      return [];
    };
    const all = Array.from({ length: 50 }, () =>
      sharedAnswer(home, "toy", null, { maxAgeMs: 60_000, after: 0, ask }),
    );
    await Promise.all(all);
    expect(asked).toBe(1);
  });

  test("for some ids do not do for others, and the next question is about all of them", async () => {
    const home = tempDir();
    const asked: (string[] | null)[] = [];
    const ask = async (ids: string[] | null) => {
      asked.push(ids);
      return [];
    };
    for (const id of ["1", "2", "1"]) {
      await sharedAnswer(home, "toy", [id], { maxAgeMs: 60_000, after: 0, ask });
    }
    expect(asked).toEqual([["1"], ["2", "1"]]);
  });

  test("that failed are kept as well, so that a scheduler that is down is left in peace", async () => {
    const home = tempDir();
    let asked = 0;
    const ask = () => {
      asked++;
      return Promise.reject(new Error("down"));
    };
    for (let i = 0; i < 3; i++) {
      const answer = await sharedAnswer(home, "toy", null, { maxAgeMs: 60_000, after: 0, ask });
      expect(answer.failure).toBe("down");
    }
    expect(asked).toBe(1);
  });

  test("come from the scheduler where the home cannot be written to", async () => {
    const answer = await sharedAnswer("/proc/nowhere", "toy", null, {
      maxAgeMs: 60_000,
      after: 0,
      ask: async () => [],
    });
    expect(answer.rows).toEqual([]);
  });
});

describe("submitting", () => {
  test("writes the script, and gives what the scheduler said", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, () => ({ stdout: "hello\n77\n" }));
    const request = requestFor(home, 3);
    const { natives } = await scheduler().submit(request, toy.context);
    expect(natives).toMatchObject([{ id: "77", cluster: null, firstElement: 0, elements: 3 }]);
    expect(readFileSync(jobFiles.script(request.dir), "utf8")).toBe("#!/bin/sh\n");
    expect(existsSync(jobFiles.logs(request.dir))).toBe(true);
  });

  test("tries again what passes, and gives up with the scheduler's own words", async () => {
    const home = tempDir();
    const answers = [{ code: 1, stderr: "busy" }, { code: 1, stderr: "busy" }, { stdout: "78" }];
    const toy = new FakeCommands(home, () => answers.shift() ?? {});
    expect((await scheduler().submit(requestFor(home, 1), toy.context)).natives[0]?.id).toBe("78");
    const busy = new FakeCommands(home, () => ({ code: 1, stderr: "busy" }));
    await expect(scheduler().submit(requestFor(home, 1), busy.context)).rejects.toMatchObject({
      code: "REFUSED",
      message: "toy did not accept the job: busy",
    });
    expect(busy.callsOf("sub")).toHaveLength(3);
    const no = new FakeCommands(home, () => ({ code: 1, stderr: "no such queue" }));
    await expect(scheduler().submit(requestFor(home, 1), no.context)).rejects.toThrow("no such queue");
    expect(no.callsOf("sub")).toHaveLength(1);
  });

  test("says at once, and once, that the scheduler's command tries again by itself", async () => {
    const toy = new FakeCommands(tempDir(), () => ({}));
    const { context } = toy;
    const notes: string[][] = [];
    context.run = async (_argv, options) => {
      for (const stderr of [
        "a word\n",
        "a word\nbusy, sleeping\n",
        "a word\nbusy, sleeping\nbusy, sleeping\n",
      ]) {
        options?.onError?.(stderr);
        notes.push([...toy.notes]);
      }
      return { code: 0, stdout: "80\n", stderr: "" };
    };
    await scheduler({ limits: undefined }).submit(requestFor(tempDir(), 1), context);
    const told = ["toy is busy or down, trying again: busy, sleeping"];
    expect(notes).toEqual([[], told, told]);
  });

  test("never happens twice: a job that was accepted although the answer was lost is found", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, ([command]) =>
      command === "find" ? { stdout: "79 T0ken" } : { code: 1, stderr: "lost in the wire" },
    );
    const { natives } = await scheduler().submit(requestFor(home, 1), toy.context);
    expect(natives).toMatchObject([{ id: "79" }]);
    expect(toy.callsOf("sub")).toHaveLength(1);
    const silent = new FakeCommands(home, ([command]) =>
      command === "find" ? {} : new Error("no answer in time"),
    );
    await expect(scheduler().submit(requestFor(home, 1), silent.context)).rejects.toMatchObject({
      code: "UNREACHABLE",
    });
    expect(silent.callsOf("sub")).toHaveLength(1);
  });

  test.each([
    ["says that it was lost", { code: 1, stderr: "it was lost" }],
    ["has no id", { stdout: "it was lost" }],
  ])("never happens twice where nothing finds a job by its token, and the answer %s", async (_, answer) => {
    const toy = new FakeCommands(tempDir(), () => answer);
    const submitted = scheduler({ find: undefined }).submit(requestFor(tempDir(), 1), toy.context);
    await expect(submitted).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: "toy may have accepted the job or not: it was lost",
      hint: expect.stringContaining("by toy's own commands"),
    });
    expect(toy.callsOf("sub")).toHaveLength(1);
  });

  test("is a job for each task where the scheduler has no arrays, which wait for each other only by dependencies", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, ([, words]) => ({ stdout: `${words?.split("+")[0]}7` }));
    const plain = scheduler({ capabilities: {}, limits: undefined });
    const { natives } = await plain.submit(requestFor(home, 3), toy.context);
    expect(toy.callsOf("sub").map(([, words]) => words)).toEqual(["0+1", "1+1", "2+1"]);
    expect(natives.map(({ firstElement, elements }) => [firstElement, elements])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
    const { spec } = requestFor(home, 3, { run: { parallel: 2 } });
    await expect(plain.validate?.(spec, toy.context)).rejects.toThrow("it cannot keep --parallel 2");
    const waiting = scheduler({ capabilities: { dependencies: true }, limits: undefined });
    await expect(waiting.validate?.(spec, toy.context)).resolves.toBeUndefined();
  });

  test("takes back the first parts of a job whose later parts are refused", async () => {
    const home = tempDir();
    let count = 0;
    const toy = new FakeCommands(home, ([command]) => {
      if (command === "limits") return { stdout: "100" };
      if (command !== "sub") return {};
      return ++count < 3 ? { stdout: `${count}` } : { code: 1, stderr: "limit of jobs reached" };
    });
    await expect(scheduler().submit(requestFor(home, 250), toy.context)).rejects.toThrow(
      "limit of jobs reached",
    );
    expect(toy.callsOf("del")).toEqual([["del", "1", "2"]]);
  });
});

describe("status", () => {
  test("asks later stages only about what the first one leaves open", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, ([command]) => ({
      stdout: command === "queue" ? "1 0-2 running" : "1 3 failed",
    }));
    const statuses = await scheduler().status([refFor(requestFor(home, 4), [nativeOf("1", 4)])], toy.context);
    expect(statuses.map(({ element, state }) => [element, state])).toEqual([
      [0, "running"],
      [1, "running"],
      [2, "running"],
      [3, "failed"],
    ]);
    expect(toy.calls).toEqual([["limits"], ["queue"], ["history", "1"]]);
  });

  test("tells an element that alone is gone from an array that is", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, ([command]) => ({
      stdout: command === "queue" ? "1 0,2 running" : "",
    }));
    const jobs = [
      refFor(requestFor(home, 3), [nativeOf("1", 3)]),
      refFor(requestFor(home, 1, { id: 13 }), [nativeOf("2", 1)]),
    ];
    const statuses = await scheduler().status(jobs, toy.context);
    const gone = statuses.filter(({ state }) => state === "unknown").map(({ reason }) => reason);
    expect(gone).toEqual([
      "toy has forgotten element 1 of 1 alone, as when it was cancelled there while it waited, and it left no record",
      "toy does not know 2 any more, and it left no record",
    ]);
  });

  test("goes by the cluster's name that was known, while the scheduler is too slow to say it again", async () => {
    const home = tempDir();
    const native = { ...nativeOf("1", 1), cluster: "there" };
    const job = refFor(requestFor(home, 1), [native]);
    const limits = { argv: ["limits"], parse: () => ({ cluster: "here", maxArraySize: null }) };
    const onCluster = (argv: string[], cluster: string) => [...argv, "on", cluster];
    const executor = scheduler({ limits, onCluster });
    let isSlow = false;
    const toy = new FakeCommands(home, ([command]) =>
      command === "limits" && isSlow ? new Error("slow") : {},
    );
    await executor.status([job], toy.context);
    isSlow = true;
    // Two hours later.
    const later = spyOn(Date, "now").mockReturnValue(Date.now() + 7_200_000);
    try {
      await executor.status([job], toy.context);
    } finally {
      later.mockRestore();
    }
    expect(toy.callsOf("queue")).toEqual([
      ["queue", "on", "there"],
      ["queue", "on", "there"],
    ]);
    const nobody = new FakeCommands(tempDir(), ([command]) =>
      command === "limits" ? new Error("slow") : {},
    );
    await executor.status([job], nobody.context);
    expect(nobody.callsOf("queue")).toEqual([["queue", "on", "there"]]);
  });

  test("does not ask about elements that have their records", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, () => ({}));
    const ref = { ...refFor(requestFor(home, 4), [nativeOf("1", 4)]), isOpen: () => false };
    expect(await scheduler().status([ref], toy.context)).toEqual([]);
    expect(toy.callsOf("queue")).toEqual([]);
  });

  test("takes a job that was submitted after the answer for one that waits", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, () => ({}));
    const older = refFor(requestFor(home, 1), [nativeOf("1", 1)]);
    expect(await scheduler().status([older], toy.context)).toMatchObject([{ state: "unknown" }]);
    const newer = refFor(requestFor(home, 1, { id: 13 }), [nativeOf("2", 1, -0.1)]);
    expect(await scheduler().status([newer], toy.context)).toMatchObject([{ state: "queued" }]);
  });

  test.each([
    ["gave 5 instead of rows from", 5],
    ["gave {} instead of rows from", {}],
    ["gave 7 as a row from", [7]],
    ["gave undefined as a row from", [undefined]],
    ['gave {"id":"77"} as a row from', [{ id: "77" }]],
  ])("is an error that names the parser where that %s it", async (what, nonsense) => {
    const home = tempDir();
    const toy = new FakeCommands(home, () => ({}));
    const broken = scheduler({
      status: [
        {
          name: "queue",
          scope: "user",
          argv: () => [["queue"]],
          parse: () => Object(nonsense),
        },
      ],
    });
    const status = broken.status([refFor(requestFor(home, 1), [nativeOf("1", 1)])], toy.context);
    await expect(status).rejects.toMatchObject({
      message: `The plugin toy ${what} queue.parse`,
      hint: expect.stringContaining("jobx plugins test toy"),
    });
  });

  test("is an error while the first stage gives no answer, and goes on without a later one", async () => {
    const home = tempDir();
    const ref = refFor(requestFor(home, 1), [nativeOf("1", 1)]);
    const down = new FakeCommands(home, () => ({ code: 1, stderr: "down" }));
    await expect(scheduler().status([ref], down.context)).rejects.toMatchObject({ code: "UNREACHABLE" });
    const other = tempDir();
    const half = new FakeCommands(other, ([command]) =>
      command === "queue" ? {} : { code: 1, stderr: "disabled" },
    );
    const found = await scheduler().status([refFor(requestFor(other, 1), [nativeOf("1", 1)])], half.context);
    expect(found).toMatchObject([{ state: "unknown", reason: expect.stringContaining("disabled") }]);
  });
});

describe("a verb", () => {
  test("leaves alone what the scheduler does not know, and tells all the rest at once", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, ([command]) =>
      command === "queue" ? { stdout: "1 0-2 running\n2 - queued" } : {},
    );
    const selections = ["1", "2", "3"].map((id, at) => ({
      job: refFor(requestFor(home, 3, { id: 12 + at }), [nativeOf(id, 3)]),
      tasks: id === "1" ? [1] : null,
    }));
    await scheduler().cancel(selections, toy.context);
    expect(toy.callsOf("del")).toEqual([["del", "1.1", "2"]]);
  });

  test("tells of a packed element only when all of its tasks are meant", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, ([command]) =>
      command === "queue" ? { stdout: "1 0-1 running" } : {},
    );
    const request = requestFor(home, 8, { run: { pack: { tasks: 4, slots: 1 } } });
    const job = refFor(request, [nativeOf("1", 2)]);
    await scheduler().cancel([{ job, tasks: [0, 4, 5, 6, 7] }], toy.context);
    expect(toy.callsOf("del")).toEqual([["del", "1.1"]]);
  });

  test("tells of a packed element when the last of its tasks is cancelled, and when the first is released", async () => {
    const home = tempDir();
    const toy = new FakeCommands(home, ([command]) =>
      command === "queue" ? { stdout: "1 0-1 queued" } : {},
    );
    const request = requestFor(home, 8, { run: { pack: { tasks: 4, slots: 1 } } });
    writeSpec(request.dir, request.spec);
    const job = refFor(request, [nativeOf("1", 2)]);
    const indices = (verb: string) => (targets: Target[]) => [
      [verb, ...targets.flatMap((one) => one.indices ?? [])].map(String),
    ];
    const executor = scheduler({ hold: indices("hold"), release: indices("release") });
    for (const tasks of [[0, 1, 2], [3]]) {
      addCancelled(request.dir, tasks);
      await executor.cancel([{ job, tasks }], toy.context);
    }
    expect(toy.callsOf("del")).toEqual([["del", "1.0"]]);
    for (const tasks of [
      [4, 5],
      [6, 7],
    ]) {
      addHeld(request.dir, tasks);
      await executor.hold?.([{ job, tasks }], toy.context);
    }
    expect(toy.callsOf("hold")).toEqual([["hold", "1"]]);
    await executor.release?.([{ job, tasks: [6] }], toy.context);
    expect(toy.callsOf("release")).toEqual([["release", "1"]]);
  });
});

/** A scheduler of few words: `queue` prints "ID INDICES STATE". */
function scheduler(changes: Partial<SchedulerDefinition> = {}) {
  const parse: SchedulerDefinition["status"][number]["parse"] = (results) =>
    results.flatMap(({ code, stdout, stderr }) => {
      if (code !== 0) throw new Error(stderr);
      return stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
          const [id = "", indices = "", word = ""] = line.split(" ");
          const state = word === "running" || word === "failed" ? word : "queued";
          const nothing = { reason: null, exitCode: null, signal: null, node: null, submitted: null };
          const rest = { ...nothing, startsAt: null, endedAt: null, command: null, isVague: false };
          return { id, indices: indices === "-" ? null : indices, state, native: word, ...rest } as const;
        });
    });
  return defineScheduler({
    name: "toy",
    description: "For tests",
    detect: ["true"],
    script: () => "#!/bin/sh\n",
    submit: {
      argv: (array) => ["sub", `${array.firstElement}+${array.elements}`],
      parse: (stdout) => {
        const id = /^\d+$/m.exec(stdout)?.[0];
        return id === undefined ? null : { id, cluster: null };
      },
    },
    status: [
      { name: "queue", scope: "user", argv: () => [["queue"]], parse },
      { name: "history", scope: "ids", argv: ({ ids }) => [["history", ...ids]], parse },
    ],
    cancel: (targets) => [
      [
        "del",
        ...targets.flatMap(
          ({ native, indices }) => indices?.map((index) => `${native.id}.${index}`) ?? [native.id],
        ),
      ],
    ],
    goneErrors: [/gone/],
    limits: {
      argv: ["limits"],
      parse: (stdout) => ({ cluster: null, maxArraySize: stdout.includes("100") ? 100 : null }),
    },
    find: {
      argv: () => ["find"],
      parse: (stdout, token) =>
        stdout.includes(token)
          ? [
              {
                id: stdout.split(" ")[0] ?? "",
                submitted: "2026-11-22T18:00:00Z",
                firstElement: 0,
                elements: 1,
              },
            ]
          : [],
    },
    transientErrors: [/busy/, /lost/],
    capabilities: { arrays: true },
    uncertainErrors: [/lost/],
    retryDelaysMs: [1, 1],
    environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
    ...changes,
  });
}
