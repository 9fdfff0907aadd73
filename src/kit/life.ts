import { holdJobs, interruptJobs, releaseJobs } from "../orchestrator/control.ts";
import type { JobView } from "../orchestrator/view.ts";
import type { Bench } from "./bench.ts";
import { check, show } from "./case.ts";
import type { Subject } from "./subject.ts";

/** One part of the life of jobs, on whatever scheduler the bench has. */
export type LifeCase = {
  rule: string;
  title: string;
  skip?(subject: Subject): string | null;
  run(bench: Bench): Promise<void>;
};

/** The life of jobs, as every executor must have it. */
export const LIFE: LifeCase[] = [
  {
    rule: "life.success",
    title: "a command runs in its folder, and its output is in its log",
    async run(bench) {
      const view = await bench.ended("succeeded", 'pwd; echo "task $JOBX_TASK of $JOBX_NUM_TASKS"');
      const output = bench.output(view);
      check(output.includes("task 0 of 1"), `it printed ${show(output)}`);
      const log = bench.log(view).trimEnd();
      check(
        runsInline(bench.executor) || log === output,
        `it printed ${show(output)}, and its log is ${show(log)}`,
      );
      const [folder = ""] = output.split("\n");
      check(
        folder.endsWith(bench.services.home),
        `it ran in ${show(folder)} instead of ${show(bench.services.home)}`,
      );
    },
  },
  {
    rule: "life.failure",
    title: "a command that fails is a failure with its exit code",
    async run(bench) {
      const { exitCode } = (await bench.ended("failed", "exit 3")).task(0);
      check(exitCode === 3, `its exit code is ${exitCode} instead of 3`);
    },
  },
  {
    rule: "life.signal",
    title: "a command that a signal ends is a failure with the signal",
    async run(bench) {
      const { signal } = (await bench.ended("failed", "kill -KILL $$")).task(0);
      check(signal === "SIGKILL", `its signal is ${show(signal)} instead of SIGKILL`);
    },
  },
  {
    rule: "life.array",
    title: "each of several tasks knows which one it is and has an end of its own",
    async run(bench) {
      const view = await bench.ended("failed", 'echo "I am $JOBX_TASK"; test $JOBX_TASK -ne 2', { tasks: 5 });
      const states = [...view.tasks()].map((task) => task.state);
      const wanted = ["succeeded", "succeeded", "failed", "succeeded", "succeeded"];
      check(
        Bun.deepEquals(states, wanted),
        `the tasks ended as ${states.join(" ")} instead of ${wanted.join(" ")}`,
      );
      for (const index of [0, 1, 3, 4]) {
        const output = bench.output(view, index).trim();
        check(output === `I am ${index}`, `task ${index} printed ${show(output)}`);
      }
    },
  },
  {
    rule: "life.words",
    title: "awkward arguments arrive as they are",
    async run(bench) {
      const words = ["two words", "it's", '"', "$HOME", "`id`", "*", "", "ä;b", "-n", "%a", "\\"];
      const selected = await bench.submit(["/usr/bin/printf", "%s|", ...words]);
      const value = bench.output(await bench.wait(selected));
      check(value === words.map((word) => `${word}|`).join(""), `${show(words)} arrive as ${show(value)}`);
    },
  },
  {
    rule: "life.environment",
    title: "the job's environment arrives, awkward values and all",
    async run(bench) {
      const env = { JOBXKIT_COLOUR: "dark teal", JOBXKIT_ODD: "a,b=c;d'e\"f$g" };
      const view = await bench.ended("succeeded", 'echo "$JOBXKIT_COLOUR"; echo "$JOBXKIT_ODD"', { env });
      const log = bench.output(view).trimEnd();
      check(log === `${env.JOBXKIT_COLOUR}\n${env.JOBXKIT_ODD}`, `the variables arrive as ${show(log)}`);
    },
  },
  {
    rule: "life.timeout",
    title: "a task ends at its time limit",
    skip: ({ executor }) => (runsInline(executor) ? "jobs run within submit, without limits" : null),
    async run(bench) {
      const began = performance.now();
      const view = await bench.wait(
        await bench.shell("sleep 300", { resources: { timeSeconds: 1 }, run: { maxTimeouts: 0 } }),
      );
      check(
        view.state === "timeout",
        `it ended as ${view.state} after ${Math.round(performance.now() - began)} ms`,
      );
    },
  },
  {
    rule: "life.cancel",
    title: "a running job is cancelled, and so are single tasks of it",
    skip: ({ executor }) =>
      runsInline(executor) ? "jobs run within submit, and are over when others could cancel them" : null,
    async run(bench) {
      const job = await bench.shell("test $JOBX_TASK = 1 || exec sleep 300; echo ok", { tasks: 2 });
      await bench.until(job, "its first task to run", (view) => view.task(0).state === "running");
      await bench.cancel(await bench.select(`${job.id}.0`));
      const view = await bench.wait(job);
      const states = [...view.tasks()].map((task) => task.state).join(" ");
      check(states === "cancelled succeeded", `the tasks ended as ${states} instead of cancelled succeeded`);
      const whole = await bench.shell("exec sleep 300", { tasks: 2 });
      await bench.until(whole, "it to run", ({ counts }) => counts.running > 0);
      await bench.cancel(whole);
      const { state } = await bench.wait(whole);
      check(state === "cancelled", `the cancelled job ended as ${state}`);
    },
  },
  {
    rule: "life.requeue",
    title: "a warned task runs again as the next attempt",
    skip: ({ executor: { capabilities, interrupt } }) =>
      !capabilities.requeue
        ? "the plugin has no `requeue`"
        : interrupt
          ? null
          : "the plugin has no interrupt()",
    async run(bench) {
      const job = await bench.shell("test $JOBX_ATTEMPT = 1 || exec sleep 300; echo again", {
        run: { requeue: true },
      });
      await bench.until(job, "it to run", hasStarted);
      await interruptJobs(bench.services, [job], "preempted");
      const view = await bench.wait(job);
      const { state, attempt } = view.task(0);
      check(
        state === "succeeded" && attempt === 1,
        `it is ${state} in attempt ${attempt} (${view.task(0).reason}), instead of succeeded in attempt 1`,
      );
    },
  },
  {
    rule: "life.ranks",
    title: "a task of several ranks starts each of them once",
    skip: ({ executor }) => (executor.capabilities.ranks ? null : "the plugin has no `ranks`"),
    async run(bench) {
      const view = await bench.ended("succeeded", 'echo "rank $JOBX_RANK"', {
        resources: { ranksPerNode: 2 },
      });
      for (const rank of [0, 1]) {
        const output = bench.output(view, 0, rank).trim();
        check(output === `rank ${rank}`, `rank ${rank} printed ${show(output)}`);
      }
    },
  },
  {
    rule: "life.rank-failure",
    title: "a rank that fails fails its task",
    skip: ({ executor }) => (executor.capabilities.ranks ? null : "the plugin has no `ranks`"),
    async run(bench) {
      await bench.ended("failed", "test $JOBX_RANK = 0", { resources: { ranksPerNode: 2 } });
    },
  },
  {
    rule: "life.dependency",
    title: "a job starts after the one that it waits for",
    skip: ({ executor }) => (executor.capabilities.dependencies ? null : "the plugin has no `dependencies`"),
    async run(bench) {
      const first = await bench.shell("sleep 1");
      const second = await bench.wait(
        await bench.shell("true", { run: { after: [{ job: first.id, kind: "ok" }] } }),
      );
      check(second.state === "succeeded", `the second job ended as ${second.state}`);
      const ended = (await bench.wait(first)).task(0).endedAt ?? "";
      const began = second.task(0).startedAt ?? "";
      check(ended <= began, `the second job began at ${began}, before the first one ended at ${ended}`);
    },
  },
  {
    rule: "life.hold",
    title: "a held job waits until it is released",
    skip: ({ executor: { capabilities, hold } }) =>
      !hold
        ? "the plugin cannot hold jobs"
        : capabilities.dependencies
          ? null
          : "nothing else makes a job wait",
    async run(bench) {
      const first = await bench.shell("exec sleep 300");
      await bench.until(first, "it to run", hasStarted);
      const job = await bench.shell("true", { run: { after: [{ job: first.id, kind: "any" }] } });
      await holdJobs(bench.services, [job]);
      await bench.cancel(first);
      await bench.wait(first);
      const held = await bench.until(job, "it to be held", ({ state }) => state !== "running");
      check(held.state === "queued", `the held job is ${held.state}`);
      await releaseJobs(bench.services, [job]);
      const { state } = await bench.wait(job);
      check(state === "succeeded", `the released job ended as ${state}`);
    },
  },
];

function hasStarted(view: JobView): boolean {
  return view.task(0).state === "running";
}

/** Jobs of this host that are over when submit has returned. */
function runsInline({ capabilities }: Subject["executor"]): boolean {
  return capabilities.wholeJob && capabilities.thisHost && !capabilities.signals;
}
