import type { FunctionEntry, JobSpec } from "../model/job.ts";
import { childrenOf } from "../queue/proc.ts";
import { homeOf, valueName } from "../store/layout.ts";
import { leftBehind } from "./large-payload.ts";
import { attemptLine, closeLogs, logNames, makeLogFolder, markAttempt, openLogs } from "./logs.ts";
import { AGAIN_EXIT_CODE } from "./policy.ts";
import { type Family, killTree } from "./processes.ts";
import { neverRan, type RankEnd, type RankProcess, type RankStart } from "./rank.ts";
import { diedReason } from "./reasons.ts";
import { type FunctionTask, Runner, type RunnerOutcome } from "./runner-client.ts";
import { calledBy } from "./runner-protocol.ts";

type RunnerPlace = { dir: string; spec: JobSpec; node: string; cwd: string };
/** Without `why`, the logs have the line that begins an attempt already. */
type RunnerStart = Pick<RankStart, "task" | "rank" | "attempt" | "slot" | "payload" | "upTo"> & {
  why?: string | null;
};

/** The processes that run functions: one per slot and rank, kept for the slot's next task. */
export class RunnerPool {
  readonly #runners = new Map<string, Runner>();

  readonly #options: { runtime: string[]; env: Record<string, string>; family: Family };
  readonly #entry: FunctionEntry;

  constructor(
    options: { runtime: string[]; env: Record<string, string>; family: Family },
    entry: FunctionEntry,
  ) {
    this.#options = options;
    this.#entry = entry;
  }

  /** Hands a task to the slot's runner. */
  start(context: RunnerPlace, start: RunnerStart, env: Record<string, string>): RankProcess {
    const key = `${start.slot.id}.${start.rank}`;
    const runner = this.#runners.get(key) ?? this.#open(key);
    const ended = runner.run(this.#taskOf(context, start, env)).then(async (outcome) => {
      if (outcome.kind === "error" && outcome.abandoned) {
        // The function still runs in there.
        runner.kill();
        await runner.closed;
      } else if (outcome.kind !== "died") {
        for (const pid of childrenOf(runner.pid, "main")) killTree(pid);
      }
      return endOf(outcome, context.spec);
    });
    const patienceMs = Math.min(context.spec.run.signalDelaySeconds * 500, PATIENCE_MS);
    return {
      pid: runner.pid,
      ownsGroup: false,
      ended,
      warn(kind, unheard) {
        const timer = setTimeout(() => unheard("blocked"), patienceMs);
        void ended.then(() => clearTimeout(timer));
        runner.abort(kind, (heeded) => {
          clearTimeout(timer);
          if (!heeded) unheard("unheeded");
        });
        return 1;
      },
      end(cause) {
        if (cause !== "ended") return runner.kill();
        runner.abort("preempted", (heeded) => {
          if (!heeded) runner.kill();
        });
      },
      kill: () => runner.kill(),
    };
  }

  /** Ends all runners. */
  async close(): Promise<void> {
    const runners = [...this.#runners.values()];
    for (const runner of runners) runner.kill();
    await Promise.all(runners.map((runner) => runner.closed));
  }

  #open(key: string): Runner {
    const { runtime, env, family } = this.#options;
    const runner = Runner.start({ runtime, env });
    this.#runners.set(key, runner);
    family.add(runner.pid);
    void runner.closed.then(() => {
      family.delete(runner.pid);
      if (this.#runners.get(key) === runner) this.#runners.delete(key);
    });
    return runner;
  }

  #taskOf(context: RunnerPlace, start: RunnerStart, env: Record<string, string>): FunctionTask {
    const { dir, spec } = context;
    const { task, rank, attempt, payload } = start;
    const names = logNames(dir, spec.tasks, task, rank, spec.run.mergeOutput);
    makeLogFolder(dir, spec.tasks, task);
    if (attempt > 0 && start.why !== undefined) {
      const logs = openLogs(names);
      markAttempt(logs, attemptLine(attempt, context.node, start.why));
      closeLogs(logs);
    }
    return {
      task,
      rank,
      attempt,
      ...calledBy(homeOf(dir), this.#entry, payload),
      left: leftBehind(this.#entry, payload),
      env,
      cwd: context.cwd,
      ...names,
      upTo: start.upTo,
      noticeSeconds: spec.run.signalDelaySeconds,
      dir,
      valueName: valueName(task, attempt, rank),
    };
  }
}

function endOf(outcome: RunnerOutcome, { resources }: JobSpec): RankEnd {
  if (outcome.kind === "value") {
    const { value, usage } = outcome;
    return { ...neverRan(""), reason: null, exitCode: 0, ok: true, value, usage };
  }
  if (outcome.kind === "error") {
    const { error, reason, usage, refused } = outcome;
    return { ...neverRan(reason), exitCode: 1, error, usage, again: refused ? false : null };
  }
  const { exitCode, signal } = outcome;
  return {
    ...neverRan(diedReason(exitCode, signal, resources.memBytes ?? null)),
    exitCode,
    signal,
    again: exitCode === AGAIN_EXIT_CODE ? true : null,
  };
}

/** How long a function may keep its event loop busy after a warning until it counts as blocked; at most half of the notice. */
const PATIENCE_MS = 20_000;
