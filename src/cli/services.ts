import { fileURLToPath } from "node:url";

import type { Services } from "../orchestrator/services.ts";
import { registerOwnModules } from "../own-modules.ts";
import { openRegistry, type Registry } from "../registry.ts";
import type { ResolvedConfig } from "./config.ts";
import type { CliContext } from "./context.ts";

/** Makes what the orchestrator's verbs work with, from the resolved configuration. Loads no executor. */
export async function openServices(context: CliContext): Promise<Services> {
  const config = await context.config();
  const { env, output } = context;
  const note = (text: string) => output.note(text);
  const runtime = ownRuntime();
  const remoteRuntime = config.runtime ?? runtime;
  return {
    home: config.home,
    shared: config.shared,
    env,
    runtime,
    remoteRuntime,
    executors: registryFor(context, config),
    note,
  };
}

/** The executors with their tables of the configuration; also what `jobx plugins` and `jobx doctor` look at. */
export function registryFor(context: CliContext, config: ResolvedConfig): Registry {
  const { output } = context;
  registerOwnModules(); // the debug executor imports users' files into this very process
  return openRegistry({
    env: context.env,
    home: config.home,
    runtime: ownRuntime(),
    note: (text) => output.note(text),
    taskOutput: output.form === "people" ? 1 : 2,
    log: (line) => output.debug(output.errStyle.dim(`$ ${line}`)),
    table(executor) {
      const values = config.settings[executor];
      return values ? { values, where: `[${executor}], ${config.originOf(executor)}` } : null;
    },
  });
}

/** Words that start this very jobx: the binary, or Bun and the entry file. */
function ownRuntime(): string[] {
  if (Bun.isStandaloneExecutable) return [process.execPath];
  return [process.execPath, "--no-install", fileURLToPath(new URL("./main.ts", import.meta.url))];
}
