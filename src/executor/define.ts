import type { Capabilities, Executor } from "./contract.ts";

const NO_CAPABILITIES: Capabilities = {
  arrays: false,
  ranks: false,
  nodes: false,
  requeue: false,
  signals: false,
  dependencies: false,
  wholeJob: false,
  thisHost: false,
};

const GRACE_SECONDS = 30;

/** What a plugin without a version was written against. */
const FIRST_CONTRACT = 1;

/** What a plugin author writes: an executor whose contract version and missing capabilities are filled in. */
export type ExecutorDefinition = Omit<Executor, "contract" | "capabilities" | "options" | "graceSeconds"> & {
  /** The version of the contract that it is written against; 1, the first one, where it does not say. */
  contract?: number;
  graceSeconds?: number;
  capabilities?: Partial<Capabilities>;
  options?: Executor["options"];
};

/** Defines an executor with full control over every verb; `local` and `debug` are written with it. */
export function defineExecutor(definition: ExecutorDefinition): Executor {
  return {
    ...definition,
    contract: definition.contract ?? FIRST_CONTRACT,
    capabilities: { ...NO_CAPABILITIES, ...definition.capabilities },
    options: definition.options ?? {},
    graceSeconds: definition.graceSeconds ?? GRACE_SECONDS,
  };
}
