import type { AgainRecord, ResultRecord } from "../model/records.ts";
import type { FinalState } from "../model/states.ts";
import type { Attempt } from "./attempt.ts";
import type { ElementContext } from "./element-context.ts";
import type { ElementHistory } from "./history.ts";
import { type AttemptEnd, judge } from "./outcome.ts";
import { type History, NO_HISTORY, withAnother } from "./policy.ts";
import type { Waiting } from "./task-line.ts";
import { recordOfLeft } from "./unrun.ts";

/** What follows an attempt: its task's end, or the next attempt here; neither where another run of the element goes on. */
export type FollowUp = { final: FinalState | null; next: Waiting | null };

/** Judges the attempts of an element as they end, by what came before them, and has that recorded. */
export class FollowUps {
  readonly #context: ElementContext;
  readonly #histories = new Map<number, History>();
  /** Attempts to be followed by one in another run of the element. */
  readonly #left: AgainRecord[] = [];

  constructor(context: ElementContext, history: ElementHistory) {
    this.#context = context;
    for (const [task, { failures, timeouts, losses }] of history.tasks) {
      this.#histories.set(task, { failures, timeouts, losses });
    }
  }

  /** How many tasks are left for another run. */
  get left(): number {
    return this.#left.filter((record) => record.rank === 0).length;
  }

  /** `here`: whether another attempt may still start in this run. */
  of({ task, attempt }: Attempt, end: AttemptEnd, here: boolean): FollowUp {
    const { dir, spec, node, recorder, spares } = this.#context;
    const history = this.#histories.get(task) ?? NO_HISTORY;
    const { decision, records } = judge({ dir, spec, node, task, attempt }, end, history);
    recorder.ended(records);
    if (!("again" in decision)) {
      spares.collect(task);
      return { final: decision.final, next: null };
    }
    this.#histories.set(task, withAnother(history, decision.again));
    const after = records.filter(isAgain);
    if (here) return { final: null, next: { task, attempt: attempt + 1, why: after[0]?.reason, after } };
    this.leave(after);
    return { final: null, next: null };
  }

  /** Leaves the attempt that was to follow one with these records to another run of the element. */
  leave(after: AgainRecord[]): void {
    this.#left.push(...after);
  }

  /** Records that what was left to another run has ended, since there will be none, and why. */
  giveUp(why: string): void {
    this.#context.recorder.ended(this.#left.map((record) => recordOfLeft(record, why)));
  }
}

function isAgain(record: ResultRecord | AgainRecord): record is AgainRecord {
  return record.kind === "again";
}
