/** Pure readers of what Linux and the schedulers say of a machine. Bytes and whole CPUs. */

/** How many CPUs a list such as "0-3,8,10-11" names; the form of cpuset(7). */
export function countCpuList(list: string): number {
  let count = 0;
  for (const part of list.trim().split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (match) count += Number(match[2] ?? match[1]) - Number(match[1]) + 1;
  }
  return count;
}

/** The CPUs that /proc/self/status lets the process run on; null where it does not say. */
export function affinityOf(status: string): number | null {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  return list === undefined ? null : countCpuList(list) || null;
}

/** The machine's memory by /proc/meminfo; null where it does not say. */
export function memTotalOf(meminfo: string): number | null {
  const kibibytes = /^MemTotal:\s*(\d+) kB/m.exec(meminfo)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

/** CPUs of a quota, rounded up; null for none. `cpu.max` of cgroup v2: "200000 100000" or "max 100000". */
export function quotaOfCpuMax(text: string): number | null {
  const [quota, period] = text.trim().split(/\s+/);
  return quotaOf(Number(quota), Number(period));
}

/** CPUs of `cpu.cfs_quota_us` and `cpu.cfs_period_us` of cgroup v1, where -1 means no limit. */
export function quotaOf(quota: number, period: number): number | null {
  return quota > 0 && period > 0 ? Math.max(1, Math.ceil(quota / period)) : null;
}

/** A memory limit in bytes: `memory.max` ("max" for none) or `memory.limit_in_bytes` (a huge number for none). */
export function memoryLimitOf(text: string): number | null {
  const bytes = Number(text.trim());
  return Number.isFinite(bytes) && bytes > 0 && bytes < 2 ** 60 ? bytes : null;
}

/**
 * The process's groups by /proc/self/cgroup: the path in the unified hierarchy (v2), and in each
 * controller's own (v1). Null for those that are not there.
 */
export function groupsOf(text: string): {
  unified: string | null;
  cpu: string | null;
  memory: string | null;
} {
  const groups: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    for (const name of match?.[1]?.split(",") ?? []) groups[name] = match?.[2] ?? "/";
  }
  return { unified: groups[""] ?? null, cpu: groups["cpu"] ?? null, memory: groups["memory"] ?? null };
}

/** A group's path and those of all groups above it, the root last: a limit of any of them counts. */
export function lineageOf(path: string): string[] {
  const parts = path.split("/").filter(Boolean);
  return parts.map((_, index) => `/${parts.slice(0, parts.length - index).join("/")}`).concat("/");
}

/** The entries of CUDA_VISIBLE_DEVICES. CUDA ignores what follows an invalid entry such as -1. */
export function visibleGpus(value: string): string[] {
  const entries = value.split(",").map((entry) => entry.trim());
  const end = entries.findIndex((entry) => entry === "" || entry.startsWith("-"));
  return [...new Set(end < 0 ? entries : entries.slice(0, end))].filter((entry) => entry !== "NoDevFiles");
}

/** The indices in the output of `nvidia-smi -L`: "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-…)". */
export function gpusOfListing(text: string): string[] {
  return [...text.matchAll(/^GPU (\d+):/gm)].map((match) => match[1] ?? "");
}

/** The indices of the device files /dev/nvidia0, /dev/nvidia1, … */
export function gpusOfDevices(names: string[]): string[] {
  return names.flatMap((name) => /^nvidia(\d+)$/.exec(name)?.[1] ?? []).sort((a, b) => Number(a) - Number(b));
}

/** What a scheduler's variables say that this job has on this node; null where they do not. */
export function allotmentOf(env: Record<string, string | undefined>): {
  cpus: number | null;
  memBytes: number | null;
} {
  const cpus = [
    // sbatch(1), qsub(1) of PBS and of Grid Engine, bsub(1)
    env["SLURM_JOB_ID"] && env["SLURM_CPUS_ON_NODE"],
    env["PBS_JOBID"] && env["NCPUS"],
    env["LSB_JOBID"] && env["LSB_DJOB_NUMPROC"],
    env["JOB_ID"] && env["NSLOTS"],
  ].map((value) => positive(value));
  const megabytes = positive(env["SLURM_JOB_ID"] && env["SLURM_MEM_PER_NODE"]);
  return {
    cpus: cpus.find((count) => count !== null) ?? null,
    memBytes: megabytes === null ? null : megabytes * 1024 * 1024,
  };
}

function positive(value: string | undefined): number | null {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number : null;
}
