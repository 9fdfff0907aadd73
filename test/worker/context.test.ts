import { describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { join } from "node:path";

import { contextFromEnvironment, jobContext, setJobContext } from "../../src/worker/context.ts";
import { tempDir } from "../helpers/temp.ts";

const VARIABLES = {
  JOBX_JOB: "12",
  JOBX_TASK: "3",
  JOBX_RANK: "1",
  JOBX_ATTEMPT: "2",
  JOBX_NUM_TASKS: "5",
  JOBX_PARAMS: '{"lr":0.1}',
  JOBX_DIR: "/home/u/.jobx/jobs/12",
  JOBX_CHECKPOINT_DIR: "/home/u/.jobx/jobs/12/checkpoints/3",
  JOBX_EXECUTOR: "local",
  JOBX_NODE: "node1",
  JOBX_HOSTNAMES: "node1,node2",
  JOBX_NUM_NODES: "2",
  JOBX_NUM_RANKS: "4",
  JOBX_LOCAL_RANK: "1",
};

describe("The job context", () => {
  test("is read from the variables of the job", () => {
    const context = contextFromEnvironment(VARIABLES);
    expect(context).toMatchObject({ job: 12, task: 3, rank: 1, localRank: 1, attempt: 2, numTasks: 5 });
    expect(context).toMatchObject({ node: "node1", numNodes: 2, numRanks: 4, hostnames: ["node1", "node2"] });
    expect(context).toMatchObject({ executor: "local", params: { lr: 0.1 } });
    expect(context?.paths).toMatchObject({ dir: "/home/u/.jobx/jobs/12", stdout: null });
    expect(context?.signal.aborted).toBe(false);
  });

  test("of a small environment is that of one rank on this host", () => {
    expect(contextFromEnvironment({ JOBX_JOB: "1" })).toMatchObject({
      task: 0,
      numRanks: 1,
      localRank: 0,
      hostnames: [hostname()],
      params: null,
    });
  });

  test("prefers the parameters as they were given, with their types", () => {
    const when = new Date(0);
    expect(contextFromEnvironment(VARIABLES, { params: { when } })?.params).toEqual({ when });
  });

  test("reads parameters that are too long for a variable from their file", async () => {
    const file = join(tempDir(), "params.json");
    await Bun.write(file, '{"lr":0.2}');
    expect(contextFromEnvironment({ JOBX_JOB: "1", JOBX_PARAMS_FILE: file })?.params).toEqual({ lr: 0.2 });
  });

  test("outside of a job is an error that says where to call it", () => {
    if (process.env["JOBX_JOB"]) return;
    expect(() => jobContext()).toThrow(expect.objectContaining({ code: "USAGE" }));
    const context = contextFromEnvironment(VARIABLES);
    setJobContext(context);
    try {
      expect(jobContext()).toBe(context ?? jobContext());
    } finally {
      setJobContext(null);
    }
  });
});
