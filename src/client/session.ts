import { loadConfig, type ResolvedConfig } from "../config/load.ts";
import { servicesFrom } from "../config/services.ts";
import type { Services } from "../orchestrator/services.ts";
import { currentDriver } from "./driver.ts";
import type { ExecutorOptions } from "./options.ts";

/** A home with its configuration, and what the orchestrator's verbs need there. */
export type Session = { config: ResolvedConfig; services: Services };

/** The options that say which home and configuration are meant; the others are about a submission. */
export const SESSION_OPTIONS = ["home", "profile", "shared", "runtime", "onNote"] as const;

export type SessionOptions = Pick<ExecutorOptions, (typeof SESSION_OPTIONS)[number]>;

/** Reads the configuration as it is now: files < profile < `JOBX_*` variables < the given options. Throws USAGE. */
export function openSession(options: SessionOptions): Session {
  const { home, profile, shared, runtime, onNote } = options;
  const given = { home, profile, shared, runtime: typeof runtime === "string" ? [runtime] : runtime };
  const config = loadConfig({ env: process.env, cwd: process.cwd(), given, label: (key) => key });
  const tell = onNote ?? currentDriver().note ?? warn;
  // Set by `jobx -v run`.
  const log = process.env.JOBX_VERBOSE ? (line: string) => tell(`$ ${line}`) : undefined;
  const note = once(tell);
  return { config, services: servicesFrom(config, { env: process.env, note, log }) };
}

/** What has been said, by who was told. */
const notes = new WeakMap<(text: string) => void, Set<string>>();

/** What a command line says once is not said again for each of a script's submissions. */
function once(note: (text: string) => void): (text: string) => void {
  const said = notes.get(note) ?? new Set<string>();
  notes.set(note, said);
  return (text) => {
    if (said.has(text)) return;
    said.add(text);
    note(text);
  };
}

function warn(text: string): void {
  process.emitWarning(text, "JobxNote");
}
