import { messageOf } from "../errors.ts";
import type { Executor } from "../executor/contract.ts";
import type { Case, Level } from "./case.ts";
import { SCRIPT } from "./pure/script.ts";
import { SHAPE } from "./pure/shape.ts";
import { STATUS } from "./pure/status.ts";
import { SUBMIT } from "./pure/submit.ts";
import { VERBS } from "./pure/verbs.ts";

/** What came of one case. */
export type Outcome = {
  level: Level;
  rule: string;
  title: string;
  /** "left out": it does not apply to this plugin, and `why` says so. */
  state: "passed" | "failed" | "left out";
  why: string | null;
  milliseconds: number;
};

/** What the kit found of one plugin. */
export type Report = { plugin: string; outcomes: Outcome[]; passed: boolean };

export type KitOptions = {
  /** Levels to try; all but `live` by default. */
  levels?: Level[];
  /** Only the rules that begin like this. */
  only?: string;
  /** Told of each outcome as it comes. */
  onOutcome?(outcome: Outcome): void;
};

const PURE: Case[] = [...SHAPE, ...SUBMIT, ...SCRIPT, ...STATUS, ...VERBS];

/** Runs a plugin through the contract. What its capabilities exclude is left out, and the report says why. */
export async function testPlugin(executor: Executor, options: KitOptions = {}): Promise<Report> {
  const { levels = ["pure", "fake"], only = "", onOutcome } = options;
  const outcomes: Outcome[] = [];
  const add = (outcome: Outcome) => {
    outcomes.push(outcome);
    onOutcome?.(outcome);
  };
  if (levels.includes("pure")) {
    for (const one of PURE.filter(({ rule }) => rule.startsWith(only)))
      add(await tryCase("pure", one, executor));
  }
  return { plugin: executor.name, outcomes, passed: outcomes.every(({ state }) => state !== "failed") };
}

async function tryCase(level: Level, { rule, title, skip, run }: Case, executor: Executor): Promise<Outcome> {
  const began = performance.now();
  const outcome = (state: Outcome["state"], why: string | null): Outcome => ({
    level,
    rule,
    title,
    state,
    why,
    milliseconds: performance.now() - began,
  });
  try {
    const reason = skip?.({ executor }) ?? null;
    if (reason !== null) return outcome("left out", reason);
    await run({ executor });
    return outcome("passed", null);
  } catch (error) {
    return outcome("failed", messageOf(error));
  }
}
