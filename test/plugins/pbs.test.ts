import { describe, expect, test } from "bun:test";
import { chmodSync, symlinkSync } from "node:fs";

import pbs from "../../plugins/pbs.ts";
import type { ElementStatus } from "../../src/executor/contract.ts";
import { validateOptions } from "../../src/executor/options.ts";
import type { JobSpec } from "../../src/model/job.ts";
import { writeNative, writeSpec } from "../../src/store/jobs.ts";
import { jobFiles } from "../../src/store/layout.ts";
import { FakeCommands, nativeOf, refFor, requestFor } from "../helpers/scheduler.ts";
import { tempDir } from "../helpers/temp.ts";

const SERVER = "Server: pbs\n    server_state = Active\n    max_array_size = 1000\n\n";

describe("qsub is called", () => {
  test("with what was asked for and nothing else", async () => {
    const home = tempDir();
    expect((await submitted({}, 1, home)).join(" ")).toBe(
      `qsub -N train -j oe -o /dev/null -r y -- /bin/bash ${home}/jobs/12/submit.sh 0+1 T0ken`,
    );
  });

  test("with one chunk for each node, and only what was asked for in it", async () => {
    const select = async (resources: JobSpec["resources"], options = {}) =>
      flagOf(await submitted({ resources, options }), "select=");
    expect(await select({ timeSeconds: 60 })).toBeUndefined();
    expect(await select({ memBytes: 1025 })).toBe("1:mem=2kb");
    expect(await select({ cpus: 4, gpus: { count: 2 } })).toBe("1:ncpus=4:ngpus=2");
    expect(await select({ ranksPerNode: 3 })).toBe("1:ncpus=3:mpiprocs=3");
    expect(await select({ nodes: 2, ranksPerNode: 3, cpus: 4 })).toBe("2:ncpus=12:mpiprocs=3");
    expect(await select({ gpus: { type: "a100", count: 1 } }, { "gpu-type": "gpu_model" })).toBe(
      "1:ngpus=1:gpu_model=a100",
    );
    expect(await select({ cpus: 1 }, { chunk: "arch=x86" })).toBe("1:ncpus=1:arch=x86");
    expect(await select({ cpus: 1 }, { select: "1:ncpus=2+3:ncpus=1" })).toBe("1:ncpus=2+3:ncpus=1");
  });

  test("with chunks on nodes of their own, unless the user places them", async () => {
    expect(flagOf(await submitted({ resources: { nodes: 2 } }), "place=")).toBe("scatter");
    expect(flagOf(await submitted({ resources: { nodes: 1 } }), "place=")).toBeUndefined();
    const options = { place: "pack:excl" };
    expect(flagOf(await submitted({ resources: { nodes: 2 }, options }), "place=")).toBe("pack:excl");
  });

  test("with a time limit in seconds, with room for the worker to end by itself", async () => {
    const walltime = async (timeSeconds: number, signalDelaySeconds: number) =>
      flagOf(await submitted({ resources: { timeSeconds }, run: { signalDelaySeconds } }), "walltime=");
    expect(await walltime(45, 90)).toBe("135");
    expect(await walltime(45, 0)).toBe("65");
  });

  test("with options by its own flags, where jobx's win", async () => {
    const options = validateOptions(
      "pbs",
      pbs.options,
      { queue: "low", project: "p1", priority: -5, "group-list": "g", resources: "lic=1", extra: "-m 'a b'" },
      "-o",
    );
    const argv = (await submitted({ options, resources: { account: "acc" } })).join(" ");
    expect(argv).toContain("-l lic=1 -q low -A acc -P p1 -p -5 -W group_list=g -m a b -- /bin/bash");
    expect((await submitted({ options, resources: { partition: "high" } })).join(" ")).toContain("-q high");
    expect(() => validateOptions("pbs", pbs.options, { priority: 2000 }, "-o")).toThrow("1023");
  });

  test("with a name that PBS takes", async () => {
    const name = async (text: string) => (await submitted({ name: text }))[2];
    expect(await name("a b/c")).toBe("a_b_c");
    expect(await name("-x")).toBe("j-x");
    expect(await name("x".repeat(400))).toHaveLength(230);
  });

  test("once for an array, with its throttle, and more often only beyond the limit", async () => {
    const range = (argv: string[]) => argv[argv.indexOf("-J") + 1];
    const argv = await submitted({ run: { parallel: 4, requeue: false } }, 1000);
    expect(range(argv)).toBe("0-999%4");
    expect(argv).not.toContain("-r");
    const home = tempDir();
    const fake = new FakeCommands(home, answers({ qsub: { stdout: "5[].pbs\n" } }));
    await pbs.submit(requestFor(home, 2001), fake.context);
    const calls = fake.callsOf("qsub");
    expect(calls.map((words) => (words.includes("-J") ? range(words) : null))).toEqual([
      "0-999",
      "0-999",
      null,
    ]);
    expect(calls.map((words) => words.at(-2))).toEqual(["0+1000", "1000+1000", "2000+1"]);
  });

  test("with the range around elements that run again, and their indices for the script", async () => {
    const again = async (elements: number[]) => {
      const home = tempDir();
      const fake = new FakeCommands(home, answers({ qsub: { stdout: "9[].pbs\n" } }));
      await pbs.resubmit?.(requestFor(home, 10), { natives: [nativeOf("5[]", 10)], elements }, fake.context);
      const [argv = []] = fake.callsOf("qsub");
      return [argv[argv.indexOf("-J") + 1], ...argv.slice(-3)];
    };
    expect(await again([3, 7])).toEqual(["3-7", "0+10", "T0ken", "3,7"]);
    // A range of one index is none to qsub.
    expect(await again([4])).toEqual(["4-5:2", "0+10", "T0ken", "4"]);
  });

  test("with dependencies on whole jobs, which are all that PBS knows", async () => {
    const home = tempDir();
    for (const [id, tasks] of [
      [3, 1],
      [4, 5],
    ] as const) {
      const { dir, spec } = requestFor(home, tasks, { id });
      writeSpec(dir, spec);
      writeNative(dir, { natives: [nativeOf(tasks === 1 ? "300" : "400[]", tasks)] });
    }
    const after: JobSpec["run"]["after"] = [
      { job: 3, kind: "any" },
      { job: 4, kind: "ok" },
      { job: 4, kind: "fail" },
    ];
    const argv = await submitted({ run: { after }, options: { depend: "after:77" } }, 2, home);
    expect(argv).toContain("depend=afterany:300,afterok:400[],afternotok:400[],after:77");
    const some = submitted({ run: { after: [{ job: 4, kind: "ok", tasks: [1] }] } }, 1, home);
    await expect(some).rejects.toThrow("whole jobs only");
  });

  test("without the environment, which is kept in the job's folder", async () => {
    const home = tempDir();
    const request = requestFor(home, 1);
    const fake = new FakeCommands(home, answers({ qsub: { stdout: "5.pbs\n" } }));
    await pbs.submit(request, fake.context);
    expect(fake.callsOf("qsub")[0]).not.toContain("-V");
    expect(await Bun.file(jobFiles.environment(request.dir)).exists()).toBe(true);
  });
});

