import { expect, test } from "bun:test";

import { cleanJobEnvironment } from "../../src/model/env-clean.ts";
import { masterPort, taskVariables } from "../../src/model/task-vars.ts";

const clean = (env: Record<string, string | undefined>) =>
  Object.keys(cleanJobEnvironment(env, { cleanEnv: false }));
const named = (names: string) => Object.fromEntries(names.split(" ").map((name) => [name, "1"]));

test("what belongs to a surrounding job is taken away", () => {
  const gone =
    "SLURM_JOB_ID SLURMD_NODENAME SRUN_DEBUG SBATCH_ACCOUNT SALLOC_X SGE_TASK_ID SGE_O_HOME PBS_JOBID PBS_O_PATH LSB_JOBID LS_JOBPID JOBX_JOB JOBX_PROFILE MASTER_ADDR MASTER_PORT RANK WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE OMPI_COMM_WORLD_RANK PMI_FD PMIX_RANK BUN_OPTIONS BUN_BE_BUN";
  expect(clean(named(gone))).toEqual([]);
});

test("what tells where things are stays, and so does everything of the user's", () => {
  const kept =
    "SLURM_CONF SLURM_CLUSTERS JOBX_HOME JOBX_PLUGIN_PATH SGE_ROOT SGE_CELL PBS_SERVER LSF_ENVDIR LS_COLORS PATH CONDA_PREFIX BASH_FUNC_module%% RANKS MY_RANK JOB_ID QUEUE BUN_INSTALL";
  expect(clean(named(kept))).toEqual(kept.split(" "));
});

test("Grid Engine's plain names go only inside one of its jobs", () => {
  expect(clean(named("SGE_TASK_ID JOB_ID QUEUE NSLOTS PE_HOSTFILE HOME"))).toEqual(["HOME"]);
});

test("a clean environment passes five names, and what was asked for goes on top", () => {
  const env = { ...named("HOME USER PATH LANG TERM JOBX_HOME LC_ALL EDITOR"), GONE: undefined };
  expect(cleanJobEnvironment(env, { cleanEnv: true, extra: { PATH: "/x", RANK: "3" } })).toEqual({
    ...named("HOME USER LANG TERM"),
    PATH: "/x",
    RANK: "3",
  });
});

const input = {
  job: 12,
  task: 3,
  rank: 1,
  attempt: 2,
  tasks: 24,
  params: { lr: 0.1, name: 'é "x"\n' },
  dir: "/h/jobs/12",
  checkpointDir: "/h/jobs/12/checkpoints/3",
  paramsFile: "/h/jobs/12/params/3.json",
  resultFile: "/tmp/r",
};

test("every task sees its place", () => {
  expect(taskVariables(input)).toEqual({
    JOBX_JOB: "12",
    JOBX_TASK: "3",
    JOBX_RANK: "1",
    JOBX_ATTEMPT: "2",
    JOBX_NUM_TASKS: "24",
    JOBX_PARAMS: '{"lr":0.1,"name":"é \\"x\\"\\n"}',
    JOBX_DIR: "/h/jobs/12",
    JOBX_CHECKPOINT_DIR: "/h/jobs/12/checkpoints/3",
    JOBX_RESULT: "/tmp/r",
  });
  expect(taskVariables({ ...input, params: null }).JOBX_PARAMS).toBe("{}");
});

test("arrays and distributed jobs see the names that their programs look for", () => {
  const distributed = { masterAddr: "n1", masterPort: 20_001, worldSize: 4, localRank: 1, localWorldSize: 2 };
  expect(taskVariables({ ...input, arrayIndex: 0, distributed })).toMatchObject({
    SLURM_ARRAY_TASK_ID: "0",
    MASTER_ADDR: "n1",
    MASTER_PORT: "20001",
    RANK: "1",
    WORLD_SIZE: "4",
    LOCAL_RANK: "1",
    LOCAL_WORLD_SIZE: "2",
  });
});

test("parameters that would keep the program from starting go by a file", () => {
  const fits = taskVariables({ ...input, params: { x: "a".repeat(131_000) } });
  const child = Bun.spawnSync(["/bin/true"], { env: fits });
  expect([child.exitCode, "JOBX_PARAMS" in fits]).toEqual([0, true]);
  expect(fits).not.toHaveProperty("JOBX_PARAMS_FILE");
  const large = taskVariables({ ...input, params: { x: "é".repeat(66_000) } });
  expect(large).not.toHaveProperty("JOBX_PARAMS");
  expect(large.JOBX_PARAMS_FILE).toBe("/h/jobs/12/params/3.json");
});

test("all ranks of an attempt work out one port, and another attempt another", () => {
  const ports = [0, 1, 2].map((attempt) => masterPort("token", 3, attempt));
  expect(new Set(ports).size).toBe(3);
  expect(masterPort("token", 3, 1)).toBe(ports[1] ?? 0);
  for (const port of ports) expect(port >= 20_000 && port < 32_000).toBe(true);
});
