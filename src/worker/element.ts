import { usageError } from "../errors.ts";
import { packOf } from "../model/elements.ts";
import { expandHostlist } from "../model/hostlist.ts";
import type { JobSpec } from "../model/job.ts";
import { clock } from "./clock.ts";

/** Which part of a job this supervisor runs. */
export type Element = {
  element: number;
  /** Its tasks: from `first` up to, not including, `end`. */
  first: number;
  end: number;
  /** How many tasks at once where no queue hands out slots. */
  slots: number;
  /** What the scheduler's script says; null where no scheduler started this supervisor. */
  allocation: Allocation | null;
};

/** The scheduler's allocation that an element runs in. */
export type Allocation = {
  /** How often the scheduler has started this element before. */
  restarts: number;
  /** Host names, this one first; null for this host alone. */
  hostnames: string[] | null;
  /** What has the scheduler run this element again: argv, or the worker's own exit code; null where nothing does. */
  requeue: string[] | number | null;
  /** How ranks are started on all hosts; null where tasks have one rank, or all of them run here. */
  ranks: RankLauncher | null;
  /** When the scheduler ends this element, by `clock.now()`; null where that is not known. */
  endsAt: number | null;
  /** Argv that prints how long this element still has; null where it cannot be asked. */
  timeLeft: string[] | null;
  /** Whether it is for the worker to judge how the jobs of `--after` have ended. */
  judgesAfter: boolean;
  /** Signals that mean nothing, by name. */
  ignoredSignals: string[];
  /** How long an earlier run of this element may still be ending on another host. */
  handoverSeconds: number;
};

/** A command that starts the words after it once per rank, in order of ranks, on all hosts. */
export type RankLauncher = {
  words: string[];
  /** The variables in which each rank finds its number, and its number on its host; both from 0. */
  rankVariable: string;
  localRankVariable: string;
};

/**
 * Reads what a scheduler's script says by variables; without `JOBX_ELEMENT` the whole job is one element, as
 * on the local executor. The script sets, before it starts the worker (once per element, also where tasks
 * have several ranks):
 *
 * - `JOBX_ELEMENT`: the element's index in the job, from 0.
 * - `JOBX_RESTARTS`: how often the scheduler has started it before; 0 without.
 * - `JOBX_HANDOVER_SECONDS`: where the scheduler starts an element again while its earlier run still leaves another
 *   host, how long to wait for the records of that run.
 * - `JOBX_HOSTLIST`: the hosts, in Slurm's compact form or separated by commas, the supervisor's own first.
 * - `JOBX_REQUEUE_COMMAND`: JSON array of words that has the scheduler run this element again. Asked for when
 *   tasks are left after SIGUSR2, or for want of time; never after SIGTERM.
 * - `JOBX_REQUEUE_EXIT_CODE`: in place of that command, the exit code of the worker that has the same effect.
 * - `JOBX_SCHEDULER_VARIABLES`: where the job's environment was kept in its folder (`storesEnvironment`), names of
 *   variables to take over from this one, separated by spaces; `SGE_*` stands for all that begin so.
 * - `JOBX_IGNORED_SIGNALS`: signals that the scheduler sends to all processes of a job and that mean nothing here,
 *   such as `SIGUSR1`: neither the worker nor the tasks' commands take notice, unless they ask for it.
 * - `JOBX_JUDGE_AFTER`: `yes` where the scheduler waits for the end of other jobs (`--after`) whatever it is like:
 *   tasks whose predecessors did not end as asked for are cancelled.
 * - `JOBX_RANK_COMMAND`: JSON array of words that starts what follows it once per rank, such as
 *   `["srun","--kill-on-bad-exit=1"]`. It passes SIGUSR2 and SIGTERM on to the ranks.
 * - `JOBX_RANK_VARIABLES`: the names of the variables in which each rank finds its number and its number on
 *   its host, separated by a space, such as `SLURM_PROCID SLURM_LOCALID`.
 * - `JOBX_ELEMENT_SECONDS`: the allocation's time limit; without, a task that is to run again does so here,
 *   whatever time is left.
 * - `JOBX_TIME_LEFT_COMMAND`: where the script does not know the limit, a JSON array of words that prints how long is
 *   left, as `parseDuration` reads it, such as `1:30`. Asked once, when a warning comes: the warning does not say
 *   whether it is of the limit or of a preemption.
 *
 * Signals: SIGUSR2 to the supervisor alone (it passes it on) is a warning that the allocation is about to end;
 * SIGUSR1 is the same, but counts as a timeout. SIGTERM ends it; what was cancelled by jobx is cancelled, everything else is the scheduler's to judge.
 *
 * Throws USAGE on a variable that cannot be read.
 */
