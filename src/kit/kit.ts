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
export type Report = {
  plugin: string;
  outcomes: Outcome[];
  passed: boolean;
  /** The rules that it breaks, each with what is wrong. */
  failures: string[];
};

export type KitOptions = {
  /** Levels to try; all but `live` by default. */
  levels?: Level[];
  /** Only the rules that begin like this. */
  only?: string;
  /** Words that start the worker in jobs. */
  runtime: string[];
  /** The environment that jobs are submitted from. */
  env: Record<string, string | undefined>;
  /** Where the homes of live jobs lie: a folder that the nodes see as well. Removed again. */
  folder?: string;
  /** The executor's table of the configuration, for live jobs. */
  settings?: Record<string, unknown>;
  /** Told of every scheduler command of live jobs. */
  log?(line: string): void;
  /** Told of each outcome, level by level. */
  onOutcome?(outcome: Outcome): void;
};

/** Runs a plugin through the contract. What its capabilities exclude is left out, and the report says why. */
export async function testPlugin(executor: Executor, options: KitOptions): Promise<Report> {
  const { levels = ["pure", "fake"], only = "", onOutcome } = options;
  const outcomes: Outcome[] = [];
  for (const level of levels) {
    const cases = (await CASES[level](options)).filter(({ rule }) => rule.startsWith(only));
    const atOnce = level === "fake" ? FAKE_AT_ONCE : 1;
    await eachOf(cases, atOnce, async (one) => {
      const outcome = await tryCase(level, one, executor);
      outcomes.push(outcome);
      onOutcome?.(outcome);
    });
  }
  const failed = outcomes.filter(({ state }) => state === "failed");
  const failures = failed.map(({ rule, why }) => `${rule}: ${why}`);
  return { plugin: executor.name, outcomes, passed: failures.length === 0, failures };
}

/** Loaded when asked for: the pure level needs nothing of the life of jobs. */
const CASES: Record<Level, (options: KitOptions) => Promise<Case[]>> = {
  pure: async () => PURE,
  fake: async (options) => (await import("./fake/level.ts")).fakeCases(options),
  live: async (options) => (await import("./live.ts")).liveCases(options),
};

const PURE: Case[] = [...SHAPE, ...SUBMIT, ...SCRIPT, ...STATUS, ...VERBS];

/** Pretended jobs mostly wait, for each other and for answers. */
const FAKE_AT_ONCE = 10;

async function eachOf<T>(items: T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of queue) await work(item);
    }),
  );
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
