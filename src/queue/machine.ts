import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";

import { formatSize } from "../model/sizes.ts";
import {
  affinityOf,
  allotmentOf,
  gpusOfDevices,
  gpusOfListing,
  groupsOf,
  lineageOf,
  memoryLimitOf,
  memTotalOf,
  quotaOf,
  quotaOfCpuMax,
  visibleGpus,
} from "./machine-text.ts";
import { allocationOf } from "./paths.ts";
import type { Capacity, QueueLimits } from "./protocol.ts";

type Environment = Record<string, string | undefined>;

/** Where a machine is looked at: its file system's root (another one in tests) and an environment. */
export type MachineSource = { env: Environment; root?: string };

/** On a login node that others use too. */
const SHARED_CPUS = 2;
const SHARED_NICE = 10;

const NO_LIMITS: QueueLimits = { cpus: null, memBytes: null, gpus: null, nice: null };

/**
 * What the queue may hand out here: CPUs by affinity and cgroup quota, memory by what the machine has and
 * its cgroups allow, GPUs by CUDA_VISIBLE_DEVICES or what nvidia-smi lists. `limits` are the user's own
 * figures and replace those found. On a host with a scheduler, outside of an allocation: 2 CPUs at nice 10.
 */
export function detectCapacity(source: MachineSource, limits: QueueLimits = NO_LIMITS): Capacity {
  const shared = schedulerOf(source.env);
  const allotment = allotmentOf(source.env);
  const found = Math.min(availableCpus(source.root), allotment.cpus ?? Infinity);
  const cpus = limits.cpus ?? (shared ? Math.min(found, SHARED_CPUS) : found);
  const memBytes = limits.memBytes ?? Math.min(availableMemory(source.root), allotment.memBytes ?? Infinity);
  const gpus = limitGpus(availableGpus(source), limits.gpus);
  const nice = limits.nice ?? (shared ? SHARED_NICE : 0);
  return { cpus, memBytes, gpus, nice, why: explain({ cpus, memBytes, gpus, nice }, limits, shared) };
}

/** The scheduler's command that makes this a shared host; null inside an allocation and without one. */
export function schedulerOf(env: Environment): string | null {
  if (allocationOf(env)) return null;
  return ["sbatch", "qsub", "bsub"].find((name) => Bun.which(name, { PATH: env["PATH"] ?? "" })) ?? null;
}

function availableCpus(root: string | undefined): number {
  const affinity = affinityOf(read(root, "/proc/self/status") ?? "") ?? availableParallelism();
  const groups = groupsOf(read(root, "/proc/self/cgroup") ?? "");
  const quotas = lineageOf(groups.unified ?? "/").map((path) =>
    quotaOfCpuMax(read(root, join("/sys/fs/cgroup", path, "cpu.max")) ?? ""),
  );
  for (const path of groups.cpu === null ? [] : lineageOf(groups.cpu)) {
    const folder = join("/sys/fs/cgroup/cpu", path);
    const quota = Number(read(root, join(folder, "cpu.cfs_quota_us")) ?? -1);
    quotas.push(quotaOf(quota, Number(read(root, join(folder, "cpu.cfs_period_us")) ?? 0)));
  }
  return Math.max(1, least([affinity, ...quotas]));
}

function availableMemory(root: string | undefined): number {
  const groups = groupsOf(read(root, "/proc/self/cgroup") ?? "");
  const limits = lineageOf(groups.unified ?? "/").map((path) =>
    memoryLimitOf(read(root, join("/sys/fs/cgroup", path, "memory.max")) ?? ""),
  );
  for (const path of groups.memory === null ? [] : lineageOf(groups.memory)) {
    const file = join("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes");
    limits.push(memoryLimitOf(read(root, file) ?? ""));
  }
  return least([memTotalOf(read(root, "/proc/meminfo") ?? "") ?? totalmem(), ...limits]);
}

function availableGpus({ env, root }: MachineSource): string[] {
  const visible = env["CUDA_VISIBLE_DEVICES"];
  if (visible !== undefined) return visibleGpus(visible);
  const devices = gpusOfDevices(list(root, "/dev"));
  if (devices.length === 0) return [];
  const listed = gpusOfListing(askNvidia(env));
  return listed.length > 0 ? listed : devices;
}

/** Asked only where there are device files: it takes a second on some machines. */
function askNvidia(env: Environment): string {
  const program = Bun.which("nvidia-smi", { PATH: env["PATH"] ?? "" });
  if (!program) return "";
  const answer = Bun.spawnSync([program, "-L"], { env, stdin: "ignore", stderr: "ignore", timeout: 10_000 });
  return answer.success ? answer.stdout.toString() : "";
}

/** More GPUs than were found are numbered on, so that a machine whose GPUs are not seen can be told of them. */
function limitGpus(found: string[], limit: number | null): string[] {
  if (limit === null) return found;
  const gpus = found.slice(0, limit);
  for (let index = 0; gpus.length < limit; index++) {
    if (!gpus.includes(String(index))) gpus.push(String(index));
  }
  return gpus;
}

function explain(found: Omit<Capacity, "why">, limits: QueueLimits, shared: string | null): string {
  const gpus = found.gpus.length > 0 ? `, ${found.gpus.length} GPUs` : "";
  const figures = `${found.cpus} CPUs, ${formatSize(found.memBytes)} of memory${gpus}`;
  const told = Object.values(limits).some((limit) => limit !== null);
  if (shared) {
    return `${figures} at nice ${found.nice}: ${shared} is here, so others work on this host too${told ? ", as configured" : ""}`;
  }
  return told ? `${figures}, as configured` : figures;
}

function least(values: (number | null)[]): number {
  return Math.min(...values.filter((value) => value !== null));
}

function read(root: string | undefined, path: string): string | null {
  try {
    return readFileSync(root ? join(root, path) : path, "utf8");
  } catch {
    return null;
  }
}

function list(root: string | undefined, path: string): string[] {
  try {
    return readdirSync(root ? join(root, path) : path);
  } catch {
    return [];
  }
}