describe("a request is refused", () => {
  const refused = (changes: Parameters<typeof requestFor>[2], tasks = 1) =>
    Promise.try(() => pbs.validate?.(requestFor(tempDir(), tasks, changes).spec, onPath()));

  test("where PBS has no word for it", async () => {
    await expect(refused({ resources: { qos: "high" } })).rejects.toThrow("PBS has no --qos");
    await expect(refused({ resources: { gpus: { type: "a100", count: 1 } } })).rejects.toMatchObject({
      hint: expect.stringContaining("gpu-type"),
    });
    await expect(refused({ run: { after: [{ job: 1, kind: "each" }] } }, 2)).rejects.toThrow("cannot pair");
    await expect(refused({ resources: { nodes: 2 }, options: { launcher: "" } })).rejects.toThrow("launcher");
    await expect(refused({ options: { extra: "-J 1-2" } })).rejects.toThrow("jobx's own to give");
    await expect(refused({})).resolves.toBeUndefined();
  });

  test("where there is no PBS, whatever else has a qsub", async () => {
    const { context } = new FakeCommands(tempDir(), () => ({}), {
      PATH: commands("qsub", "qstat", "qdel", "qselect"),
    });
    expect(await pbs.affinity(context)).toEqual({ score: -1, why: "pbs_rstat is not on PATH" });
    expect(await pbs.affinity(onPath())).toMatchObject({ score: 2 });
  });
});

