import { defineExecutor, localJobs, option } from "../src/plugin.ts";

/** Runs jobs on this machine, in the background, through one queue that all local jobs of the user share. */
export default defineExecutor({
  name: "local",
  description: "Runs tasks on this machine, as many at once as it has CPUs, memory and GPUs for",
  capabilities: {
    arrays: true,
    ranks: true,
    requeue: true,
    signals: true,
    dependencies: true,
    wholeJob: true,
    thisHost: true,
  },
  // Records are written on this very machine.
  graceSeconds: 5,

  options: {
    cpus: option.number("CPUs that all local jobs together may use", { min: 1, integer: true }),
    mem: option.size("Memory that all local jobs together may use"),
    gpus: option.number("GPUs that all local jobs together may use", { min: 0, integer: true }),
    nice: option.number("How much to give way to other work, 0 to 19", { min: 0, max: 19, integer: true }),
  },

  async affinity({ env }) {
    const scheduler = await (await localJobs()).schedulerHere(env);
    if (!scheduler) return { score: 1, why: "it is always there" };
    return {
      score: 0,
      why: `${scheduler} is here: this host is for submitting, and local is used when named`,
    };
  },

  validate: async (spec, context) => (await localJobs()).checkLocal(spec, context),
  plan: async (spec, context) => (await localJobs()).planLocal(spec, context),
  submit: async (request, context) => (await localJobs()).submitLocal(request, context),
  status: async (jobs, context) => (await localJobs()).statusOfLocal(jobs, context),
  find: async (token, context) => (await localJobs()).findLocal(token, context),
  shell: async (job, task) => (await localJobs()).shellInLocal(job, task),

  async cancel(selections, context) {
    const { tellQueue } = await localJobs();
    await tellQueue(selections, context, (queue, dir, tasks) => queue.cancel(dir, tasks));
  },

  async hold(selections, context) {
    const { tellQueue } = await localJobs();
    await tellQueue(selections, context, (queue, dir, tasks) => queue.hold(dir, tasks));
  },

  async release(selections, context) {
    const { tellQueue } = await localJobs();
    await tellQueue(selections, context, (queue, dir, tasks) => queue.release(dir, tasks));
  },

  async interrupt(selections, kind, context) {
    const { tellQueue } = await localJobs();
    await tellQueue(selections, context, (queue, dir, tasks) => queue.interrupt(dir, tasks, kind));
  },

  environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
});
