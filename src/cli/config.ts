import type { CliContext } from "./context.ts";

/** The configuration, complete: files, environment and global flags merged. */
export type ResolvedConfig = {
  /** The home folder, absolute. */
  home: string;
  /** Defaults of `submit`, by the flag's name, as the flag would be written. */
  values: Record<string, string | boolean | string[] | Record<string, string>>;
  /** Tables of executors, unvalidated: `{ local: { cpus: 2 } }`. */
  settings: Record<string, Record<string, unknown>>;
};

/** Reads and merges the configuration. */
export async function loadConfig(_context: CliContext): Promise<ResolvedConfig> {
  throw new Error("not yet");
}
