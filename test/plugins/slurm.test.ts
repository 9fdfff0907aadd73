import { describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";

import slurm from "../../plugins/slurm.ts";
import type { ElementStatus } from "../../src/executor/contract.ts";
import { validateOptions } from "../../src/executor/options.ts";
import { parseDirectives } from "../../src/model/directives.ts";
import type { JobSpec } from "../../src/model/job.ts";
import { writeNative, writeSpec } from "../../src/store/jobs.ts";
import { jobFiles } from "../../src/store/layout.ts";
import { FakeCommands, nativeOf, refFor, requestFor } from "../helpers/scheduler.ts";
import { tempDir } from "../helpers/temp.ts";

// What Slurm prints was captured from 22.05.8.
const CONFIG =
  "ClusterName             = dev\nMaxArraySize            = 1001\nSLURM_VERSION           = 22.05.8\n";

describe("sbatch is called", () => {
  test("with what was asked for and nothing else", async () => {
    const argv = await submitted({});
    const words = argv.slice(0, -3).filter((word) => !word.startsWith("--output="));
    expect(words).toEqual([
      "sbatch",
      "--parsable",
      "--job-name=train",
      "--open-mode=append",
      "--chdir=/work",
      "--signal=B:USR2@90",
      "--requeue",
    ]);
    expect(argv.slice(-2)).toEqual(["0+1", "T0ken"]);
  });

  test("with resources in its own words, times in whole minutes with room for the warning", async () => {
    const resources = {
      timeSeconds: 45,
      memBytes: 1 << 30,
      cpus: 4,
      gpus: { type: "a100", count: 2 },
      partition: "gpu",
    };
    expect(await submitted({ resources })).toEqual(
      expect.arrayContaining([
        "--time=3",
        "--mem=1048576K",
        "--cpus-per-task=4",
        "--gpus-per-node=a100:2",
        "--partition=gpu",
      ]),
    );
    expect(await submitted({ resources: { ranksPerNode: 2 } })).toEqual(
      expect.arrayContaining(["--nodes=1", "--ntasks-per-node=2"]),
    );
  });

  test("with options by their own names, and any other of its flags", async () => {
    const options = validateOptions(
      "slurm",
      slurm.options,
      { partition: "low", exclusive: "true", "mail-type": "END", nice: 5, extra: "--reboot --tmp='1 G'" },
      "-o",
    );
    const argv = await submitted({ options });
    expect(argv).toEqual(
      expect.arrayContaining([
        "--partition=low",
        "--exclusive",
        "--mail-type=END",
        "--nice=5",
        "--reboot",
        "--tmp=1 G",
      ]),
    );
    expect(() => validateOptions("slurm", slurm.options, { partitoin: "x" }, "-o")).toThrow("partitoin");
  });

  test("with a switch however it is written, a word in its place, and a priority that is a number", async () => {
    const flags = async (given: Record<string, unknown>) => {
      const options = validateOptions("slurm", slurm.options, given, "-o");
      return (await submitted({ options })).filter((word) => /^--(exclusive|nice|get-user-env)\b/.test(word));
    };
    expect(await flags({ exclusive: "yes", nice: true, "get-user-env": "10" })).toEqual([
      "--exclusive",
      "--get-user-env=10",
      "--nice",
    ]);
    expect(await flags({ exclusive: "user", nice: "-5" })).toEqual(["--exclusive=user", "--nice=-5"]);
    expect(await flags({ exclusive: false, nice: 0 })).toEqual(["--nice=0"]);
    await expect(flags({ nice: "abc" })).rejects.toThrow('Bad value "abc" for option "nice"');
  });

  test("with the site's defaults of the environment, but not with those of a surrounding job", async () => {
    const env = { PATH: process.env["PATH"], SBATCH_PARTITION: "site", SBATCH_EXCLUSIVE: "1" };
    expect(await submitted({}, 1, env)).toContain("--partition=site");
    expect(await submitted({ resources: { partition: "mine" } }, 1, env)).toContain("--partition=mine");
    expect((await submitted({}, 1, { ...env, SLURM_JOB_ID: "5" })).join(" ")).not.toContain("partition");
  });

  test("with an output path in which percent signs are only percent signs", async () => {
    const home = `${tempDir()}/100%a b`;
    const argv = await submitted({}, 5, undefined, home);
    const output = argv.find((word) => word.startsWith("--output="));
    expect(output).toBe(`--output=${home.replaceAll("%", "%%")}/jobs/12/logs/element-%a.log`);
  });

  test("once for an array, with its throttle, and more often only beyond the limit", async () => {
    expect(await submitted({ run: { parallel: 4 } }, 1000)).toContain("--array=0-999%4");
    const home = tempDir();
    const fake = new FakeCommands(home, answers({ sbatch: { stdout: "5" } }));
    await slurm.submit(requestFor(home, 2001), fake.context);
    const calls = fake.callsOf("sbatch");
    expect(calls.map((argv) => argv.find((word) => word.startsWith("--array=")))).toEqual([
      "--array=0-999",
      "--array=0-999",
      undefined,
    ]);
    expect(
      calls.map((argv) => /element-.*$/.exec(argv.find((word) => word.startsWith("--output=")) ?? "")?.[0]),
    ).toEqual(["element-%a.log", "element-1%3a.log", "element-2000.log"]);
    expect(calls.map((argv) => argv.at(-2))).toEqual(["0+1000", "1000+1000", "2000+1"]);
  });

  test("with dependencies in native ids, which end the job when they can never be met", async () => {
    const home = tempDir();
    for (const [id, tasks] of [
      [3, 1],
      [4, 5],
    ] as const) {
      const { dir, spec } = requestFor(home, tasks, { id });
      writeSpec(dir, spec);
      writeNative(dir, { natives: [nativeOf(`${id}00`, tasks)] });
    }
    const after: JobSpec["run"]["after"] = [
      { job: 3, kind: "any" },
      { job: 4, kind: "ok", tasks: [1, 2] },
      { job: 4, kind: "each" },
    ];
    expect(await submitted({ run: { after } }, 5, undefined, home)).toEqual(
      expect.arrayContaining([
        "--dependency=afterany:300,afterok:400_1:400_2,aftercorr:400",
        "--kill-on-invalid-dep=yes",
      ]),
    );
  });

  test("with the end of all parts of a job whose failure is waited for, which the worker judges", async () => {
    const home = tempDir();
    const { dir, spec } = requestFor(home, 1500, { id: 4 });
    writeSpec(dir, spec);
    const part = nativeOf("400", 1000);
    writeNative(dir, { natives: [part, { ...part, id: "401", firstElement: 1000, elements: 500 }] });
    const fake = new FakeCommands(home, answers({ sbatch: { stdout: "5\n" } }));
    const request = requestFor(home, 1, { run: { after: [{ job: 4, kind: "fail" }] } });
    await slurm.submit(request, fake.context);
    expect(fake.callsOf("sbatch")[0]).toContain("--dependency=afterany:400:401");
    expect(await Bun.file(jobFiles.script(request.dir)).text()).toContain("JOBX_JUDGE_AFTER=yes");
    const one = await submitted(
      { run: { after: [{ job: 4, kind: "fail", tasks: [7] }] } },
      1,
      undefined,
      home,
    );
    expect(one).toContain("--dependency=afternotok:400_7");
  });

  test("with the end of what the worker judges, whatever it is to be like", async () => {
    const home = tempDir();
    const { dir, spec } = requestFor(home, 5, { id: 4 });
    writeSpec(dir, spec);
    writeNative(dir, { natives: [nativeOf("400", 5)] });
    const fake = new FakeCommands(home, answers({ sbatch: { stdout: "5\n" } }));
    const request = requestFor(home, 5, { run: { after: [{ job: 4, kind: "each", judged: true }] } });
    await slurm.submit(request, fake.context);
    expect(fake.callsOf("sbatch")[0]).toContain("--dependency=afterany:400");
  });

  test("to the cluster that is named, which is asked for its limits and takes back what is refused", async () => {
    const home = tempDir();
    let taken = 0;
    const fake = new FakeCommands(home, ([command, ...words]) => {
      if (command === "scontrol") {
        return { stdout: words.includes("far") ? "ClusterName = far\nMaxArraySize = 11\n" : CONFIG };
      }
      if (command !== "sbatch") return {};
      return ++taken === 1 ? { stdout: "7;far\n" } : { code: 1, stderr: "AssocMaxSubmitJobLimit" };
    });
    const request = requestFor(home, 20, { options: { cluster: "far" } });
    await expect(slurm.submit(request, fake.context)).rejects.toThrow("AssocMaxSubmitJobLimit");
    expect(fake.callsOf("sbatch").every((argv) => argv.includes("--clusters=far"))).toBe(true);
    expect(fake.callsOf("sbatch")[0]).toContain("--array=0-9");
    expect(fake.callsOf("scancel")).toEqual([["scancel", "-M", "far", "7"]]);
  });

  test("once, looked up on its cluster when the answer was lost", async () => {
    const home = tempDir();
    const stdout = "CLUSTER: far\n9_[0-1]|2026-11-22T18:11:04|/h/jobs/12/submit.sh 0+2 T0ken\n";
    const fake = new FakeCommands(home, ([command, ...words]) => {
      if (command === "scontrol") return { stdout: CONFIG.replace("dev", "far") };
      if (command === "squeue") return words.includes("far") ? { stdout } : {};
      return { code: 1, stderr: "Socket timed out on send/recv operation" };
    });
    const request = requestFor(home, 2, { options: { clusters: "far" } });
    const { natives } = await slurm.submit(request, fake.context);
    expect(natives).toMatchObject([{ id: "9", cluster: "far" }]);
    expect(await slurm.find?.("T0ken", fake.context, request.spec)).toMatchObject({
      natives: [{ id: "9", cluster: "far" }],
    });
    expect(fake.callsOf("sbatch")).toHaveLength(1);
  });

  test("with the cluster's name, asked again where it was not told in time", async () => {
    let asked = 0;
    const fake = new FakeCommands(tempDir(), ([command]) => {
      if (command === "sbatch") return { stdout: "5\n" };
      return ++asked === 1 ? new Error("took longer than 2 s") : { stdout: CONFIG };
    });
    const { natives } = await slurm.submit(requestFor(fake.context.home, 1), fake.context);
    expect(natives).toMatchObject([{ id: "5", cluster: "dev" }]);
  });

  test("never to wait for a job of another cluster", async () => {
    const home = tempDir();
    const { dir, spec } = requestFor(home, 1, { id: 4 });
    writeSpec(dir, spec);
    writeNative(dir, { natives: [{ ...nativeOf("400", 1), cluster: "far" }] });
    const fake = new FakeCommands(home, answers({}));
    const waiting = requestFor(home, 1, { run: { after: [{ job: 4, kind: "ok" }] } });
    await expect(slurm.validate?.(waiting.spec, fake.context)).rejects.toMatchObject({
      code: "USAGE",
      message: "Job 4 is on the cluster far, and a job on dev cannot wait for it",
    });
  });

  test("with every word that an #SBATCH line may have, or with what to write instead", () => {
    const script = SBATCH_WORDS.map((word) => `#SBATCH --${word}=1`).join("\n");
    const { options, flags, unknown } = parseDirectives(script);
    expect(unknown).toEqual([]);
    expect(flags).toEqual({});
    for (const [name, value] of Object.entries(options)) {
      const taken = () => validateOptions("slurm", slurm.options, { [name]: value }, "-o");
      if (["hold", "kill-on-invalid-dep"].includes(name)) expect(taken).toThrow("use ");
      else expect(taken()).toHaveProperty(name);
    }
  });

  test.each([
    ["array-parallelism", "--parallel N"],
    ["setup", "--setup LINE"],
    ["teardown", "--teardown LINE"],
    ["signal-delay", "--signal-delay T"],
    ["stderr-to-stdout", "--merge-output"],
  ])("never with %s, which is %s on any executor", (name, flag) => {
    expect(() => validateOptions("slurm", slurm.options, { [name]: "1" }, "-o")).toThrow(flag);
  });

  test("without variables of other jobs, but with those that say where Slurm is", async () => {
    const home = tempDir();
    const env = { PATH: process.env["PATH"], SLURM_CONF: "/etc/other.conf", SBATCH_QOS: "x" };
    const fake = new FakeCommands(home, answers({ sbatch: { stdout: "5" } }), env);
    await slurm.submit(requestFor(home, 1), fake.context);
    const own = fake.environments[fake.calls.findIndex(([command]) => command === "sbatch")];
    expect(own).toEqual({ PATH: "/usr/bin", HOME: "/home/ann", SLURM_CONF: "/etc/other.conf" });
  });

  test("never from a home whose path has a backslash, by which Slurm would write no log", async () => {
    const { spec } = requestFor(tempDir(), 1);
    const { context } = new FakeCommands("/scratch/a\\b", () => ({}), { PATH: commandsIn(tempDir()) });
    await expect(slurm.validate?.(spec, context)).rejects.toThrow(
      "Slurm writes no log to a path with a backslash: /scratch/a\\b",
    );
  });

  test("never with flags that are jobx's own, and not without Slurm's commands", async () => {
    const bin = tempDir();
    const { spec } = requestFor(tempDir(), 1, { options: { extra: "--output=x.log" } });
    const { context } = new FakeCommands(tempDir(), () => ({}), { PATH: bin });
    const why = "sbatch, squeue, scancel, scontrol are not on PATH";
    expect(await slurm.affinity(context)).toEqual({ score: -1, why });
    commandsIn(bin);
    await expect(slurm.validate?.(spec, context)).rejects.toThrow("--output=x.log is jobx's own to give");
    expect(await slurm.affinity(context)).toMatchObject({ score: 2 });
  });
});

describe("what a partition allows", () => {
  // sinfo of 22.05.8, the second partition with nodes of two sizes.
  const SINFO = [
    "main*|infinite|n/a|8|65536|1-infinite|3",
    "gpu|1-00:00:00|1:00|16|131072|1-2|7",
    "gpu|1-00:00:00|1:00|64|262144|1-2|1",
  ].join("\n");

  async function accepted(changes: Parameters<typeof requestFor>[2], tasks = 1) {
    const home = tempDir();
    const fake = new FakeCommands(home, answers({ sbatch: { stdout: "5\n" }, sinfo: { stdout: SINFO } }), {
      PATH: commandsIn(tempDir()),
    });
    const request = requestFor(home, tasks, changes);
    await slurm.validate?.(request.spec, fake.context);
    await slurm.submit(request, fake.context);
    return fake;
  }

  test.each([
    [{ timeSeconds: 90_000, partition: "gpu" }, "asks for 1d 1h, and partition gpu allows 1d"],
    [{ cpus: 65, partition: "gpu" }, "asks for 65 CPUs on a node, and partition gpu has nodes of 64 at most"],
    [{ cpus: 5, ranksPerNode: 2 }, "asks for 10 CPUs on a node, and partition main has nodes of 8 at most"],
    [{ nodes: 3, partition: "gpu" }, "asks for 3 nodes, and partition gpu allows 2"],
    [{ nodes: 4 }, "asks for 4 nodes, and partition main allows 3"],
    [{ memBytes: 2 ** 37 }, "asks for 128.0 GiB of memory, and partition main has nodes of 64.0 GiB at most"],
  ])("is the most that %o may ask for", async (resources, message) => {
    await expect(accepted({ resources })).rejects.toMatchObject({
      code: "REFUSED",
      message: expect.stringContaining(message),
    });
  });

  test("holds for what a packed element asks for", async () => {
    const resources = { timeSeconds: 3600, cpus: 2 };
    const pack = (tasks: number, slots: number) =>
      accepted({ resources, run: { pack: { tasks, slots } } }, 100);
    await expect(pack(100, 8)).rejects.toThrow("An element of 100 tasks, 8 at once, asks for 16 CPUs");
    await pack(100, 4);
  });

  test("is asked for once, and not at all by a job that asks for nothing or that a QOS lets have more", async () => {
    const some = await accepted({ resources: { timeSeconds: 60 } });
    expect(some.callsOf("sinfo")).toHaveLength(1);
    expect((await accepted({})).callsOf("sinfo")).toEqual([]);
    const qos = { timeSeconds: 90_000, partition: "gpu", qos: "long" };
    expect((await accepted({ resources: qos })).callsOf("sinfo")).toEqual([]);
  });

  test("is asked for in full, with no room for the warning beyond it, by a job that needs all of it", async () => {
    const fake = await accepted({ resources: { timeSeconds: 86_400, partition: "gpu" } });
    expect(fake.callsOf("sbatch")[0]).toContain("--time=1440");
  });

  test("is any of several partitions, and is not known of one that sinfo does not show", async () => {
    await accepted({ resources: { timeSeconds: 90_000, partition: "gpu,main" } });
    await accepted({ resources: { timeSeconds: 90_000, partition: "hidden" } });
  });
});

test("sbatch's answer is read whatever a site prints around it", async () => {
  const texts = [
    "4211\n",
    "Welcome to dev\n4211\nEnjoy 3 GPUs\n",
    "4211;dev\n",
    "Submitted batch job 4211\n",
  ];
  for (const stdout of texts) {
    const home = tempDir();
    const fake = new FakeCommands(home, answers({ sbatch: { stdout } }));
    expect((await slurm.submit(requestFor(home, 1), fake.context)).natives).toMatchObject([
      { id: "4211", cluster: "dev" },
    ]);
  }
});

test("a refusal shows Slurm's words and what to do", async () => {
  const home = tempDir();
  const stderr =
    "sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified\n";
  const fake = new FakeCommands(home, answers({ sbatch: { code: 1, stderr } }));
  const error = slurm.submit(requestFor(home, 1), fake.context);
  await expect(error).rejects.toMatchObject({
    code: "REFUSED",
    message: expect.stringContaining("invalid partition specified: nope"),
    hint: expect.stringContaining("sinfo"),
  });
});

test.each([
  ["-o qos", { options: { qos: "long" } }, {}],
  ["the site's QOS", {}, { SBATCH_QOS: "long" }],
  ["the site's reservation", {}, { SBATCH_RESERVATION: "mine" }],
  ["-o extra", { options: { extra: "-q long" } }, {}],
  ["SLURM_CLUSTERS", {}, { SLURM_CLUSTERS: "far" }],
])("what a partition allows is no limit where %s may allow more", async (_, changes, env) => {
  const sinfo = { stdout: "main*|1-00:00:00|1:00|8|1000|1-infinite|3\n" };
  const { spec } = requestFor(tempDir(), 1, { resources: { timeSeconds: 10 * 86_400 }, ...changes });
  const path = { PATH: commandsIn(tempDir()) };
  const asked = (given: object) => new FakeCommands(tempDir(), answers({ sinfo }), { ...path, ...given });
  await expect(slurm.validate?.(spec, asked(env).context)).resolves.toBeUndefined();
  const { spec: plain } = requestFor(tempDir(), 1, { resources: { timeSeconds: 10 * 86_400 } });
  await expect(slurm.validate?.(plain, asked({}).context)).rejects.toThrow("partition main allows 1d");
});

describe("the script", () => {
  test("lets no signal end it before the worker listens, and gives it its place", async () => {
    const home = tempDir();
    const request = requestFor(home, 2, { resources: { timeSeconds: 600 } });
    const fake = new FakeCommands(home, answers({ sbatch: { stdout: "5" } }));
    await slurm.submit(request, fake.context);
    const script = await Bun.file(jobFiles.script(request.dir)).text();
    expect(script).toStartWith("#!/bin/bash\n");
    expect(script).toContain("trap '' USR1 USR2 TERM\n");
    expect(script).toEndWith(`exec /opt/jobx _worker ${request.dir}\n`);
    expect(
      await variables(script, { SLURM_ARRAY_TASK_ID: "7", SLURM_ARRAY_JOB_ID: "42", SLURM_JOB_ID: "49" }),
    ).toEqual({
      JOBX_ELEMENT: "1007",
      JOBX_RESTARTS: "0",
      JOBX_HOSTLIST: "",
      JOBX_ELEMENT_SECONDS: "720",
      JOBX_REQUEUE_COMMAND: '["scontrol","requeue","42_7"]',
    });
  });

  test("starts several ranks by srun", async () => {
    const home = tempDir();
    const request = requestFor(home, 1, {
      resources: { nodes: 2, ranksPerNode: 4 },
      options: { "srun-args": "--mpi=pmi2" },
    });
    const fake = new FakeCommands(home, answers({ sbatch: { stdout: "5" } }));
    await slurm.submit(request, fake.context);
    const found = await variables(await Bun.file(jobFiles.script(request.dir)).text(), {
      SLURM_JOB_ID: "49",
    });
    expect(JSON.parse(found["JOBX_RANK_COMMAND"] ?? "")).toEqual([
      "srun",
      "--kill-on-bad-exit=1",
      "--nodes=2",
      "--ntasks=8",
      "--ntasks-per-node=4",
      "--mpi=pmi2",
    ]);
    expect(found).toMatchObject({ JOBX_REQUEUE_COMMAND: '["scontrol","requeue","49"]' });
  });
});

describe("status", () => {
  test("reads arrays that wait as one row, with or without their end", async () => {
    const script = (home: string) => jobFiles.script(`${home}/jobs/12`);
    const statuses = await statusOf(10, (home) => ({
      squeue: {
        stdout: [
          `7_[4-6,9%4]|PENDING|JobArrayTaskLimit||2026-11-22T18:10:04|N/A|N/A|${script(home)} 0+10 T`,
          `7_[7-8|CANCELLED|JobHeldUser||2026-11-22T18:10:04|2026-11-22T18:10:35|N/A|${script(home)} 0+10 T`,
          `7_0|RUNNING|None|node1|2026-11-22T18:10:04|NONE|2026-11-22T18:10:04|${script(home)} 0+10 T`,
          `7_1|COMPLETING|None|node1|2026-11-22T18:10:04|NONE|2026-11-22T18:10:04|${script(home)} 0+10 T`,
          `7_2|COMPLETED|None|node1|2026-11-22T18:10:04|2026-11-22T18:10:25|2026-11-22T18:10:04|${script(home)} 0+10 T`,
          `7_3|FLYING|None|node1|2026-11-22T18:10:04|NONE|N/A|${script(home)} 0+10 T`,
        ].join("\n"),
      },
    }));
    expect(statuses.map((one) => one.state).join(" ")).toBe(
      "running running ended queued queued queued queued cancelled cancelled queued",
    );
    expect(statuses[4]?.reason).toContain("JobArrayTaskLimit: as many of its tasks run");
    expect(statuses[3]).toMatchObject({ native: "FLYING", reason: expect.stringContaining("does not know") });
    expect(statuses[7]).toMatchObject({ neverStarted: true });
  });

  test("takes a row of another submission with the same id for none of its own", async () => {
    const row = "7|RUNNING|None|node1|2026-11-22T18:10:04|NONE|N/A|/elsewhere/submit.sh 0+1 T";
    expect(await statusOf(1, () => ({ squeue: { stdout: row } }))).toMatchObject([{ state: "unknown" }]);
  });

  test("learns exit codes from sacct, and from scontrol where there is no accounting", async () => {
    const squeue = (home: string) => ({
      stdout: `7|FAILED|JobLaunchFailure|node2|2026-11-22T18:11:04|2026-11-22T18:11:04|N/A|${home}/jobs/12/submit.sh 0+1 T`,
    });
    const sacct = { stdout: `7|FAILED|0:53|node2|${local(60)}|${local(50)}|None|train\n` };
    const withAccounting = await statusOf(1, (home) => ({ squeue: squeue(home), sacct }));
    expect(withAccounting).toMatchObject([{ state: "failed", reason: expect.stringContaining("0:53") }]);
    const without = await statusOf(1, (home) => ({
      squeue: squeue(home),
      sacct: { code: 1, stderr: "Slurm accounting storage is disabled\n" },
      scontrol: {
        stdout: `JobId=7 JobName=x JobState=FAILED Reason=NonZeroExitCode Dependency=(null) ExitCode=9:0 SubmitTime=2026-11-22T18:11:04 EndTime=2026-11-22T18:11:06 NodeList=node2 Command=${home}/jobs/12/submit.sh 0+1 T WorkDir=/tmp\n`,
      },
    }));
    expect(without).toMatchObject([
      {
        state: "failed",
        reason: "Slurm says FAILED on node2 (exit code 9, NonZeroExitCode), and it left no record",
      },
    ]);
  });

  test.each([
    ["submitted long before", () => `7|COMPLETED|0:0|node2|${local(7200)}|${local(7100)}|None|train\n`],
    ["with another name", () => `7|COMPLETED|0:0|node2|${local(30)}|${local(20)}|None|other|one\n`],
  ])("takes what sacct says of an id for nothing when it is about a job %s", async (_, row) => {
    const scontrol = { code: 1, stderr: "slurm_load_jobs error: Invalid job id specified\n" };
    const statuses = await statusOf(1, () => ({ squeue: {}, sacct: { stdout: row() }, scontrol }));
    expect(statuses).toMatchObject([{ state: "unknown" }]);
  });

  test("believes sacct of a job that was requeued, and so submitted again by Slurm's reckoning", async () => {
    const stdout = `7|TIMEOUT|0:0|node2|${local(-3600)}|${local(0)}|None|train\n`;
    expect(await statusOf(1, () => ({ squeue: {}, sacct: { stdout } }))).toMatchObject([
      { state: "timeout" },
    ]);
  });

  test("is unknown only when nobody knows the job, and says who was not to be asked", async () => {
    const statuses = await statusOf(1, () => ({
      squeue: {},
      sacct: { code: 1, stderr: "sacct: error: Problem talking to the database: Connection refused\n" },
      scontrol: { code: 1, stderr: "slurm_load_jobs error: Invalid job id specified\n" },
    }));
    expect(statuses).toMatchObject([
      { state: "unknown", reason: expect.stringContaining("Connection refused") },
    ]);
  });

  test.each([
    ["PENDING", "Priority", "jobs of higher priority are ahead"],
    ["PENDING", "ReqNodeNotAvail, UnavailableNodes:node1", "a node that it needs is down"],
    ["PENDING", "AssocGrpGRES", "your group's GPU limit is reached"],
    ["PENDING", "QOSMaxCpuPerUserLimit", "the QOS's CPU limit is reached"],
    ["PENDING", "AssocMaxJobsLimit", "your account's job limit is reached"],
    [
      "PENDING",
      "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
      "taken by partitions of higher priority",
    ],
    ["PENDING", "JobHeldUser", "jobx release lets it start"],
    ["PENDING", "job requeued in held state", "held; jobx release lets it start"],
    ["PENDING", "launch failed requeued held", "could not be started on the node; jobx release tries again"],
    ["PENDING", "BeginTime", "time to begin has not come"],
    ["PENDING", "Dependency", "waits for job 3"],
    ["OUT_OF_MEMORY", "OutOfMemory", "retry with more --mem"],
    ["NODE_FAIL", "None", "the node failed on node1"],
    ["PREEMPTED", "None", "preempted on node1"],
    ["TIMEOUT", "TimeLimit", "at its time limit"],
    ["CANCELLED by 1000", "None", "by user 1000"],
    ["CANCELLED", "DependencyNeverSatisfied", "job 3 did not end as --after asks for"],
  ])("says of %s with the reason %s: %s", async (state, reason, words) => {
    const statuses = await statusOf(
      1,
      (home) => ({
        squeue: {
          stdout: `7|${state}|${reason}|${state === "PENDING" ? "" : "node1"}|2026-11-22T18:11:04|N/A|N/A|${home}/jobs/12/submit.sh 0+1 T`,
        },
      }),
      { run: { after: [{ job: 3, kind: "ok" }] } },
    );
    expect(statuses[0]?.reason).toContain(words);
  });

  // squeue(1), JOB STATE CODES, of 22.05.8, and what later versions have added; the last one is nobody's.
  test.each([
    [
      "queued",
      "PENDING CONFIGURING POWER_UP_NODE REQUEUED REQUEUE_FED REQUEUE_HOLD RESV_DEL_HOLD SPECIAL_EXIT FLYING",
    ],
    ["running", "RUNNING COMPLETING EXPEDITING RESIZING SIGNALING STAGE_OUT STOPPED SUSPENDED UPDATE_DB"],
    ["ended", "COMPLETED"],
    ["failed", "BOOT_FAIL FAILED LAUNCH_FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED RECONFIG_FAIL"],
    ["timeout", "DEADLINE TIMEOUT"],
    ["cancelled", "CANCELLED"],
  ])("is %s, with Slurm's word and a reason, for %s", async (state, words) => {
    const table: Record<string, string | undefined> = slurm.scheduler?.states ?? {};
    for (const native of words.split(" ")) {
      const [status] = await statusOf(1, (home) => ({
        squeue: {
          stdout: `7|${native}|None|node1|2026-11-22T18:11:04|N/A|N/A|${home}/jobs/12/submit.sh 0+1 T`,
        },
      }));
      expect(status).toMatchObject({ state, native });
      if (native !== "RUNNING") expect(status?.reason).toBeString();
      expect(table[native]).toBe(native === "FLYING" ? undefined : state);
    }
  });

  test.each([
    ["JobHeldUser", 3_600],
    ["Resources", 366 * 86_400],
  ])("gives no estimate of a start that is none: %s", async (reason, seconds) => {
    const [status] = await statusOf(1, (home) => ({
      squeue: {
        stdout: `7|PENDING|${reason}||${local(0)}|N/A|${local(-seconds)}|${home}/jobs/12/submit.sh 0+1 T`,
      },
    }));
    expect(status?.reason).toStartWith(`${reason}: `);
    expect(status?.reason).not.toContain("estimated");
  });

  test("says what lets an element go that Slurm holds after requeues", async () => {
    const [status] = await statusOf(1, (home) => ({
      squeue: {
        stdout: `7|REQUEUE_HOLD|JobHoldMaxRequeue||2026-11-22T18:11:04|N/A|N/A|${home}/jobs/12/submit.sh 0+1 T`,
      },
    }));
    expect(status?.reason).toBe(
      "Slurm says REQUEUE_HOLD (JobHoldMaxRequeue); held, jobx release lets it start",
    );
  });

  test("is left to sacct where squeue has only a federation's copy that was revoked", async () => {
    const state = async (sacct: string) => {
      const stdout = `7|REVOKED|None||2026-11-22T18:11:04|N/A|N/A|/h/jobs/12/submit.sh 0+1 T0ken`;
      const row = `7|${sacct}|0:0|node1|${local(0)}|${local(0)}|None|train\n`;
      return (await statusOf(1, () => ({ squeue: { stdout }, sacct: { stdout: row } })))[0];
    };
    expect(await state("COMPLETED")).toMatchObject({ state: "ended", native: "COMPLETED" });
    expect(await state("REVOKED")).toMatchObject({ state: "cancelled", native: "REVOKED" });
  });

  test("counts for a person who looks the jobs that are ahead, at most once a minute", async () => {
    const home = tempDir();
    const command = `${home}/jobs/12/submit.sh 0+1 T`;
    const startsAt = local(-3600);
    const row = `7|PENDING|Priority||${local(60)}|N/A|${startsAt}|${command}`;
    const pending = "5_[0-9]|100|gpu\n6|50|gpu\n7|90|gpu\n8|90|gpu\n9|200|gpu,cpu\n10|200|cpu\n";
    const fake = new FakeCommands(home, (argv) => {
      if (argv[0] !== "squeue") return argv[0] === "scontrol" ? { stdout: CONFIG } : {};
      return { stdout: argv.includes("-u") ? row : pending };
    });
    const ref = refFor(requestFor(home, 1), [nativeOf("7", 1)]);
    for (const _ of [1, 2]) {
      const [status] = await slurm.status([ref], fake.context, { detail: true });
      expect(status?.reason).toMatch(/^Priority: 2 jobs ahead in partition gpu; estimated start /);
      expect(status?.reason).toEndWith(startsAt.slice(11, 16));
    }
    expect(fake.callsOf("squeue").filter((argv) => argv.includes("pending"))).toHaveLength(1);
    await slurm.status([ref], fake.context);
    expect(fake.callsOf("squeue").filter((argv) => argv.includes("pending"))).toHaveLength(1);
  });

  test("asks another cluster by its name, and says of one that cannot be reached that it cannot", async () => {
    const home = tempDir();
    const stderr =
      "squeue: error: No cluster 'far' known by database.\nsqueue: error: 'far' can't be reached now\n";
    const fake = new FakeCommands(home, answers({ squeue: { code: 1, stderr } }));
    const ref = refFor(requestFor(home, 1), [{ ...nativeOf("7", 1), cluster: "far" }]);
    expect(await slurm.status([ref], fake.context)).toMatchObject([
      { state: "queued", reason: "it is on the cluster far, which cannot be asked from this host" },
    ]);
    expect(fake.callsOf("squeue")[0]?.slice(0, 3)).toEqual(["squeue", "-M", "far"]);
  });
});

test("elements are cancelled in one call, by ranges", async () => {
  const home = tempDir();
  const row = `7_[0-999]|PENDING|Resources||2026-11-22T18:11:04|N/A|N/A|${home}/jobs/12/submit.sh 0+1000 T`;
  const fake = new FakeCommands(home, answers({ squeue: { stdout: row } }));
  const job = refFor(requestFor(home, 1000), [nativeOf("7", 1000)]);
  const tasks = Array.from({ length: 500 }, (_, index) => index).concat(700);
  await slurm.cancel([{ job, tasks }], fake.context);
  expect(fake.callsOf("scancel")).toEqual([["scancel", "7_[0-499,700]"]]);
});

test("a submission is found by its token, as squeue shows the script's words", async () => {
  const stdout = [
    "8|2026-11-22T18:11:04|/h/jobs/1/submit.sh 0+1 Other",
    "9_[0-4]|2026-11-22T18:11:04|/h/jobs/2/su b.sh 0+5 T0ken",
    "9_5|2026-11-22T18:11:04|/h/jobs/2/su b.sh 0+5 T0ken",
  ].join("\n");
  const fake = new FakeCommands(tempDir(), answers({ squeue: { stdout } }));
  expect(await slurm.find?.("T0ken", fake.context, requestFor(tempDir(), 1).spec)).toMatchObject({
    natives: [{ id: "9", cluster: "dev", firstElement: 0, elements: 5 }],
  });
  expect(await slurm.find?.("None", fake.context, requestFor(tempDir(), 1).spec)).toBeNull();
});

/** A folder with Slurm's commands, which do nothing. */
function commandsIn(bin: string): string {
  for (const name of ["sbatch", "squeue", "scancel", "scontrol"]) symlinkSync("/bin/true", `${bin}/${name}`);
  return bin;
}

/** A time so many seconds ago, as Slurm prints it. */
function local(secondsAgo: number): string {
  const time = Date.now() - secondsAgo * 1000 - new Date().getTimezoneOffset() * 60_000;
  return new Date(time).toISOString().slice(0, 19);
}

/** sbatch(1) of 22.05: what only Slurm understands. */
const SBATCH_WORDS =
  "acctg-freq batch bb bbf begin cluster-constraint clusters comment constraint container contiguous core-spec cores-per-socket cpu-freq deadline delay-boot dependency distribution exclude exclusive extra-node-info get-user-env gpu-bind gpu-freq gpus-per-socket gpus-per-task gres-flags hint hold kill-on-invalid-dep licenses mail-type mail-user mcs-label mem-bind mem-per-cpu mem-per-gpu mincpus network nice no-kill nodefile nodelist ntasks-per-core ntasks-per-gpu ntasks-per-socket overcommit oversubscribe power prefer priority profile propagate reboot reservation sockets-per-node spread-job switches thread-spec threads-per-core time-min tmp uid use-min-nodes wckey".split(
    " ",
  );

type Answers = Record<string, { code?: number; stdout?: string; stderr?: string }>;

/** Answers by command; scontrol says the configuration when it is asked for it. */
function answers(given: Answers) {
  return (argv: string[]) => {
    if (argv.join(" ") === "scontrol show config") return { stdout: CONFIG };
    return given[argv[0] ?? ""] ?? {};
  };
}

/** The sbatch command of a job. */
async function submitted(
  changes: Parameters<typeof requestFor>[2],
  tasks = 1,
  env?: Record<string, string | undefined>,
  home = tempDir(),
): Promise<string[]> {
  const fake = new FakeCommands(home, answers({ sbatch: { stdout: "5\n" } }), env);
  await slurm.submit(requestFor(home, tasks, changes), fake.context);
  return fake.callsOf("sbatch")[0] ?? [];
}

async function statusOf(
  elements: number,
  given: (home: string) => Answers,
  changes: Parameters<typeof requestFor>[2] = {},
): Promise<ElementStatus[]> {
  const home = tempDir();
  const fake = new FakeCommands(home, answers(given(home)));
  return await slurm.status(
    [refFor(requestFor(home, elements, changes), [nativeOf("7", elements)])],
    fake.context,
  );
}

/** What the script exports, run by bash as element 7 of the part from 1000 on. */
async function variables(script: string, env: Record<string, string>): Promise<Record<string, string>> {
  const printing = script.replace(/^exec .*$/m, "env");
  const child = Bun.spawn(["bash", "-c", printing, "submit.sh", "1000+1000", "T0ken"], {
    env: { PATH: process.env["PATH"], ...env },
  });
  const lines = (await child.stdout.text()).split("\n").filter((line) => line.startsWith("JOBX_"));
  return Object.fromEntries(
    lines.map((line) => [line.split("=")[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
}
