import { JobxError } from "../errors.ts";
import type { ConfigValue } from "./keys.ts";

/** Options that were given for one submission, by the flag's name. */
export type GivenOptions = {
  has(name: string): boolean;
  text(name: string): string | undefined;
  flag(name: string): boolean | undefined;
  all(name: string): string[];
};

/** Where an option may have been given: on the command line, in a script's directives, in the configuration. */
export type SettingsSources = {
  flags: GivenOptions;
  /** Options of `#SBATCH` lines, by the flag's name. */
  directives: Record<string, string | true>;
  config: { values: Record<string, ConfigValue>; originOf(key: string, inner?: string): string };
};

/** The options of a submission by flag name: the command line beats a script's directives, those the configuration. */
export class SubmitSettings {
  readonly #sources: SettingsSources;

  constructor(sources: SettingsSources) {
    this.#sources = sources;
  }

  /** Whether an option stood on the command line itself. */
  typed(name: string): boolean {
    return this.#sources.flags.has(name);
  }

  /** The text of an option, undefined where it was nowhere given. */
  text(name: string): string | undefined {
    const { flags, directives, config } = this.#sources;
    if (flags.has(name)) return flags.text(name);
    const directive = directives[name];
    if (typeof directive === "string") return directive;
    const value = config.values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** A switch, undefined where it was nowhere given. */
  flag(name: string): boolean | undefined {
    const { flags, directives, config } = this.#sources;
    if (flags.has(name)) return flags.flag(name);
    if (directives[name] === true) return true;
    if (directives[`no-${name}`] === true) return false;
    const value = config.values[name];
    return typeof value === "boolean" ? value : undefined;
  }

  /** Every value of a repeatable option; those of the command line replace those of the configuration. */
  all(name: string): string[] {
    const { flags, directives, config } = this.#sources;
    if (flags.has(name)) return flags.all(name);
    const directive = directives[name];
    if (typeof directive === "string") return [directive];
    const value = config.values[name];
    if (typeof value === "string") return [value];
    return Array.isArray(value) ? value : [];
  }

  /** A table of the configuration, e.g. `env`. */
  table(name: string): Record<string, string> {
    const value = this.#sources.config.values[name];
    return typeof value === "object" && !Array.isArray(value) ? value : {};
  }

  /** Where the configuration has a key of a table: "/path/jobx.toml:3". */
  originOf(name: string, inner: string): string {
    return this.#sources.config.originOf(name, inner);
  }

  /** Reads an option's text; what is wrong with it names the flag and, where it was not typed, its origin. */
  read<T>(name: string, parse: (text: string) => T): T | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : this.explain(name, () => parse(text));
  }

  /** Runs what reads an option, and adds the flag and its origin to a usage error. */
  explain<T>(name: string, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof JobxError)) throw error;
      const message = error.message.startsWith("--") ? error.message : `--${name}: ${error.message}`;
      throw new JobxError(error.code, message + this.#originNote(message), {
        hint: error.hint,
        cause: error,
      });
    }
  }

  /** " (from /path/jobx.toml:3)" for a flag that was not typed. */
  #originNote(message: string): string {
    const name = /^--([\w-]+)/.exec(message)?.[1] ?? "";
    const { flags, directives, config } = this.#sources;
    if (flags.has(name)) return "";
    if (Object.hasOwn(directives, name)) return " (from the script's #SBATCH lines)";
    return Object.hasOwn(config.values, name) ? ` (from ${config.originOf(name)})` : "";
  }
}