test("qsub's answer is read whatever a site prints around it", async () => {
  for (const [stdout, id] of [
    ["53.testpbs.nas.nasa.gov\n", "53"],
    ["10[].Nile-extn\n", "10[]"],
    ["Job script checked. 3.5 CPU hours\n12345.pbs-1\nUse qstat to see it\n", "12345"],
  ] as const) {
    const home = tempDir();
    const fake = new FakeCommands(home, answers({ qsub: { stdout } }));
    expect((await pbs.submit(requestFor(home, 1), fake.context)).natives).toMatchObject([{ id }]);
  }
});

test.each([
  ["qsub: illegal -J value", "--parallel"],
  ["qsub: Unknown queue", "qstat -Q"],
  ["qsub: Job violates queue and/or server resource limits", "qstat -Qf"],
])("a refusal shows PBS's words and what to do: %s", async (stderr, hint) => {
  const home = tempDir();
  const fake = new FakeCommands(home, answers({ qsub: { code: 2, stderr } }));
  await expect(pbs.submit(requestFor(home, 1), fake.context)).rejects.toMatchObject({
    code: "REFUSED",
    message: expect.stringContaining(stderr),
    hint: expect.stringContaining(hint),
  });
});

describe("the script", () => {
  test("lets no signal end it before the worker listens, and gives it its place", async () => {
    const { text, dir } = await scriptOf({ resources: { timeSeconds: 600 } }, 2);
    expect(text).toStartWith("#!/bin/bash\n");
    expect(text).toContain("trap '' USR1 USR2 TERM\n");
    expect(text).toEndWith(`exec /opt/jobx _worker ${dir}\n`);
    const nodes = `${tempDir()}/nodes`;
    await Bun.write(nodes, "n1\nn1\nn2\n");
    expect(await variables(text, { PBS_ARRAY_INDEX: "7", PBS_NODEFILE: nodes })).toMatchObject({
      JOBX_ELEMENT: "1007",
      JOBX_HOSTLIST: "n1,n2",
      JOBX_ELEMENT_SECONDS: "690",
      JOBX_SCHEDULER_VARIABLES: expect.stringContaining("PBS_*"),
    });
    expect(await variables(text, {})).toMatchObject({ JOBX_ELEMENT: "1000" });
  });

  test("writes each element's output where it belongs, since PBS copies it only at the end", async () => {
    const home = `${tempDir()}/a b`;
    const { text, dir } = await scriptOf({}, 20, home);
    const child = Bun.spawn(["bash", "-c", text.replace(/^exec .*$/m, "echo here"), "x", "0+20", "T"], {
      env: { PATH: process.env["PATH"], PBS_ARRAY_INDEX: "11" },
      stdout: "pipe",
    });
    expect(await child.stdout.text()).toBe("");
    await child.exited;
    expect(await Bun.file(`${dir}/logs/element-11.log`).text()).toBe("here\n");
  });

  test("runs nothing for an index of the range that is not meant", async () => {
    const { text } = await scriptOf({}, 10);
    const ran = async (index: string) =>
      Object.keys(await variables(text, { PBS_ARRAY_INDEX: index }, ["3,7"])).length > 0;
    expect([await ran("3"), await ran("5"), await ran("7")]).toEqual([true, false, true]);
  });

  test("starts several ranks by the launcher of the user's choice", async () => {
    const { text } = await scriptOf({
      resources: { nodes: 2, ranksPerNode: 4 },
      options: { launcher: "env A={per-node}" },
    });
    const found = await variables(text, {});
    const command: string[] = JSON.parse(found["JOBX_RANK_COMMAND"] ?? "");
    expect(command.slice(0, 3)).toEqual(["env", "A=4", "sh"]);
    expect(found["JOBX_RANK_VARIABLES"]).toMatch(/^\w+ \w+$/);
  });
});

