import { describe } from "bun:test";
import { join } from "node:path";

import { admin, type ClusterSettings, TestCluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";

export { admin, type TaskStatus } from "./cluster.ts";

const CLUSTER = join(import.meta.dir, "..", "..", "scripts", "slurm-cluster");
const COMMANDS = ["sbatch", "squeue", "sacct", "scontrol", "scancel", "sinfo", "srun"];
/** Whether there is a live cluster, which the tests may use. */
export const HAS_CLUSTER = process.env["JOBX_TEST_SLURM"] === "1";

/** A group of tests on the live cluster; without one they are skipped, and it is said. */
export function describeSlurm(title: string, tests: () => void): void {
  if (!HAS_CLUSTER) console.warn(`SKIPPED: ${title}: needs a Slurm cluster; scripts/test --slurm has one`);
  (HAS_CLUSTER ? describe : describe.skip)(`on Slurm: ${title}`, tests);
}

/** A jobx on the live Slurm cluster. */
export class TestSlurm extends TestCluster {
  constructor(settings: ClusterSettings = {}) {
    super("slurm", COMMANDS, settings);
  }
}

/**
 * Gives each test of a group that run at the same time a jobx of its own, by `settings` in their order. They are made at
 * once, in the group: what cleans up after them cannot be asked for inside a concurrent test.
 */
export function sideBySide(...settings: ClusterSettings[]): () => TestSlurm {
  const made = HAS_CLUSTER ? settings.map((each) => new TestSlurm(each)) : [];
  return () => {
    const jobx = made.shift();
    if (!jobx) throw new Error("More tests than settings");
    return jobx;
  };
}

/** A power cut; `start-node` brings the node back. */
export function killNode(name: string, ...options: "--slurmd-only"[]): Promise<string> {
  return admin(CLUSTER, "kill-node", name, ...options);
}

export async function startNode(name: string): Promise<void> {
  await admin(CLUSTER, "start-node", name);
  await eventually(
    async () => /^(idle|mixed|allocated)$/m.test(await admin("sinfo", "-hn", name, "-o", "%T")),
    {
      timeoutMs: 60_000,
      what: `node ${name} back`,
    },
  );
}

export function stopDaemon(name: "slurmctld" | "slurmdbd"): Promise<string> {
  return admin(CLUSTER, "stop-daemon", name);
}

export function startDaemon(name: "slurmctld" | "slurmdbd"): Promise<string> {
  return admin(CLUSTER, "start-daemon", name);
}
