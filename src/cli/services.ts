import type { ResolvedConfig } from "../config/load.ts";
import { registryFrom, servicesFrom, type Surroundings } from "../config/services.ts";
import type { Services } from "../orchestrator/services.ts";
import type { Registry } from "../registry.ts";
import type { Output } from "./output.ts";

/** What services are made from: the context of a command. */
type Context = {
  env: Surroundings["env"];
  output: Output;
  globals: { verbose: boolean };
  config(): ResolvedConfig;
};

/** Makes what the orchestrator's verbs work with, from the resolved configuration. Loads no executor. */
export function openServices(context: Context): Services {
  return servicesFrom(context.config(), surroundingsOf(context));
}

/** The executors with their tables of the configuration; also what `jobx plugins` and `jobx doctor` look at. */
export function registryFor(context: Context): Registry {
  return registryFrom(context.config(), surroundingsOf(context));
}

function surroundingsOf({ env, output, globals }: Context): Surroundings {
  const log = (line: string) => output.debug(output.errStyle.dim(`$ ${line}`));
  return {
    env,
    note: (text) => output.note(text),
    taskOutput: output.form === "people" ? 1 : 2,
    ...(globals.verbose ? { log } : {}),
  };
}
