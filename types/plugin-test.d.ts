// Made by scripts/types from the sources; changes made here are lost.

import { Executor } from "jobx/plugin";

/** `pure`: the plugin's functions and samples; `fake`: jobs on a pretended scheduler; `live`: jobs on the real one. */
export type Level = "pure" | "fake" | "live";

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

/** Runs a plugin through the contract: by default all but `live`, with this very jobx as the worker of its jobs. */
export declare function testPlugin(plugin: Executor, options?: Partial<KitOptions>): Promise<Report>;

export {};
