import type { ExecutorContext } from "../executor/contract.ts";
import type { Services } from "../orchestrator/services.ts";
import { openRegistry, type Registry } from "../registry.ts";
import type { ResolvedConfig } from "./load.ts";

/** What the orchestrator's verbs need besides the configuration. */
export type Surroundings = {
  env: Record<string, string | undefined>;
  note(text: string): void;
  /** Where a job that runs in this process writes its standard output; 1 by default. */
  taskOutput?: ExecutorContext["taskOutput"];
  /** Told of every scheduler command. */
  log?: (line: string) => void;
};

/** What the orchestrator's verbs work with. Loads no executor. */
export function servicesFrom(config: ResolvedConfig, surroundings: Surroundings): Services {
  const runtime = ownRuntime();
  return {
    home: config.home,
    shared: config.shared,
    env: surroundings.env,
    runtime,
    remoteRuntime: config.runtime ?? runtime,
    executors: registryFrom(config, surroundings),
    note: (text) => surroundings.note(text),
  };
}

/** The executors, with their tables of the configuration. */
export function registryFrom(config: ResolvedConfig, surroundings: Surroundings): Registry {
  return openRegistry({
    ...surroundings,
    home: config.home,
    runtime: ownRuntime(),
    table(executor) {
      const values = config.settings[executor];
      return values ? { values, where: `[${executor}], ${config.originOf(executor)}` } : null;
    },
  });
}

/** Words that start this very jobx: the binary, or Bun and the entry file. */
export function ownRuntime(): string[] {
  if (Bun.isStandaloneExecutable) return [process.execPath];
  return [process.execPath, "--no-install", Bun.fileURLToPath(new URL("../cli/main.ts", import.meta.url))];
}
