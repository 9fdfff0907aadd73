import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { admin, describeSlurm, TestSlurm } from "../helpers/slurm.ts";

describeSlurm("somebody other than root", () => {
  test("uses a home whose path has spaces, quotes and percent signs, from submission to retry", async () => {
    const base = new TestSlurm({ user: "jobxtest" });
    const home = join(base.root, 'it\'s 100%a "home" $HOME');
    const settings = { env: { JOBX_HOME: home } };
    await admin("chown", "jobxtest", base.root);
    const words = [
      "--array",
      "0-1",
      "--setup",
      "export GREETING=hi",
      "--",
      "sh",
      "-c",
      "echo $GREETING {index}; test {index} = 0",
    ];
    const id = await base.submit(words, settings);
    expect((await base.run(["wait", "--timeout", "100s", id], settings)).code).toBe(1);
    expect(await base.ok(["logs", `${id}.1`], settings)).toContain("hi 1");
    const ran = await base.run(["retry", id, "--failed"], settings);
    expect(ran.code).toBe(0);
    expect((await base.run(["wait", "--timeout", "100s", "last"], settings)).code).toBe(1);
    const file = await base.file("value.ts", "export default () => process.env.HOME;\n");
    const fn = await base.submit([file], settings);
    expect((await base.run(["wait", "--timeout", "100s", fn], settings)).code).toBe(0);
  });

  test("sees and cancels jobs in a partition that Slurm hides", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    await admin("scontrol", "create", "partitionname=hidden", "nodes=ALL", "hidden=yes");
    try {
      const id = await jobx.submit(["-p", "hidden", "--", "sh", "-c", "echo up; sleep 300"]);
      // Long enough that an answer of Slurm's is younger than the job.
      expect((await jobx.run(["wait", "--timeout", "3s", id])).code).toBe(5);
      expect(jobx.log(id)).toBe("up\n");
      await jobx.ok(["cancel", id]);
      expect(jobx.callLines("scancel")).toHaveLength(1);
      expect(await jobx.wait(id)).toBe(1);
      expect(await jobx.tasks(id)).toMatchObject([{ state: "cancelled" }]);
    } finally {
      await admin("scancel", "--partition=hidden");
      await eventually(
        () =>
          admin("scontrol", "delete", "partitionname=hidden").then(
            () => true,
            () => false,
          ),
        {
          timeoutMs: 60_000,
          what: "the partition deleted",
        },
      );
    }
  });

  test("is refused, and leaves nothing, where the home cannot be written", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    mkdirSync(jobx.home);
    chmodSync(jobx.home, 0o555);
    const refused = await jobx.run(["submit", "--", "true"]);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain(jobx.home);
    expect(jobx.calls("sbatch")).toBe(0);
  });

  test("is refused, and leaves nothing, where the home is full", async () => {
    const jobx = new TestSlurm();
    mkdirSync(jobx.home);
    await admin("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", jobx.home);
    try {
      const refused = await jobx.run(["submit", "--", "true"]);
      expect(refused.code).toBe(3);
      expect(refused.err).toMatch(/space|ENOSPC/i);
      expect(jobx.calls("sbatch")).toBe(0);
      expect(existsSync(join(jobx.home, "jobs", "1"))).toBe(false);
    } finally {
      await admin("umount", jobx.home);
    }
  });
});

describeSlurm("variables of sbatch and of other clusters", () => {
  test("change nothing but who pays and where", async () => {
    const jobx = new TestSlurm();
    const env = {
      SBATCH_PARTITION: "high",
      SBATCH_ARRAY_INX: "0-5",
      SBATCH_OUTPUT: "/nowhere/out",
      SBATCH_TIMELIMIT: "1",
      SBATCH_REQUEUE: "1",
      SBATCH_OPEN_MODE: "t",
      SBATCH_SIGNAL: "KILL@30",
      SBATCH_EXPORT: "NONE",
      SQUEUE_STATES: "PD",
      SQUEUE_FORMAT: "%j",
      SCANCEL_USER: "nobody",
    };
    const script = "echo $SLURM_JOB_PARTITION $COLOUR";
    const id = await jobx.submit(["--", "sh", "-c", script], { env: { ...env, COLOUR: "teal" } });
    expect((await jobx.run(["wait", "--timeout", "100s", id], { env })).code).toBe(0);
    expect(jobx.log(id)).toBe("high teal\n");
  });

  test("do not stand for the cluster that is named, which is kept with the id and asked by its name", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["-o", "cluster=dev", "--", "sh", "-c", "echo up; sleep 60"]);
    expect(jobx.callLines("sbatch")[0]).toContain("--clusters=dev");
    await jobx.untilLogged(id, "up");
    await jobx.ok(["cancel", id]);
    expect(await jobx.wait(id)).toBe(1);
    const refused = await jobx.run(["submit", "-o", "cluster=far", "--", "true"]);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain("far");
  });
});

describeSlurm("jobx doctor", () => {
  test("sends a tiny job through Slurm and removes it again", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    const probe = await jobx.run(["doctor", "--probe", "-e", "slurm", "--timeout", "100s"]);
    expect(probe.code).toBe(0);
    expect(probe.out).toContain("slurm took job 1");
    expect(probe.out).toMatch(/slurm: cluster: dev, Slurm \d+\.\d+/);
    expect(probe.out).toContain("slurm: limits: arrays of 1001 at most");
    expect(probe.out).toContain("slurm: partition: main by default, of 4");
    expect(probe.out).toContain("slurm: accounting: sacct answers");
    expect(probe.out).toContain("slurm: home: ");
    expect(await jobx.json<unknown[]>(["list"])).toEqual([]);
  });
});
