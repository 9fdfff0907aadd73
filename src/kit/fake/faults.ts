import { type ErrorCode, JobxError } from "../../errors.ts";
import type { CommandResult } from "../../executor/run.ts";
import { readJob } from "../../orchestrator/view.ts";
import { type Bench, reasonOf } from "../bench.ts";
import { check, fail, show } from "../case.ts";
import { CHATTER } from "../pure/reading.ts";
import {
  definitionOf,
  documentOf,
  parseAnswer,
  sampleJob,
  samplesOf,
  type Subject,
  withWord,
} from "../subject.ts";
import type { FakeCluster, FakeJob, Fault } from "./cluster.ts";

/** What goes wrong on real clusters, done to the pretended one. */
export type FaultCase = {
  rule: string;
  title: string;
  skip?(subject: Subject): string | null;
  run(bench: Bench, cluster: FakeCluster, subject: Subject): Promise<void>;
};

export const FAULTS: FaultCase[] = [
  {
    rule: "fault.chatter",
    title: "a submit command that also greets people",
    async run(bench, cluster) {
      cluster.fault("submit", (usual) => {
        const answer = usual();
        return { ...answer, stdout: `${CHATTER.before}${answer.stdout}${CHATTER.after}` };
      });
      await bench.ended("succeeded", "true");
    },
  },
  {
    rule: "fault.transient",
    title: "a submit command that fails at first",
    skip: (subject) => unlessSample(subject, "transient"),
    async run(bench, cluster, subject) {
      cluster.fault(
        "submit",
        () => errorOf(subject, "transient"),
        () => errorOf(subject, "transient"),
      );
      await bench.ended("succeeded", "true");
      check(cluster.jobs.length === 1, `the scheduler has ${cluster.jobs.length} jobs instead of one`);
    },
  },
  {
    rule: "fault.refused",
    title: "a submission that is refused leaves nothing, and is not tried again",
    skip: (subject) => unlessSample(subject, "refused"),
    async run(bench, cluster, subject) {
      const refusal = errorOf(subject, "refused");
      cluster.fault("submit", () => refusal);
      const error = await refusedAs("REFUSED", bench.shell("true"));
      const words = refusal.stderr.trim().split("\n").at(-1) ?? "";
      check(error.message.includes(words), `the scheduler's own words are not shown: ${show(error.message)}`);
      check(cluster.jobs.length === 0, "it was submitted again all the same");
    },
  },
  {
    rule: "fault.array-refused",
    title: "an array that is larger than the scheduler takes goes in parts",
    skip(subject) {
      if (!subject.executor.capabilities.arrays) return "the plugin has no `arrays`";
      if (!samplesOf(subject, "limits").some((sample) => !("is" in sample))) {
        return 'there is no sample of "limits" that can be made another one';
      }
      return unlessSample(subject, "array");
    },
    async run(bench, cluster, subject) {
      cluster.maxArraySize = 100;
      await bench.ended("succeeded", "true");
      cluster.fault("submit", () => errorOf(subject, "array"));
      cluster.maxArraySize = 10;
      const view = await bench.ended("succeeded", 'echo "I am $JOBX_TASK"', { tasks: 12 });
      check(
        cluster.jobs.length === 3,
        `12 tasks with arrays of 10 at most are ${cluster.jobs.length - 1} native jobs`,
      );
      for (const { index } of view.tasks()) {
        check(
          bench.log(view, index) === `I am ${index}\n`,
          `the log of task ${index} is ${show(bench.log(view, index))}`,
        );
      }
    },
  },
  {
    rule: "fault.lost-answer",
    title: "a submission that was accepted although its answer never came is not made twice",
    async run(bench, cluster, subject) {
      cluster.fault("submit", (usual) => {
        usual();
        throw timedOut("submit");
      });
      if (definitionOf(subject).find) await bench.ended("succeeded", "true");
      else await refusedAs("UNREACHABLE", bench.shell("true"));
      check(cluster.jobs.length === 1, `the scheduler has ${cluster.jobs.length} jobs instead of one`);
    },
  },
  {
    rule: "fault.status-hangs",
    title: "a status command that gives no answer in time",
    async run(bench, cluster) {
      const job = await started(bench, cluster);
      cluster.fault("status", ...Array(3).fill(() => Promise.reject(timedOut("status"))));
      killAll(cluster);
      await lostOrFailed(bench, job);
    },
  },
  {
    rule: "fault.status-fails",
    title: "a status command that fails says nothing of jobs",
    async run(bench, cluster) {
      const job = await started(bench, cluster);
      const down = {
        code: 1,
        stdout: "",
        stderr: "error: cannot connect to the server: Connection refused\n",
      };
      cluster.fault("status", ...Array<Fault>(100).fill(() => down));
      await bench.runsOn(job, "while its scheduler is down");
      cluster.clearFaults();
      await bench.cancel(job);
      await bench.wait(job);
    },
  },
  {
    rule: "fault.node-fails",
    title: "an element that dies without a word ends with a reason",
    async run(bench, cluster) {
      const job = await started(bench, cluster);
      killAll(cluster);
      await lostOrFailed(bench, job);
    },
  },
  {
    rule: "fault.late-accounting",
    title: "accounting that lags is waited for, and what ran well is no failure",
    async run(bench, cluster) {
      cluster.forgetsEnds = true;
      cluster.accountingDelayMs = 1_500;
      await bench.ended("succeeded", "true");
      const job = await started(bench, cluster);
      killAll(cluster);
      await lostOrFailed(bench, job);
    },
  },
  {
    rule: "fault.forgotten",
    title: "a job that the scheduler has forgotten is given up, and not waited for",
    async run(bench, cluster) {
      const job = await started(bench, cluster);
      for (const one of cluster.jobs) one.forgotten = true;
      killAll(cluster);
      await lostOrFailed(bench, job);
    },
  },
  {
    rule: "fault.reused-id",
    title: "a job of somebody else that got the same id is not taken for ours",
    skip: (subject) => (namesScript(subject) ? null : "its answers do not say which script a job runs"),
    async run(bench, cluster) {
      const job = await started(bench, cluster);
      const [own] = cluster.jobs;
      if (!own) return;
      killAll(cluster);
      await Promise.all(own.elements.map(({ process: child }) => child?.exited));
      const other: FakeJob = {
        ...own,
        array: { ...own.array, spec: { ...own.array.spec, token: "0ther" } },
        script: "/home/bob/.jobx/jobs/3/submit.sh",
        words: own.words.map((word) => word.replaceAll(own.array.spec.token, "0ther")),
        elements: own.elements.map((one) => ({ ...one })),
      };
      for (const element of other.elements)
        Object.assign(element, { state: "running", process: null, ended: null });
      own.forgotten = true;
      cluster.jobs.push(other);
      // Until then the core takes it for one that is not shown yet.
      await Bun.sleep(UNSEEN_MS);
      const cancelled = cluster.calls.length;
      await bench.cancel(job);
      check(
        !cluster.calls.slice(cancelled).includes("cancel"),
        "cancelling it cancels the job of somebody else",
      );
      await bench.wait(job);
    },
  },
  {
    rule: "fault.unseen",
    title: "a job that its scheduler does not show yet is not lost",
    async run(bench, cluster) {
      cluster.isFull = true;
      const job = await bench.shell("true");
      for (const one of cluster.jobs) one.forgotten = true;
      const { state } = await readJob(bench.services, job.id);
      check(state === "queued", `just submitted and not shown yet, it is ${state}`);
      for (const one of cluster.jobs) one.forgotten = false;
      cluster.isFull = false;
      cluster.schedule();
      const ended = await bench.wait(job);
      check(ended.state === "succeeded", `it ended as ${ended.state}: ${reasonOf(ended)}`);
    },
  },
  {
    rule: "fault.unknown-state",
    title: "a job in a state that nobody knows is waited for",
    async run(bench, cluster, subject) {
      const job = await started(bench, cluster);
      const words = samplesOf(subject, "row")
        .filter(({ is }) => is.state === "running")
        .map(({ is }) => is.native);
      cluster.garble = (text) => words.reduce((whole, word) => withWord(whole, word, "Xyzzy"), text);
      await bench.runsOn(job, "in a state that nobody knows");
      cluster.garble = null;
      await bench.cancel(job);
      await bench.wait(job);
    },
  },
  {
    rule: "fault.waiting-cancelled",
    title: "a job that waits is cancelled without ever running",
    async run(bench, cluster) {
      cluster.isFull = true;
      const job = await bench.shell("echo ran", { tasks: 3 });
      await bench.cancel(job);
      cluster.isFull = false;
      cluster.schedule();
      const view = await bench.wait(job);
      check(view.state === "cancelled", `it ended as ${view.state}`);
      check(bench.log(view) === "", "it ran all the same");
    },
  },
  {
    rule: "calls.few",
    title: "a hundred tasks are submitted and cancelled in few commands",
    async run(bench, cluster, subject) {
      cluster.isFull = true;
      const job = await bench.shell("true", { tasks: 100 });
      await bench.cancel(job);
      await bench.wait(job);
      const submits = cluster.calls.filter((verb) => verb === "submit").length;
      const wanted = subject.executor.capabilities.arrays ? 1 : 100;
      check(submits === wanted, `100 tasks were ${submits} submit commands`);
      const others = cluster.calls.filter((verb) => verb === "cancel").length;
      check(others <= 5, `cancelling them took ${others} commands`);
      check(cluster.strange.length === 0, `a command was run that no verb made: ${show(cluster.strange[0])}`);
    },
  },
];

