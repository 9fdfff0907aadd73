import { describe, expect, test } from "bun:test";

import {
  affinityOf,
  allotmentOf,
  countCpuList,
  gpusOfDevices,
  gpusOfListing,
  groupsOf,
  lineageOf,
  memoryLimitOf,
  memTotalOf,
  quotaOf,
  quotaOfCpuMax,
  visibleGpus,
} from "../../src/queue/machine-text.ts";

describe("the texts that describe a machine", () => {
  test("a CPU list is counted", () => {
    expect(countCpuList("0-3,8,10-11")).toBe(7);
    expect(countCpuList("0")).toBe(1);
    expect(countCpuList("")).toBe(0);
  });

  test("the affinity is read from a process's status (Linux 6.1)", () => {
    const status = "Name:\tbun\nThreads:\t9\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\nMems_allowed:\t1\n";
    expect(affinityOf(status)).toBe(2);
    expect(affinityOf("Name:\tbun\n")).toBeNull();
  });

  test("the memory is read from meminfo (Linux 6.1)", () => {
    expect(memTotalOf("MemTotal:       24683560 kB\nMemFree:        243 kB\n")).toBe(24_683_560 * 1024);
  });

  test("a quota is rounded up, and none is none", () => {
    expect(quotaOfCpuMax("150000 100000\n")).toBe(2);
    expect(quotaOfCpuMax("1000 100000\n")).toBe(1);
    expect(quotaOfCpuMax("max 100000\n")).toBeNull();
    expect(quotaOfCpuMax("")).toBeNull();
    expect(quotaOf(-1, 100_000)).toBeNull();
    expect(quotaOf(400_000, 100_000)).toBe(4);
  });

  test("a memory limit is read, and none is none", () => {
    expect(memoryLimitOf("4294967296\n")).toBe(4 * 1024 ** 3);
    expect(memoryLimitOf("max\n")).toBeNull();
    expect(memoryLimitOf("9223372036854771712\n")).toBeNull();
  });

  test("the control groups of both versions are found, with all that stand above them", () => {
    const text = "9:name=systemd:/\n4:memory:/slurm/uid_1/job_7\n1:cpu,cpuacct:/user.slice\n0::/init.scope\n";
    expect(groupsOf(text)).toEqual({
      unified: "/init.scope",
      cpu: "/user.slice",
      memory: "/slurm/uid_1/job_7",
    });
    expect(lineageOf("/slurm/uid_1/job_7")).toEqual(["/slurm/uid_1/job_7", "/slurm/uid_1", "/slurm", "/"]);
    expect(lineageOf("/")).toEqual(["/"]);
  });

  test("CUDA_VISIBLE_DEVICES is read as CUDA reads it", () => {
    expect(visibleGpus("0,2")).toEqual(["0", "2"]);
    expect(visibleGpus("GPU-8a2c, MIG-1")).toEqual(["GPU-8a2c", "MIG-1"]);
    expect(visibleGpus("")).toEqual([]);
    expect(visibleGpus("1,-1,2")).toEqual(["1"]);
    expect(visibleGpus("NoDevFiles")).toEqual([]);
    expect(visibleGpus("0,0")).toEqual(["0"]);
  });

  test("GPUs are found in what nvidia-smi lists (550.54) and among the device files", () => {
    const listing =
      "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)\n" +
      "  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)\n" +
      "GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-1a2b)\n";
    expect(gpusOfListing(listing)).toEqual(["0", "1"]);
    expect(gpusOfDevices(["null", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm"])).toEqual(["2", "10"]);
  });

  test("a scheduler's variables count only inside its job", () => {
    expect(allotmentOf({ SLURM_JOB_ID: "4", SLURM_CPUS_ON_NODE: "8", SLURM_MEM_PER_NODE: "1024" })).toEqual({
      cpus: 8,
      memBytes: 1024 ** 3,
    });
    expect(allotmentOf({ NSLOTS: "8" })).toEqual({ cpus: null, memBytes: null });
  });
});
