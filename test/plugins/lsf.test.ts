import { describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";

import lsf from "../../plugins/lsf.ts";
import type { ElementStatus } from "../../src/executor/contract.ts";
import { validateOptions } from "../../src/executor/options.ts";
import type { JobSpec } from "../../src/model/job.ts";
import { writeNative, writeSpec } from "../../src/store/jobs.ts";
import { jobFiles } from "../../src/store/layout.ts";
import { FakeCommands, nativeOf, refFor, requestFor } from "../helpers/scheduler.ts";
import { tempDir } from "../helpers/temp.ts";

const ACCEPTED = { stdout: "Job <7> is submitted to default queue <normal>.\n" };

describe("bsub is called", () => {
  test("with what was asked for and nothing else", async () => {
    const home = tempDir();
    expect((await submitted({}, 1, home)).join(" ")).toBe(
      `bsub -J train -o /dev/null -r /bin/bash ${home}/jobs/12/submit.sh 0+1 T0ken`,
    );
    expect(await submitted({ run: { requeue: false } })).toContain("-rn");
  });

  test("with CPUs as slots, those of a host side by side", async () => {
    const slots = async (resources: JobSpec["resources"]) => {
      const argv = await submitted({ resources });
      return [after(argv, "-n"), after(argv, "-R")];
    };
    expect(await slots({ timeSeconds: 60 })).toEqual([undefined, undefined]);
    expect(await slots({ cpus: 1 })).toEqual(["1", undefined]);
    expect(await slots({ cpus: 4 })).toEqual(["4", "span[hosts=1]"]);
    expect(await slots({ ranksPerNode: 3, cpus: 2 })).toEqual(["6", "span[hosts=1]"]);
    expect(await slots({ nodes: 2, ranksPerNode: 3, cpus: 2 })).toEqual(["12", "span[ptile=6]"]);
    expect(await slots({ nodes: 3 })).toEqual(["3", "span[ptile=1]"]);
  });

  test("with memory in a unit of its own, whatever the site's is", async () => {
    const resources = { memBytes: 2 ** 30 + 1, cpus: 2 };
    expect(after(await submitted({ resources }), "-R")).toBe("span[hosts=1] rusage[mem=1048577KB]");
    expect(await submitted({ resources })).not.toContain("-M");
    const options = { "mem-per": "host", "mem-limit": true, resources: "select[avx512]" };
    const argv = await submitted({ resources, options });
    expect(after(argv, "-R")).toBe("span[hosts=1] rusage[mem=1048577KB/host] select[avx512]");
    expect(after(argv, "-M")).toBe("1048577KB");
  });

  test("with GPUs per host, and more of them in its own words", async () => {
    const gpus = { type: "A100", count: 2 };
    expect(after(await submitted({ resources: { gpus: { count: 1 } } }), "-gpu")).toBe("num=1");
    expect(after(await submitted({ resources: { gpus }, options: { gpu: "mps=yes" } }), "-gpu")).toBe(
      "num=2:gmodel=A100:mps=yes",
    );
  });

  test("with a time limit in whole minutes, with room for the worker to end by itself", async () => {
    const minutes = async (timeSeconds: number, signalDelaySeconds: number) =>
      after(await submitted({ resources: { timeSeconds }, run: { signalDelaySeconds } }), "-W");
    expect(await minutes(45, 90)).toBe("3");
    expect(await minutes(45, 0)).toBe("2");
  });

  test("with options by its own flags, where jobx's win", async () => {
    const options = validateOptions(
      "lsf",
      lsf.options,
      { queue: "low", sla: "gold", app: "mpi", priority: 5, exclusive: true, extra: "-B -u 'a b'" },
      "-o",
    );
    const argv = await submitted({ options, resources: { partition: "high", account: "p1" } });
    expect(argv.join(" ")).toContain("-q high -P p1 -app mpi -sla gold -sp 5 -x -B -u a b /bin/bash");
    expect(() => validateOptions("lsf", lsf.options, { "mem-per": "node" }, "-o")).toThrow("host, task, job");
  });

  test("with a script whose path a shell reads back as it is", async () => {
    const home = `${tempDir()}/a b`;
    expect((await submitted({}, 1, home)).at(-3)).toBe(`'${home}/jobs/12/submit.sh'`);
  });

  test("once for an array that counts from 1, and more often only beyond the limit", async () => {
    expect(after(await submitted({ run: { parallel: 4 } }, 1000), "-J")).toBe("train[1-1000]%4");
    const home = tempDir();
    const fake = new FakeCommands(home, answers({ bsub: ACCEPTED }));
    await lsf.submit(requestFor(home, 2001, { name: "a b[1]*" }), fake.context);
    const calls = fake.callsOf("bsub");
    expect(calls.map((argv) => after(argv, "-J"))).toEqual(["a_b_1_[1-1000]", "a_b_1_[1-1000]", "a_b_1_"]);
    expect(calls.map((argv) => argv.at(-2))).toEqual(["0+1000", "1000+1000", "2000+1"]);
  });

  test("with the indices of elements that run again", async () => {
    const home = tempDir();
    const fake = new FakeCommands(home, answers({ bsub: ACCEPTED }));
    const again = { natives: [nativeOf("5", 10)], elements: [3, 6, 7] };
    await lsf.resubmit?.(requestFor(home, 10), again, fake.context);
    expect(after(fake.callsOf("bsub")[0] ?? [], "-J")).toBe("train[4,7-8]");
  });

  test("with dependencies as a condition, which ends the job when it can never be met", async () => {
    const home = tempDir();
    for (const [id, tasks] of [
      [3, 1],
      [4, 5],
    ] as const) {
      const { dir, spec } = requestFor(home, tasks, { id });
      writeSpec(dir, spec);
      writeNative(dir, { natives: [nativeOf(`${id}00`, tasks)] });
    }
    const condition = async (...waits: JobSpec["run"]["after"]) =>
      after(
        await submitted({ run: { after: waits }, options: { dependency: "done(7) || exit(8)" } }, 5, home),
        "-w",
      );
    expect(await condition({ job: 3, kind: "any" }, { job: 4, kind: "ok", tasks: [1, 2] })).toBe(
      "ended(300) && done(400[2]) && done(400[3]) && (done(7) || exit(8))",
    );
    expect(await condition({ job: 4, kind: "each" })).toStartWith("done(400[*]) &&");
    expect(await condition({ job: 3, kind: "fail" })).toStartWith("exit(300) &&");
    expect(await condition({ job: 4, kind: "fail" })).toStartWith("ended(400) && numexit(400, > 0) &&");
    expect(await submitted({ run: { after: [{ job: 3, kind: "ok" }] } }, 1, home)).toContain("-ti");
  });

  test("never with flags that are jobx's own, and not where another scheduler has a bsub", async () => {
    const refused = (changes: Parameters<typeof requestFor>[2]) =>
      Promise.try(() => lsf.validate?.(requestFor(tempDir(), 1, changes).spec, onPath(true)));
    await expect(refused({ options: { extra: "-o x.log" } })).rejects.toThrow("-o is jobx's own to give");
    await expect(refused({ resources: { qos: "high" } })).rejects.toMatchObject({
      hint: expect.stringContaining("sla"),
    });
    await expect(refused({ resources: { nodes: 2 }, options: { launcher: "" } })).rejects.toThrow("launcher");
    await expect(refused({})).resolves.toBeUndefined();
    expect(await lsf.affinity(onPath(true))).toMatchObject({ score: 2 });
    expect(await lsf.affinity(onPath(false))).toEqual({ score: -1, why: "bjdepinfo is not on PATH" });
  });
});

test("bsub's answer is read whatever a site prints around it", async () => {
  for (const stdout of [
    "Job <7> is submitted to queue <short>.\n",
    "Cannot connect to LSF. Please wait ...\nJob <7> is submitted to default queue <normal>.\n",
    "Verifying project <5>\nJob <7> is submitted to queue <short>.\nHave fun\n",
  ]) {
    const home = tempDir();
    const fake = new FakeCommands(home, answers({ bsub: { stdout } }));
    expect((await lsf.submit(requestFor(home, 1), fake.context)).natives).toMatchObject([{ id: "7" }]);
  }
});

test("a job is found again whose submission was not told: BSUB_QUIET says nothing of it", async () => {
  const home = tempDir();
  const record = { JOBID: "7", JOBINDEX: "0", SUBMIT_TIME: "", COMMAND: "/bin/bash /h/submit.sh 0+1 T0ken" };
  const fake = new FakeCommands(home, answers({ bsub: {}, bjobs: recordsOf(record) }));
  expect((await lsf.submit(requestFor(home, 1), fake.context)).natives).toMatchObject([{ id: "7" }]);
  expect(fake.callsOf("bsub")).toHaveLength(1);
});

test.each([
  ["rhel7: No such queue. Job not submitted.", "bqueues"],
  ["Job array index too large. Job not submitted.", "--pack"],
  ["Bad resource requirement syntax. Job not submitted.", "-o resources"],
])("a refusal shows LSF's words and what to do: %s", async (stderr, hint) => {
  const home = tempDir();
  const fake = new FakeCommands(home, answers({ bsub: { code: 255, stderr } }));
  await expect(lsf.submit(requestFor(home, 1), fake.context)).rejects.toMatchObject({
    code: "REFUSED",
    message: expect.stringContaining(stderr),
    hint: expect.stringContaining(hint),
  });
});

describe("the script", () => {
  test("lets no signal end it before the worker listens, and gives it its place", async () => {
    const { text, dir } = await scriptOf({ resources: { timeSeconds: 600 } }, 2);
    expect(text).toContain("trap '' USR1 USR2 TERM\n");
    expect(text).toEndWith(`exec /opt/jobx _worker ${dir}\n`);
    const env = { LSB_JOBID: "42", LSB_JOBINDEX: "7", LSB_MCPU_HOSTS: "n1 8 n2 4" };
    expect(await variables(text, env)).toEqual({
      JOBX_ELEMENT: "1006",
      JOBX_HOSTLIST: "n1,n2",
      JOBX_ELEMENT_SECONDS: "720",
      JOBX_REQUEUE_COMMAND: '["brequeue","42[7]"]',
    });
    expect(await variables(text, { LSB_JOBID: "42", LSB_JOBINDEX: "0" })).toMatchObject({
      JOBX_ELEMENT: "1000",
      JOBX_REQUEUE_COMMAND: '["brequeue","42"]',
    });
    const never = await scriptOf({ run: { requeue: false } });
    expect(await variables(never.text, env)).not.toHaveProperty("JOBX_REQUEUE_COMMAND");
  });

  test("writes each element's output where it belongs, without LSF's report", async () => {
    const home = `${tempDir()}/a b`;
    const { text, dir } = await scriptOf({}, 20, home);
    const child = Bun.spawn(["bash", "-c", text.replace(/^exec .*$/m, "echo here"), "x", "0+20", "T"], {
      env: { PATH: process.env["PATH"], LSB_JOBINDEX: "12" },
    });
    await child.exited;
    expect(await Bun.file(`${dir}/logs/element-11.log`).text()).toBe("here\n");
  });

  test("starts several ranks by the launcher of the user's choice", async () => {
    const { text } = await scriptOf({
      resources: { nodes: 2, ranksPerNode: 4 },
      options: { launcher: "jsrun -n {ranks} -r {per-node}" },
    });
    const found = await variables(text, {});
    expect(JSON.parse(found["JOBX_RANK_COMMAND"] ?? "").slice(0, 5)).toEqual(["jsrun", "-n", "8", "-r", "4"]);
    const none = await scriptOf({ resources: { ranksPerNode: 4 }, options: { launcher: "" } });
    expect(await variables(none.text, {})).not.toHaveProperty("JOBX_RANK_COMMAND");
  });
});

describe("status", () => {
  test("reads each element of an array by its index, which begins at 1", async () => {
    const one = (index: number, STAT: string, more = {}) => ({
      JOBID: "7",
      JOBINDEX: `${index}`,
      STAT,
      ...more,
    });
    const { statuses, fake } = await statusOf(5, () => ({
      bjobs: recordsOf(
        one(1, "DONE", { EXEC_HOST: "8*n1" }),
        one(2, "RUN", { EXEC_HOST: "n1:n1:n2" }),
        one(3, "PEND", { PEND_REASON: "The job array has reached its job slot limit." }),
        one(4, "EXIT", { EXEC_HOST: "n1", EXIT_CODE: "137" }),
        one(5, "FLYING"),
      ),
    }));
    expect(statuses.map((status) => status.state).join(" ")).toBe("ended running queued failed queued");
    expect(statuses[1]).toMatchObject({ node: "n1", native: "RUN" });
    expect(statuses[2]?.reason).toContain("as many of its tasks run as --parallel allows");
    expect(statuses[3]?.reason).toBe("LSF says EXIT on n1 with signal 9, and it left no record");
    expect(statuses[4]).toMatchObject({ native: "FLYING", reason: expect.stringContaining("does not know") });
    expect(fake.callsOf("bjobs").map((argv) => argv.at(-1))).toEqual(["7"]);
    expect(fake.callsOf("bacct")).toEqual([]);
  });

  test("takes a record of another submission with the same id for none of its own", async () => {
    const record = { JOBID: "7", JOBINDEX: "0", STAT: "RUN", COMMAND: "/bin/bash /else/submit.sh 0+1 T" };
    const { statuses } = await statusOf(1, () => ({ bjobs: recordsOf(record) }));
    expect(statuses).toMatchObject([{ state: "unknown" }]);
  });

  test("learns of bacct what bjobs has forgotten, across its broken lines", async () => {
    const { statuses, fake } = await statusOf(2, (home) => {
      const head = (index: number) =>
        `Job <7[${index}]>, Job Name <train[${index}]>, User <ann>, Project <default>, Status <EXIT>, Queue <normal>, Command </bin/bash ${home}/jobs/12/submit.sh 0+2 T0ken>`;
      const broken = (line: string) =>
        [
          line.slice(0, 79),
          ...(line.slice(79).match(/.{1,58}/g) ?? []).map((part) => " ".repeat(21) + part),
        ].join("\n");
      const end = (text: string) => `Tue Oct 29 14:00:13 2024: ${text}\n\n`;
      return {
        bjobs: { code: 255, stderr: "Job <7> is not found\n" },
        bacct: {
          stdout:
            "Accounting information about jobs that are:\n  - submitted by all users.\n\n" +
            `${broken(head(1))}\n${end("Completed <exit>; TERM_RUNLIMIT: job killed after reaching LSF run time limit.")}` +
            `${broken(head(2))}\n${end("Exited with exit code 127. The CPU time used is 0.1 seconds.")}${end("Completed <exit>.")}`,
        },
      };
    });
    expect(statuses).toMatchObject([
      {
        state: "timeout",
        reason: expect.stringContaining("--time"),
        endedAt: expect.stringContaining("2024-10-29"),
      },
      { state: "failed", reason: expect.stringContaining("exit code 127") },
    ]);
    expect(fake.callsOf("bacct")).toEqual([["bacct", "-l", "7"]]);
  });

  test("is an error, and no end of any job, while LSF does not answer", async () => {
    const silent = statusOf(1, () => ({ bjobs: { code: 255, stderr: "LSF is down. Please wait ...\n" } }));
    await expect(silent).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  test("knows the year of a time without one: the last in which it was past", async () => {
    const ahead = new Date(Date.now() + 40 * 86_400_000);
    const text = `${ahead.toDateString().slice(4, 7)} ${String(ahead.getDate()).padStart(2)} 10:20 L`;
    const record = { JOBID: "7", JOBINDEX: "0", STAT: "DONE", FINISH_TIME: text };
    const { statuses } = await statusOf(1, () => ({ bjobs: recordsOf(record) }));
    expect(new Date(statuses[0]?.endedAt ?? "").getFullYear()).toBe(ahead.getFullYear() - 1);
  });

  test.each([
    [
      { STAT: "PEND", PEND_REASON: "New job is waiting for scheduling;" },
      "queued",
      "has not looked at it yet",
    ],
    [{ STAT: "PEND", PEND_REASON: "Job dependency condition not satisfied;" }, "queued", "waits for job 3"],
    [
      { STAT: "PEND", PEND_REASON: "Job's resource requirements not satisfied: 4 hosts;" },
      "queued",
      "bjobs -l",
    ],
    [
      { STAT: "PEND", PEND_REASON: "The user has reached his/her job slot limit;" },
      "queued",
      "a limit is reached",
    ],
    [{ STAT: "PSUSP" }, "queued", "jobx release lets it start"],
    [{ STAT: "SSUSP", EXEC_HOST: "n1" }, "running", "suspended by LSF"],
    [{ STAT: "UNKWN", EXEC_HOST: "n1" }, "running", "does not answer"],
    [{ STAT: "ZOMBI", EXEC_HOST: "n1" }, "running", "does not answer"],
    [{ STAT: "EXIT", EXEC_HOST: "n1", EXIT_REASON: "TERM_RUNLIMIT: job killed" }, "timeout", "--time"],
    [{ STAT: "EXIT", EXEC_HOST: "n1", EXIT_REASON: "TERM_MEMLIMIT: job killed" }, "failed", "more --mem"],
    [{ STAT: "EXIT", EXEC_HOST: "n1", EXIT_REASON: "TERM_PREEMPT: job killed" }, "failed", "preempted"],
    [
      { STAT: "EXIT", EXEC_HOST: "n1", EXIT_REASON: "TERM_OWNER: job killed by owner" },
      "cancelled",
      "outside of jobx",
    ],
    [{ STAT: "EXIT", EXEC_HOST: "n1", EXIT_REASON: "TERM_ADMIN: job killed" }, "cancelled", "administrator"],
    [
      { STAT: "EXIT", EXIT_REASON: "TERM_ORPHAN_SYSTEM: orphaned" },
      "cancelled",
      "job 3 did not end as --after",
    ],
    [{ STAT: "EXIT", EXEC_HOST: "n1", EXIT_REASON: "TERM_NEW: what" }, "failed", "TERM_NEW: what"],
    [{ STAT: "EXIT", EXEC_HOST: "-", EXIT_CODE: "-" }, "cancelled", "outside of jobx"],
    [{ STAT: "EXIT", EXEC_HOST: "n1", EXIT_CODE: "3" }, "failed", "exit code 3"],
  ])("says of %p: %s, %s", async (record, state, words) => {
    const { statuses } = await statusOf(
      1,
      () => ({ bjobs: recordsOf({ JOBID: "7", JOBINDEX: "0", ...record }) }),
      { run: { after: [{ job: 3, kind: "ok" }] } },
    );
    expect(statuses).toMatchObject([{ state, reason: expect.stringContaining(words) }]);
  });
});

test("elements are told by ranges that begin at 1, in one call each", async () => {
  const home = tempDir();
  const records = Array.from({ length: 1000 }, (_, at) => ({
    JOBID: "7",
    JOBINDEX: `${at + 1}`,
    STAT: "PEND",
  }));
  const fake = new FakeCommands(home, answers({ bjobs: recordsOf(...records) }));
  const job = refFor(requestFor(home, 1000), [nativeOf("7", 1000)]);
  const tasks = Array.from({ length: 500 }, (_, index) => index).concat(700);
  await lsf.cancel([{ job, tasks }], fake.context);
  await lsf.hold?.([{ job, tasks: null }], fake.context);
  await lsf.release?.([{ job, tasks: [0] }], fake.context);
  await lsf.interrupt?.([{ job, tasks: [1] }], "timeout", fake.context);
  await lsf.requeue?.([{ job, tasks: [2, 4] }], fake.context);
  expect(fake.calls.filter(([name]) => name !== "bjobs" && name !== "bparams")).toEqual([
    ["bkill", "7[1-500,701]"],
    ["bstop", "7"],
    ["bresume", "7[1]"],
    ["bkill", "-s", "USR1", "7[2]"],
    ["brequeue", "7[3,5]"],
  ]);
});

type Answer = { code?: number; stdout?: string; stderr?: string };

function answers(given: Record<string, Answer>) {
  return ([command = ""]: string[]) => {
    if (command === "bparams") return { stdout: "    MAX_JOB_ARRAY_SIZE = 1000\n" };
    return given[command] ?? {};
  };
}

function recordsOf(...records: Record<string, string>[]): Answer {
  return { stdout: JSON.stringify({ COMMAND: "bjobs", JOBS: records.length, RECORDS: records }) };
}

/** The bsub command of a job. */
async function submitted(
  changes: Parameters<typeof requestFor>[2],
  tasks = 1,
  home = tempDir(),
): Promise<string[]> {
  const fake = new FakeCommands(home, answers({ bsub: ACCEPTED }));
  await lsf.submit(requestFor(home, tasks, changes), fake.context);
  return fake.callsOf("bsub")[0] ?? [];
}

/** The word behind a flag. */
function after(argv: string[], flag: string): string | undefined {
  const at = argv.indexOf(flag);
  return at < 0 ? undefined : argv[at + 1];
}

async function scriptOf(changes: Parameters<typeof requestFor>[2], tasks = 1, home = tempDir()) {
  const request = requestFor(home, tasks, changes);
  const fake = new FakeCommands(home, answers({ bsub: ACCEPTED }));
  await lsf.submit(request, fake.context);
  return { text: await Bun.file(jobFiles.script(request.dir)).text(), dir: request.dir };
}

async function statusOf(
  elements: number,
  given: (home: string) => Record<string, Answer>,
  changes: Parameters<typeof requestFor>[2] = {},
): Promise<{ statuses: ElementStatus[]; fake: FakeCommands }> {
  const home = tempDir();
  const fake = new FakeCommands(home, answers(given(home)));
  const job = refFor(requestFor(home, elements, changes), [nativeOf("7", elements)]);
  return { statuses: await lsf.status([job], fake.context), fake };
}

/** LSF's commands, with or without the one that no other scheduler has. */
function onPath(isLsf: boolean) {
  const bin = tempDir();
  for (const name of ["bsub", "bjobs", "bkill", ...(isLsf ? ["bjdepinfo"] : [])])
    symlinkSync("/bin/true", `${bin}/${name}`);
  return new FakeCommands(tempDir(), () => ({}), { PATH: bin }).context;
}

/** What the script exports, run by bash in the part from 1000 on. */
async function variables(script: string, env: Record<string, string>): Promise<Record<string, string>> {
  const printing = script.replace(/^.*>>"\$log".*$/m, "").replace(/^exec .*$/m, "env");
  const child = Bun.spawn(["bash", "-c", printing, "submit.sh", "1000+1000", "T0ken"], {
    env: { PATH: process.env["PATH"], ...env },
  });
  const lines = (await child.stdout.text()).split("\n").filter((line) => line.startsWith("JOBX_"));
  return Object.fromEntries(
    lines.map((line) => [line.split("=")[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
}