export function elementOf(spec: JobSpec, env: Record<string, string | undefined>): Element {
  const { pack, parallel } = spec.run;
  if (!env.JOBX_ELEMENT) {
    const slots = Math.min(parallel ?? pack.slots, spec.tasks);
    return { element: 0, first: 0, end: spec.tasks, slots, allocation: null };
  }
  const element = natural("JOBX_ELEMENT", env.JOBX_ELEMENT);
  return { element, ...packOf(spec, element), slots: pack.slots, allocation: allocationOf(spec, env) };
}

/** Seconds that a task may still run in an allocation and leave it in good order; infinite without a known limit. */
export function secondsUntilEnd(allocation: Allocation | null): number {
  const left = ((allocation?.endsAt ?? Number.POSITIVE_INFINITY) - clock.now()) / 1000;
  return Math.max(left / 2, left - LEAVING_SECONDS);
}

/** What ending a task, keeping its record and asking for another run may take. */
const LEAVING_SECONDS = 15;

function allocationOf({ run }: JobSpec, env: Record<string, string | undefined>): Allocation {
  const seconds = env.JOBX_ELEMENT_SECONDS ? natural("JOBX_ELEMENT_SECONDS", env.JOBX_ELEMENT_SECONDS) : null;
  const words = env.JOBX_RANK_COMMAND ? wordsOf("JOBX_RANK_COMMAND", env.JOBX_RANK_COMMAND) : null;
  const [rankVariable = "", localRankVariable = ""] = (env.JOBX_RANK_VARIABLES ?? "").split(" ");
  return {
    restarts: env.JOBX_RESTARTS ? natural("JOBX_RESTARTS", env.JOBX_RESTARTS) : 0,
    hostnames: env.JOBX_HOSTLIST ? expandHostlist(env.JOBX_HOSTLIST) : null,
    requeue: requeueOf(env),
    handoverSeconds: env.JOBX_HANDOVER_SECONDS
      ? natural("JOBX_HANDOVER_SECONDS", env.JOBX_HANDOVER_SECONDS)
      : 0,
    judgesAfter: env.JOBX_JUDGE_AFTER === "yes" || run.after.some(({ judged }) => judged),
    ignoredSignals: (env.JOBX_IGNORED_SIGNALS ?? "").split(" ").filter((name) => name !== ""),
    ranks: words ? { words, ...rankVariables(rankVariable, localRankVariable) } : null,
    endsAt: seconds === null ? null : clock.now() + seconds * 1000,
    timeLeft: env.JOBX_TIME_LEFT_COMMAND
      ? wordsOf("JOBX_TIME_LEFT_COMMAND", env.JOBX_TIME_LEFT_COMMAND)
      : null,
  };
}

function requeueOf({ JOBX_REQUEUE_COMMAND, JOBX_REQUEUE_EXIT_CODE }: Record<string, string | undefined>) {
  if (JOBX_REQUEUE_COMMAND) return wordsOf("JOBX_REQUEUE_COMMAND", JOBX_REQUEUE_COMMAND);
  return JOBX_REQUEUE_EXIT_CODE ? natural("JOBX_REQUEUE_EXIT_CODE", JOBX_REQUEUE_EXIT_CODE) : null;
}

/** They become part of a shell's script. */
function rankVariables(rankVariable: string, localRankVariable: string) {
  for (const name of [rankVariable, localRankVariable]) {
    if (!/^\w+$/.test(name)) throw usageError("JOBX_RANK_COMMAND needs JOBX_RANK_VARIABLES: two names");
  }
  return { rankVariable, localRankVariable };
}

function natural(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw usageError(`${name} is not a number: ${JSON.stringify(text)}`);
  return Number(text);
}

function wordsOf(name: string, text: string): string[] {
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === "string")) {
      return words;
    }
  } catch {
    // Said below.
  }
  throw usageError(`${name} is not a JSON array of words: ${JSON.stringify(text)}`);
}