const UNSEEN_MS = 700;

async function started(bench: Bench, cluster: FakeCluster) {
  const job = await bench.shell("exec sleep 300");
  await bench.until(job, "it to run", (view) => view.task(0).state === "running" && isUp(cluster));
  return job;
}

function isUp({ jobs }: FakeCluster): boolean {
  return jobs.some(({ elements }) => elements.some(({ process: child }) => child !== null));
}

/** The error of a submission, which must have this code. */
async function refusedAs(code: ErrorCode, submission: Promise<unknown>): Promise<JobxError> {
  const error = await submission.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const isRefusal = error instanceof JobxError && error.code === code;
  return isRefusal ? error : fail(`it is answered by ${show(String(error))}`);
}

/** As when a node loses power. */
function killAll({ jobs }: FakeCluster): void {
  for (const { process: child } of jobs.flatMap(({ elements }) => elements)) {
    if (child) process.kill(-child.pid, "SIGKILL");
  }
}

async function lostOrFailed(bench: Bench, job: Parameters<Bench["wait"]>[0]): Promise<void> {
  const view = await bench.wait(job);
  check(view.state === "failed" || view.state === "lost", `it ended as ${view.state}`);
  check(Boolean(view.task(0).reason), "no reason is given");
}

function timedOut(what: string): JobxError {
  return new JobxError("UNREACHABLE", `${what} gave no answer within 60 s and was stopped`);
}

function unlessSample(subject: Subject, is: string): string | null {
  return samplesOf(subject, "error").some((sample) => sample.is === is)
    ? null
    : `there is no sample of an error that is "${is}"`;
}

function errorOf(subject: Subject, is: string): CommandResult {
  const sample =
    samplesOf(subject, "error").find((one) => one.is === is) ?? fail(`there is no sample of "${is}"`);
  return { code: sample.code ?? 1, stdout: sample.stdout ?? "", stderr: sample.stderr ?? "" };
}

/** Whether the first stage says of running jobs what they run. */
function namesScript(subject: Subject): boolean {
  const [stage] = definitionOf(subject).status;
  const sample = samplesOf(subject, "row").find(
    (one) => one.stage === stage?.name && one.is.state === "running",
  );
  if (!stage || !sample) return false;
  const stdout = documentOf(subject, stage.name, [sample.row(sampleJob())]);
  return parseAnswer(stage, { stdout }).every((row) => row.command !== null);
}
