import { JobxError } from "../errors.ts";
import { schedulerOf } from "../executor/scheduler/definition.ts";
import type { Subject } from "./subject.ts";

/** `pure`: the plugin's functions and samples; `fake`: jobs on a pretended scheduler; `live`: jobs on the real one. */
export type Level = "pure" | "fake" | "live";

/** One thing that must hold of a plugin. */
export type Case = {
  /** Names the rule for good: "status.one-call". */
  rule: string;
  /** The rule as a sentence. */
  title: string;
  /** Why this plugin is not asked; null where it is. */
  skip?(subject: Subject): string | null;
  /** Throws what is wrong. */
  run(subject: Subject): void | Promise<void>;
};

/** Why a case about a scheduler's texts does not apply; null where it does. */
function unlessScheduler({ executor }: Subject): string | null {
  return schedulerOf(executor)
    ? null
    : "it was made by defineExecutor, which has no texts of its own to look at";
}

/** Cases that apply only to what `defineScheduler` made; each may say more. */
export function forSchedulers(cases: Case[]): Case[] {
  return cases.map((one) => ({
    ...one,
    skip: (subject) => unlessScheduler(subject) ?? one.skip?.(subject) ?? null,
  }));
}

/** Ends a case: this is what the plugin does wrong. */
export function fail(message: string): never {
  throw new JobxError("PLUGIN", message);
}

/** Ends a case unless it holds. */
export function check(holds: boolean, message: string): asserts holds {
  if (!holds) fail(message);
}

/** A value as a failure shows it: whole where it is short. */
export function show(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
