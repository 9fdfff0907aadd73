import type { ResolvedConfig } from "../config/load.ts";
import { registryFrom, servicesFrom, type Surroundings } from "../config/services.ts";
import type { Services } from "../orchestrator/services.ts";
import { registerOwnModules } from "../own-modules.ts";
import type { Registry } from "../registry.ts";
import type { CliContext } from "./context.ts";

/** Makes what the orchestrator's verbs work with, from the resolved configuration. Loads no executor. */
export async function openServices(context: CliContext): Promise<Services> {
  registerOwnModules(); // the debug executor imports users' files into this very process
  return servicesFrom(await context.config(), surroundingsOf(context));
}

/** The executors with their tables of the configuration; also what `jobx plugins` and `jobx doctor` look at. */
export function registryFor(context: CliContext, config: ResolvedConfig): Registry {
  registerOwnModules();
  return registryFrom(config, surroundingsOf(context));
}

function surroundingsOf({ env, output }: CliContext): Surroundings {
  return {
    env,
    note: (text) => output.note(text),
    taskOutput: output.form === "people" ? 1 : 2,
    log: (line) => output.debug(output.errStyle.dim(`$ ${line}`)),
  };
}
