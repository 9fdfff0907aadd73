import { describe } from "bun:test";
import { join } from "node:path";

import { admin, type ClusterSettings, TestCluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";

const CLUSTER = join(import.meta.dir, "..", "..", "scripts", "sge-cluster");
const COMMANDS = ["qsub", "qstat", "qacct", "qdel", "qmod", "qhold", "qrls", "qconf"];
const HAS_CLUSTER = process.env["JOBX_TEST_SGE"] === "1";

/** A group of tests on the live cluster; without one they are skipped, and it is said. */
export function describeSge(title: string, tests: () => void): void {
  if (!HAS_CLUSTER) console.warn(`SKIPPED: ${title}: needs a Grid Engine; scripts/test --sge has one`);
  (HAS_CLUSTER ? describe : describe.skip)(`on Grid Engine: ${title}`, tests);
}

/** A jobx on the live Grid Engine. */
export class TestSge extends TestCluster {
  constructor(settings: ClusterSettings = {}) {
    super("sge", COMMANDS, settings);
  }
}

/** A power cut; `startNode` brings the node back. */
export function killNode(name: string): Promise<string> {
  return admin(CLUSTER, "kill-node", name);
}

export async function startNode(name: string): Promise<void> {
  await admin(CLUSTER, "start-node", name);
  await untilAvailable(name);
}

export function stopQmaster(): Promise<string> {
  return admin(CLUSTER, "stop-daemon", "qmaster");
}

export async function startQmaster(): Promise<void> {
  await admin(CLUSTER, "start-daemon", "qmaster");
  for (const name of ["sge1", "sge2"]) await untilAvailable(name);
}

/** Waits until the qmaster shows a job in this state; it learns within a second that one has started. */
export async function untilNativeState(native: string, state: string): Promise<void> {
  const line = new RegExp(`^ *${native} +\\S+ +\\S+ +\\S+ +${state} `, "m");
  await eventually(async () => line.test(await admin("qstat", "-u", "*")), {
    timeoutMs: 30_000,
    what: `job ${native} in state ${state}`,
  });
}

/** A queue in a bad state has a sixth column that says so. */
async function untilAvailable(name: string): Promise<void> {
  const line = new RegExp(`^main\\.q@${name} +\\S+ +\\S+ +[\\d.]+ +\\S+ *$`, "m");
  await eventually(async () => line.test(await admin("qstat", "-f", "-q", `main.q@${name}`)), {
    timeoutMs: 60_000,
    what: `node ${name} back`,
  });
}
