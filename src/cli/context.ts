import { loadConfig, type ResolvedConfig } from "../config/load.ts";
import { JobxError } from "../errors.ts";
import type { Services } from "../orchestrator/services.ts";
import type { OptionValues } from "./args/values.ts";
import type { Output } from "./output.ts";
import { openServices } from "./services.ts";

/** The options that every command has. */
export type Globals = {
  /** As given by `--home`; the resolved one is `services().home`. */
  home: string | null;
  profile: string | null;
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** `--color` or `--no-color`, undefined where neither was given. */
  color: boolean | undefined;
};

/** What a command works with; it arrives as `data` of its `run`, by way of `contextOf`. */
export class CliContext {
  readonly globals: Globals;
  readonly output: Output;
  readonly env: Record<string, string | undefined>;
  readonly cwd: string;
  /** The words that are no options, in order, those after `--` excluded. */
  readonly positionals: string[];
  /** What stood after `--`, word for word; null without a `--`. */
  readonly rest: string[] | null;
  /** The options as typed: every occurrence of a repeated one, and whether one was given at all. */
  readonly values: OptionValues;
  #config: ResolvedConfig | undefined;
  #services: Services | undefined;
  #interrupt: AbortController | undefined;

  constructor(
    parts: Pick<CliContext, "globals" | "output" | "env" | "cwd" | "positionals" | "rest" | "values">,
  ) {
    this.globals = parts.globals;
    this.output = parts.output;
    this.env = parts.env;
    this.cwd = parts.cwd;
    this.positionals = parts.positionals;
    this.rest = parts.rest;
    this.values = parts.values;
  }

  /** The configuration, read once when first asked for. */
  config(): ResolvedConfig {
    const { env, cwd, globals } = this;
    const given = { home: globals.home ?? undefined, profile: globals.profile ?? undefined };
    this.#config ??= loadConfig({ env, cwd, given, label: (key) => `--${key}` });
    return this.#config;
  }

  /** What the orchestrator's verbs need, made once when first asked for. */
  services(): Services {
    this.#services ??= openServices(this);
    return this.#services;
  }

  /**
   * Takes over Ctrl-C: from now on the first one aborts this signal instead of ending the process (with
   * 130); a second one ends it all the same.
   */
  interruptible(): AbortSignal {
    this.#interrupt ??= new AbortController();
    return this.#interrupt.signal;
  }

  /** Called by main on Ctrl-C; false when nobody waits for it and the process should end. */
  interrupt(): boolean {
    if (!this.#interrupt || this.#interrupt.signal.aborted) return false;
    this.#interrupt.abort(new JobxError("INTERRUPTED", "Interrupted"));
    return true;
  }
}

/** The context in a command's `data`. */
export function contextOf(data: unknown): CliContext {
  if (data instanceof CliContext) return data;
  throw new JobxError("BUG", "A command was run without its context");
}
