import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { detectCapacity } from "../../src/queue/machine.ts";
import { tempDir } from "../helpers/temp.ts";

const GIB = 1024 ** 3;

/** A file system with what the machine's own would hold. */
function machine(files: Record<string, string> = {}): string {
  const root = tempDir("machine");
  const all = {
    "/proc/self/status": "Cpus_allowed_list:\t0-15\n",
    "/proc/meminfo": "MemTotal:       33554432 kB\n",
    "/proc/self/cgroup": "0::/user.slice/job\n",
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** A folder with a program of this name. */
function pathWith(name: string): string {
  const folder = tempDir("bin");
  writeFileSync(join(folder, name), "#!/bin/sh\n");
  chmodSync(join(folder, name), 0o755);
  return folder;
}

describe("the capacity of a machine", () => {
  test("is its affinity and its memory where nothing limits them", () => {
    const capacity = detectCapacity({ env: {}, root: machine() });
    expect(capacity).toMatchObject({ cpus: 16, memBytes: 32 * GIB, gpus: [], nice: 0 });
  });

  test("is limited by any control group above the process (v2)", () => {
    const root = machine({
      "/sys/fs/cgroup/user.slice/cpu.max": "350000 100000\n",
      "/sys/fs/cgroup/user.slice/job/cpu.max": "max 100000\n",
      "/sys/fs/cgroup/user.slice/job/memory.max": `${8 * GIB}\n`,
    });
    expect(detectCapacity({ env: {}, root })).toMatchObject({ cpus: 4, memBytes: 8 * GIB });
  });

  test("is limited by the controllers' own groups (v1)", () => {
    const root = machine({
      "/proc/self/cgroup": "4:memory:/slurm/job_7\n3:cpu,cpuacct:/slurm\n",
      "/sys/fs/cgroup/cpu/slurm/cpu.cfs_quota_us": "200000\n",
      "/sys/fs/cgroup/cpu/slurm/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes": `${2 * GIB}\n`,
    });
    expect(detectCapacity({ env: {}, root })).toMatchObject({ cpus: 2, memBytes: 2 * GIB });
  });

  test("takes its GPUs from CUDA_VISIBLE_DEVICES, else from the device files", () => {
    const root = machine({ "/dev/nvidia0": "", "/dev/nvidia1": "", "/dev/nvidiactl": "" });
    expect(detectCapacity({ env: { CUDA_VISIBLE_DEVICES: "1" }, root }).gpus).toEqual(["1"]);
    expect(detectCapacity({ env: { CUDA_VISIBLE_DEVICES: "" }, root }).gpus).toEqual([]);
    expect(detectCapacity({ env: {}, root }).gpus).toEqual(["0", "1"]);
  });

  test("is 2 CPUs at nice 10 on a host with a scheduler, unless told otherwise", () => {
    const env = { PATH: pathWith("sbatch") };
    const shared = detectCapacity({ env, root: machine() });
    expect(shared).toMatchObject({ cpus: 2, nice: 10 });
    expect(shared.why).toContain("sbatch is here");
    const limits = { cpus: 6, memBytes: GIB, gpus: 1, nice: 0 };
    expect(detectCapacity({ env, root: machine() }, limits)).toMatchObject({
      cpus: 6,
      memBytes: GIB,
      gpus: ["0"],
      nice: 0,
    });
  });

  test("is the allotment inside a scheduler's job", () => {
    const env = {
      PATH: pathWith("sbatch"),
      SLURM_JOB_ID: "7",
      SLURM_CPUS_ON_NODE: "4",
      SLURM_MEM_PER_NODE: "2048",
    };
    expect(detectCapacity({ env, root: machine() })).toMatchObject({ cpus: 4, memBytes: 2 * GIB, nice: 0 });
  });
});
