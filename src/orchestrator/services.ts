import type { Executor, ExecutorContext } from "../executor/contract.ts";

/**
 * What every orchestrator verb works with. Made once, at the edge (`cli/services.ts`), with all
 * options resolved.
 */
export type Services = {
  home: string;
  /** Whether the home's group may read what is written; null leaves it as the home has it. */
  shared: boolean | null;
  env: Record<string, string | undefined>;
  /** Words that start this very jobx: the binary, or Bun and the entry file. */
  runtime: string[];
  /** Words that start jobx where jobs run elsewhere: the configuration's `runtime`, else this very jobx. */
  remoteRuntime: string[];
  executors: ExecutorTable;
  /** A note for the person at the terminal. */
  note(text: string): void;
};

/** The executors that this jobx knows; the registry makes it, loading each one when it is first asked for. */
export type ExecutorTable = {
  /** A loaded executor by name; throws NOT_FOUND naming the nearest, or PLUGIN saying why it did not load. */
  get(name: string): Promise<Executor>;
  /** The best one available, for `auto`; never local on a host whose cluster is merely unreachable. */
  pick(): Promise<{ executor: Executor; why: string }>;
  /** The context for an executor's verbs, with its settings from the configuration. */
  contextFor(executor: Executor): ExecutorContext;
};
