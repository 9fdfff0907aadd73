import { defineExecutor, interruptInline, isInlineAlive, JobxError, runInline } from "../src/plugin.ts";

/** Runs a job's tasks in this very process, one after the other, for finding out what goes wrong in them. */
export default defineExecutor({
  name: "debug",
  description: "Runs tasks in this process, in order, with their output on the terminal",
  capabilities: { wholeJob: true, thisHost: true },
  // Nothing that another process writes is waited for.
  graceSeconds: 0,

  affinity: () => ({ score: 0, why: "it is for debugging, and only used when named" }),

  validate({ run, resources }, { note }) {
    if (run.setup.length > 0 || run.teardown.length > 0) {
      throw new JobxError("USAGE", "The debug executor has no setup and teardown lines", {
        hint: "Run them in this shell first, or use -e local",
      });
    }
    const limits = [
      ...(resources.timeSeconds === undefined ? [] : ["--time"]),
      ...(resources.memBytes === undefined ? [] : ["--mem"]),
    ];
    if (limits.length > 0) note(`${limits.join(" and ")} limit nothing on the debug executor`);
  },

  plan: ({ tasks }) => `${tasks} ${tasks === 1 ? "task" : "tasks"}, one after the other, in this process`,

  submit: (request, context) => runInline(request, context),

  /** What has a record is over anyhow; what has none ended with the process that ran it. */
  async status(jobs) {
    const natives = jobs.flatMap((job) => job.natives.map((native) => ({ job, native })));
    return Promise.all(
      natives.map(async ({ job, native }) => {
        const isRunning = await isInlineAlive(native);
        return {
          job: job.id,
          element: 0,
          state: isRunning ? ("running" as const) : ("ended" as const),
          native: null,
          reason: isRunning ? null : `the jobx process that ran it on ${native.cluster} is gone`,
          node: native.cluster,
        };
      }),
    );
  },

  async cancel(selections) {
    for (const { job } of selections) {
      for (const native of job.natives) await interruptInline(native);
    }
  },

  environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
});
