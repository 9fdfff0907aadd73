import { describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import sge from "../../plugins/sge.ts";
import { FakeCommands, nativeOf, refFor, requestFor } from "../helpers/scheduler.ts";
import { tempDir } from "../helpers/temp.ts";

const LIMITS = { stdout: "max_aj_tasks                 75000\n" };

/** The words of the qsub that a job is submitted by. */
async function qsubOf(tasks: number, changes: Parameters<typeof requestFor>[2] = {}): Promise<string> {
  const home = tempDir();
  const commands = new FakeCommands(home, ([name]) => (name === "qconf" ? LIMITS : { stdout: "77\n" }));
  await sge.submit(requestFor(home, tasks, { executor: "sge", ...changes }), commands.context);
  return commands.callsOf("qsub")[0]?.join(" ") ?? "";
}

describe("qsub is told", () => {
  test("nothing of resources that nobody asked for", async () => {
    const words = await qsubOf(1);
    expect(words).toContain("-N train.T0ken.0+1 -r y -notify ");
    expect(words).not.toMatch(/ -(l|pe|q|P|t|tc) /);
  });

  test("an array from 1 on, its throttle, and whether it may run again", async () => {
    const words = await qsubOf(10, { run: { parallel: 4, requeue: false } });
    expect(words).toContain("-r n ");
    expect(words).toContain("-t 1-10 -tc 4 ");
  });

  test("slots in parallel environments, and resources by the site's names", async () => {
    const resources = {
      cpus: 2,
      ranksPerNode: 3,
      memBytes: 6 * 2 ** 20,
      gpus: { count: 6 },
      timeSeconds: 60,
    };
    const options = {
      pe: "openmp",
      "mem-resource": "h_vmem",
      "mem-per-slot": true,
      "gpus-per-slot": true,
      notify: false,
    };
    const words = await qsubOf(1, { resources, options });
    expect(words).toContain("-pe openmp 6 -l h_rt=150,h_vmem=1024K,gpu=1 ");
    expect(words).not.toContain("-notify");
    expect(await qsubOf(1, { resources: { nodes: 2, ranksPerNode: 4 } })).toContain("-pe mpi 8 ");
    expect(await qsubOf(1, { options: { pe: "mpi 32" } })).toContain("-pe mpi 32 ");
  });

  test("names that it takes", async () => {
    expect(await qsubOf(1, { name: "1 tö/x" })).toContain("-N j1_t_x.T0ken.0+1 ");
  });
});

test("what it does not have is refused in words", async () => {
  const { context } = new FakeCommands(tempDir(), () => ({}), {
    PATH: bin("qconf", "qsub", "qstat", "qdel"),
  });
  const check = (changes: Parameters<typeof requestFor>[2]) =>
    sge.validate?.(requestFor(tempDir(), 1, changes).spec, context);
  await expect(check({ resources: { qos: "high" } })).rejects.toThrow("no QOS");
  await expect(check({ resources: { gpus: { type: "a100", count: 1 } } })).rejects.toThrow(
    "no types of GPUs",
  );
  await expect(check({ options: { extra: "-hold_jid 3 -t 1-4" } })).rejects.toThrow("-t is jobx's own");
  await expect(check({ options: { extra: "-ac 'note=" } })).rejects.toThrow("never ends");
});

test("it is not here where only another scheduler's qsub and qstat are", async () => {
  const affinity = (...commands: string[]) =>
    sge.affinity(new FakeCommands(tempDir(), () => ({}), { PATH: bin(...commands) }).context);
  expect(await affinity("qsub", "qstat", "qdel")).toMatchObject({ score: -1 });
  expect(await affinity("qsub", "qstat", "qdel", "qconf")).toMatchObject({ score: 2 });
});

describe("status", () => {
  const row = (id: string, state: string, tasks: string, name = "train.T0ken.0+10") =>
    `<job_list state="x"><JB_job_number>${id}</JB_job_number><JB_name>${name}</JB_name><state>${state}</state><queue_name></queue_name><tasks>${tasks}</tasks></job_list>`;
  const statesOf = async (
    rows: string,
    later: (argv: string[]) => object = () => ({ code: 1, stderr: "not found" }),
  ) => {
    const home = tempDir();
    const commands = new FakeCommands(home, (argv) => {
      if (argv[0] === "qconf") return LIMITS;
      if (argv[1] === "-xml") return { stdout: `<job_info>${rows}</job_info>` };
      return argv[1] === "-j" && argv[0] === "qstat"
        ? { code: 1, stderr: "Following jobs do not exist" }
        : later(argv);
    });
    const job = refFor(requestFor(home, 10), [nativeOf("77", 10)]);
    return await sge.status([job], commands.context);
  };

  test("reads tasks that wait, counted from 1, with steps and in lists", async () => {
    const found = await statesOf(
      row("77", "qw", "2-6:2,8") + row("77", "r", "1") + row("77", "hqw", "3,5,7,9-10:1"),
    );
    expect(found.map(({ native }) => native).join(" ")).toBe("r qw hqw qw hqw qw hqw qw hqw hqw");
    expect(found[1]?.reason).toContain("free slots");
  });

  test("knows at once that what cannot be started left no record", async () => {
    const found = await statesOf(row("77", "Eqw", "1-10:1"));
    expect(found[0]).toMatchObject({ state: "failed", neverStarted: true });
    expect(found[0]?.reason).toContain("see qstat -j 77; qdel 77 takes it out of the queue");
  });

  test("takes a row of another submission with the same id for none of its own", async () => {
    const found = await statesOf(row("77", "r", "1-10:1", "other.0ther.0+10"));
    expect(new Set(found.map(({ state }) => state))).toEqual(new Set(["unknown"]));
  });

  test("says how a task ended that left no record, the last run counting", async () => {
    const block = (task: number, failed: string, exit: string) =>
      `${"=".repeat(62)}\nhostname     node1\njobname      train.T0ken.0+10\njobnumber    77\ntaskid       ${task}\nfailed       ${failed}\nexit_status  ${exit}\n`;
    const stdout = [
      block(1, "25  : rescheduling", "99"),
      block(1, "37  : qmaster enforced h_rt, h_cpu, or h_vmem limit", "137                  (Killed)"),
      block(2, "19  : before writing exit_status", "0"),
      block(3, "100 : assumedly after job", "137                  (Killed)"),
      block(4, "0", "127"),
    ].join("");
    const found = await statesOf("", () => ({ stdout }));
    expect(found.slice(0, 4).map(({ state }) => state)).toEqual(["timeout", "failed", "failed", "failed"]);
    expect(found[1]?.reason).toBe("its node, node1, failed (before writing exit_status)");
    expect(found[2]?.reason).toContain("signal 9: deleted outside of jobx");
    expect(found[3]?.reason).toContain("is the home there?");
  });
});

test("elements are cancelled in one call, by ranges counted from 1", async () => {
  const home = tempDir();
  const rows = `<job_list><JB_job_number>77</JB_job_number><state>r</state><tasks>1-10:1</tasks></job_list>`;
  const commands = new FakeCommands(home, ([name]) =>
    name === "qconf" ? LIMITS : name === "qstat" ? { stdout: `<job_info>${rows}</job_info>` } : {},
  );
  const job = refFor(requestFor(home, 10), [nativeOf("77", 10)]);
  await sge.cancel([{ job, tasks: [1, 2, 3, 7] }], commands.context);
  expect(commands.callsOf("qdel")).toEqual([["qdel", "77.2-4", "77.8"]]);
});

describe("doctor tells", () => {
  const findings = async (answers: Record<string, object>) => {
    const commands = new FakeCommands(tempDir(), (argv) => answers[argv.join(" ")] ?? {});
    const found = (await sge.examine?.(commands.context)) ?? [];
    return found.map(({ verdict, name, detail }) => `${verdict} ${name}: ${detail}`).join("\n");
  };
  const unknown = { code: 1, stderr: "error: job id 1 not found\n" };

  test("the limits, the parallel environments, and that accounting answers", async () => {
    const found = await findings({
      "qconf -sconf": LIMITS,
      "qconf -spl": { stdout: "mpi\nsmp\n" },
      "qacct -j 1": unknown,
    });
    expect(found).toContain("ok limits: arrays of 75000 tasks");
    expect(found).toContain("ok parallel environments: mpi, smp;");
    expect(found).toContain("ok accounting");
    expect(found).not.toMatch(/^(warn|fail)/m);
  });

  test("a qmaster that is away, and an accounting file that this host does not have", async () => {
    const down = { code: 1, stderr: "error: commlib error: got select error (Connection refused)\n" };
    const found = await findings({
      "qconf -sconf": down,
      "qconf -spl": down,
      "qacct -j 1": { code: 1, stderr: "/opt/sge/default/common/accounting: No such file or directory\n" },
    });
    expect(found).toContain("fail qmaster: error: commlib error");
    expect(found).toContain("warn accounting: /opt/sge/default/common/accounting: No such file");
  });

  test("a user whom the cluster takes no jobs of", async () => {
    const stdout = `min_uid              ${(process.getuid?.() ?? 0) + 1}\n`;
    expect(await findings({ "qconf -sconf": { stdout } })).toContain(
      "fail user: it takes no jobs of user id",
    );
  });
});

/** A folder with programs of these names. */
function bin(...names: string[]): string {
  const folder = tempDir();
  for (const name of names) {
    writeFileSync(join(folder, name), "#!/bin/sh\n");
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}