describe("status", () => {
  test("reads what waits of an array from the array, and asks about its other elements", async () => {
    const job = (home: string) => `Submit_arguments = -N x -- /bin/bash ${home}/jobs/12/submit.sh 0+5 T0ken`;
    const { statuses, calls } = await statusOf(5, (home) => ({
      "qstat -f": {
        stdout: `Job Id: 7[].pbs\n    job_state = B\n    comment = Not Running: Queue not started.\n    array_indices_remaining = 3-4\n    ${wrapped(job(home))}\n\n`,
      },
      "qstat -t": {
        stdout: [
          "Job id            Name             User              Time Use S Queue",
          "----------------  ---------------- ----------------  -------- - -----",
          "7[].pbs           train            ann                      0 B workq",
          "7[0].pbs          train            ann               00:00:01 X workq",
          "7[1].pbs          train            ann               00:00:01 R workq",
          "7[2].pbs          train            ann               00:00:01 Z workq",
        ].join("\n"),
      },
      "qstat -x": {
        stdout: "Job Id: 7[0].pbs\n    job_state = X\n    comment = Subjob failed\n\n",
      },
    }));
    expect(statuses.map((one) => one.state).join(" ")).toBe("failed running queued queued queued");
    expect(statuses[0]?.reason).toBe(
      "PBS says that it ended with no exit code (Subjob failed), and it left no record",
    );
    expect(statuses[2]).toMatchObject({ native: "Z", reason: expect.stringContaining("does not know") });
    expect(statuses[4]?.reason).toBe("Not Running: Queue not started.: the queue takes no jobs now");
    expect(calls).toEqual([
      ["qstat", "-f", "7[]"],
      ["qstat", "-t", "7[]"],
      ["qstat", "-x", "-f", "-t", "7[]"],
    ]);
  });

  test("takes a row of another submission with the same id for none of its own", async () => {
    const stdout =
      "Job Id: 7.pbs\n    job_state = R\n    Submit_arguments = -- /bin/bash /else/submit.sh 0+1 T\n\n";
    const { statuses } = await statusOf(1, () => ({ "qstat -f": { stdout } }));
    expect(statuses).toMatchObject([{ state: "unknown" }]);
  });

  test("says that it is not known how a job ended where PBS keeps no history", async () => {
    const { statuses } = await statusOf(1, () => ({
      "qstat -f": { code: 153, stderr: "qstat: Unknown Job Id 7.pbs\n" },
      "qstat -x": { code: 36, stderr: "qstat: PBS is not configured to maintain job history\n" },
    }));
    expect(statuses).toMatchObject([
      { state: "unknown", reason: expect.stringContaining("not configured to maintain job history") },
    ]);
  });

  test("is an error, and no end of any job, while the server does not answer", async () => {
    const silent = statusOf(1, () => ({
      "qstat -f": {
        code: 1,
        stderr: "Connection refused\nqstat: cannot connect to server pbs (errno=15010)\n",
      },
    }));
    await expect(silent).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  test.each([
    [
      "job_state = Q\n    comment = Not Running: Insufficient amount of resource: ncpus",
      "queued",
      "waits for nodes",
    ],
    [
      "job_state = Q\n    comment = Can Never Run: Insufficient amount of resource: ngpus",
      "queued",
      "will not start",
    ],
    [
      "job_state = Q\n    comment = Not Running: User has reached queue a running job limit.",
      "queued",
      "limit",
    ],
    [
      "job_state = Q\n    comment = Number of concurrent running subjobs limit reached",
      "queued",
      "--parallel",
    ],
    ["job_state = Q", "queued", "has not looked at it yet"],
    ["job_state = H\n    Hold_Types = u", "queued", "jobx release lets it start"],
    ["job_state = H\n    Hold_Types = us", "queued", "waits for job 3"],
    ["job_state = W", "queued", "time to begin"],
    ["job_state = M", "queued", "another server"],
    ["job_state = S", "running", "suspended"],
    ["job_state = F\n    Exit_status = -29", "timeout", "--time"],
    ["job_state = F\n    exec_host = n1/0\n    Exit_status = -27", "failed", "out of memory"],
    ["job_state = F\n    exec_host = n1/0\n    Exit_status = -3", "failed", "for now"],
    ["job_state = F\n    exec_host = n1/0\n    Exit_status = 265", "failed", "signal 9"],
    [
      "job_state = F\n    resources_used.walltime = 00:01:04\n    Resource_List.walltime = 00:01:00\n    Exit_status = 271",
      "timeout",
      "time limit",
    ],
    [
      "job_state = F\n    exec_host = n1/0\n    Exit_status = 271\n    comment = Job run at x and terminated by ann@n1",
      "cancelled",
      "outside of jobx",
    ],
    ["job_state = F", "cancelled", "job 3 did not end as --after asks for"],
    ["job_state = F\n    Exit_status = 0", "ended", "left no record"],
  ])("says of %s: %s, %s", async (attributes, state, words) => {
    const { statuses } = await statusOf(
      1,
      () => ({
        "qstat -f": { stdout: `Job Id: 7.pbs\n    Job_Name = train\n    ${attributes}\n\n` },
      }),
      { run: { after: [{ job: 3, kind: "ok" }] } },
    );
    expect(statuses).toMatchObject([{ state, reason: expect.stringContaining(words) }]);
  });
});

describe("elements", () => {
  const array = (home: string) => ({
    "qstat -f": { stdout: "Job Id: 7[].pbs\n    job_state = Q\n    array_indices_remaining = 0-999\n\n" },
    home,
  });

  test("are cancelled in one call, a range a word", async () => {
    const home = tempDir();
    const fake = new FakeCommands(home, answers(array(home)));
    const job = refFor(requestFor(home, 1000), [nativeOf("7[]", 1000)]);
    const tasks = Array.from({ length: 500 }, (_, index) => index).concat(700);
    await pbs.cancel([{ job, tasks }], fake.context);
    await pbs.cancel([{ job, tasks: null }], fake.context);
    expect(fake.callsOf("qdel")).toEqual([
      ["qdel", "7[0-499]", "7[700]"],
      ["qdel", "7[]"],
    ]);
  });

  test("are held and released as a whole, which is all that PBS can", async () => {
    const home = tempDir();
    const fake = new FakeCommands(home, answers(array(home)));
    const job = refFor(requestFor(home, 1000), [nativeOf("7[]", 1000)]);
    await pbs.hold?.([{ job, tasks: null }], fake.context);
    await pbs.release?.([{ job, tasks: null }], fake.context);
    await expect(pbs.hold?.([{ job, tasks: [1] }], fake.context)).rejects.toThrow("whole arrays only");
    expect(fake.calls.filter(([name]) => name !== "qstat")).toEqual([
      ["qhold", "7[]"],
      ["qrls", "7[]"],
    ]);
  });

  test("that are over by the time they are told something are no failure", async () => {
    const home = tempDir();
    const stderr = "qsig: Request invalid for state of job 7[1].pbs\n";
    const fake = new FakeCommands(home, answers({ ...array(home), qsig: { code: 168, stderr } }));
    const job = refFor(requestFor(home, 1000), [nativeOf("7[]", 1000)]);
    await pbs.interrupt?.([{ job, tasks: [1] }], "preempted", fake.context);
    expect(fake.callsOf("qsig")).toEqual([["qsig", "-s", "SIGUSR2", "7[1]"]]);
  });
});

test("a submission is found by its token, as PBS keeps the words of qsub", async () => {
  const job = (id: string, words: string) =>
    `Job Id: ${id}\n    Job_Name = x\n    ctime = Fri Jul  1 14:42:57 2022\n    ${wrapped(`Submit_arguments = -N x -- /bin/bash /h/jobs/1/submit.sh ${words}`)}\n\n`;
  const stdout = job("8.pbs", "0+1 Other") + job("9[].pbs", "0+5 T0ken") + job("10[].pbs", "5+5 T0ken 1,3");
  const fake = new FakeCommands(tempDir(), answers({ sh: { stdout } }));
  expect(await pbs.find?.("T0ken", fake.context, requestFor(tempDir(), 1).spec)).toMatchObject({
    natives: [
      { id: "9[]", submitted: "2022-07-01T14:42:57.000Z", firstElement: 0, elements: 5 },
      { id: "10[]", firstElement: 5, elements: 5 },
    ],
  });
  expect(await pbs.find?.("None", fake.context, requestFor(tempDir(), 1).spec)).toBeNull();
});

test("the look-up asks for finished jobs too, and goes on without them where PBS keeps no history", async () => {
  const bin = tempDir();
  const program = (name: string, text: string) => {
    const path = `${bin}/${name}`;
    return Bun.write(path, `#!/bin/sh\n${text}\n`).then(() => chmodSync(path, 0o755));
  };
  await program("qselect", 'case "$*" in *-x*) exit 36 ;; esac; printf "1.pbs\\n2[].pbs\\n"');
  await program("qstat", 'echo "$@"');
  const context = new FakeCommands(tempDir(), () => ({})).context;
  let asked = "";
  const run = async (argv: string[]) => {
    if (argv[0] !== "sh") return { code: 0, stdout: "", stderr: "" };
    const child = Bun.spawn(argv, { env: { PATH: `${bin}:/usr/bin:/bin` } });
    asked = await child.stdout.text();
    return { code: await child.exited, stdout: asked, stderr: "" };
  };
  await pbs.find?.("T0ken", { ...context, run }, requestFor(tempDir(), 1).spec);
  expect(asked).toBe("-f 1.pbs 2[].pbs\n");
});

type Answers = Record<string, { code?: number; stdout?: string; stderr?: string } | string>;

/** Answers by command, or by command and first flag. */
function answers(given: Answers) {
  return (argv: string[]) => {
    if (argv.join(" ") === "qstat -B -f") return { stdout: SERVER };
    const answer = given[argv.slice(0, 2).join(" ")] ?? given[argv[0] ?? ""];
    return typeof answer === "object" ? answer : {};
  };
}

/** The qsub command of a job. */
async function submitted(
  changes: Parameters<typeof requestFor>[2],
  tasks = 1,
  home = tempDir(),
): Promise<string[]> {
  const fake = new FakeCommands(home, answers({ qsub: { stdout: "5.pbs\n" } }));
  await pbs.submit(requestFor(home, tasks, changes), fake.context);
  return fake.callsOf("qsub")[0] ?? [];
}

function flagOf(argv: string[], prefix: string): string | undefined {
  return argv.find((word) => word.startsWith(prefix))?.slice(prefix.length);
}

async function scriptOf(changes: Parameters<typeof requestFor>[2], tasks = 1, home = tempDir()) {
  const request = requestFor(home, tasks, changes);
  const fake = new FakeCommands(home, answers({ qsub: { stdout: "5.pbs\n" } }));
  await pbs.submit(request, fake.context);
  return { text: await Bun.file(jobFiles.script(request.dir)).text(), dir: request.dir };
}

async function statusOf(
  elements: number,
  given: (home: string) => Answers,
  changes: Parameters<typeof requestFor>[2] = {},
): Promise<{ statuses: ElementStatus[]; calls: string[][] }> {
  const home = tempDir();
  const fake = new FakeCommands(home, answers(given(home)));
  const native = nativeOf(elements === 1 ? "7" : "7[]", elements);
  const statuses = await pbs.status([refFor(requestFor(home, elements, changes), [native])], fake.context);
  return { statuses, calls: fake.callsOf("qstat").filter((argv) => argv[1] !== "-B") };
}

/** As qstat breaks long values: at 80 columns, with a tab in front of the rest. */
function wrapped(line: string): string {
  return (line.match(/.{1,72}/g) ?? []).join("\n\t");
}

function commands(...names: string[]): string {
  const bin = tempDir();
  for (const name of names) symlinkSync("/bin/true", `${bin}/${name}`);
  return bin;
}

function onPath() {
  const PATH = commands("pbs_rstat", "qsub", "qstat", "qdel", "qselect");
  return new FakeCommands(tempDir(), () => ({}), { PATH }).context;
}

/** What the script exports, run by bash in the part from 1000 on. */
async function variables(
  script: string,
  env: Record<string, string>,
  more: string[] = [],
): Promise<Record<string, string>> {
  const printing = script.replace(/^.*>>"\$log".*$/m, "").replace(/^exec .*$/m, "env");
  const child = Bun.spawn(["bash", "-c", printing, "submit.sh", "1000+1000", "T0ken", ...more], {
    env: { PATH: process.env["PATH"], ...env },
  });
  const lines = (await child.stdout.text()).split("\n").filter((line) => line.startsWith("JOBX_"));
  return Object.fromEntries(
    lines.map((line) => [line.split("=")[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
}
