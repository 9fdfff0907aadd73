import { fstatSync, writeSync } from "node:fs";

import { type ConsolaInstance, createConsola, LogLevels } from "consola/core";

import { errnoOf } from "../errors.ts";

/** One answer in its three forms; only the one that was asked for is made. */
export type Answer = {
  /** The JSON document of `--json`. */
  json: unknown;
  /** The lines of `--quiet`: ids or bare values. */
  quiet: string[];
  /** What people read; without the final newline. */
  text: () => string;
};

/** Colours, or the text as it is where the stream shall have none. */
export type Style = Record<
  "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "cyan",
  (text: string) => string
>;

/**
 * Where commands write: results to standard output, everything else to standard error. Writes are
 * complete when they return. A reader that went away (`| head`) ends the process as SIGPIPE would.
 */
export type Output = {
  form: "people" | "json" | "quiet";
  /** Colours for standard output. */
  style: Style;
  /** Colours for standard error. */
  errStyle: Style;
  result(answer: Answer): void;
  /** Standard output as it is: logs, scripts, a result's bytes. */
  write(bytes: string | Uint8Array): void;
  /** A line for the person at the terminal; silent with `--quiet`. */
  note(text: string): void;
  /** A line that `--quiet` does not silence. */
  warn(text: string): void;
  /** What went wrong. */
  error(text: string): void;
  /** A line that only `--verbose` shows. */
  debug(text: string): void;
  /** Standard error as it is: progress bars. */
  writeError(bytes: string | Uint8Array): void;
  /** The terminal that standard error is, for progress that redraws itself; null where it is none. */
  terminal(): { columns: number } | null;
};

export type OutputOptions = {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** Whether a stream gets colours; asked only once something is painted, since it may take long to find out. */
  color: { readonly out: boolean; readonly err: boolean };
};

/** Makes the output that the global options ask for; `sink` (file descriptors by default) is for tests. */
export function makeOutput(
  options: OutputOptions,
  sink: (fd: 1 | 2, bytes: Uint8Array) => void = writeFully,
): Output {
  // Most answers come with no other word, so it is made when the first one is said.
  let made: ConsolaInstance | undefined;
  const log = () =>
    (made ??= createConsola({
      level: options.verbose ? LogLevels.debug : options.quiet ? LogLevels.warn : LogLevels.info,
      // Lines that are alike are no mistake.
      throttle: 0,
      reporters: [{ log: ({ args }) => put(2, lines(args.join(" "))) }],
    }));
  const form = options.json ? "json" : options.quiet ? "quiet" : "people";
  const put = (fd: 1 | 2, text: string | Uint8Array) => {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    if (bytes.length > 0) sink(fd, bytes);
  };
  return {
    form,
    style: makeStyle(() => options.color.out),
    errStyle: makeStyle(() => options.color.err),
    result(answer) {
      if (form === "json") put(1, `${JSON.stringify(answer.json, null, 2)}\n`);
      else put(1, lines(form === "quiet" ? answer.quiet.join("\n") : answer.text()));
    },
    write: (bytes) => put(1, bytes),
    note: (text) => log().info(text),
    warn: (text) => log().warn(text),
    error: (text) => log().error(text),
    debug: (text) => log().debug(text),
    writeError: (bytes) => put(2, bytes),
    terminal: () => (isTerminal(2) ? { columns: process.stderr.columns || 80 } : null),
  };
}

/** Whether a stream gets colours: never with `--no-color`, NO_COLOR or a dumb terminal, always with FORCE_COLOR. */
export function wantsColor(
  flag: boolean | undefined,
  env: Record<string, string | undefined>,
  isTerminal: () => boolean,
): boolean {
  if (flag !== undefined) return flag;
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0";
  return env.TERM !== "dumb" && isTerminal();
}

/** Whether a stream is a terminal. Asked of the file first: making `process.stdout` takes 4 ms. */
export function isTerminal(fd: 1 | 2): boolean {
  try {
    if (!fstatSync(fd).isCharacterDevice()) return false;
  } catch {
    return false; // closed
  }
  return (fd === 1 ? process.stdout : process.stderr).isTTY;
}

function makeStyle(wanted: () => boolean): Style {
  let enabled: boolean | undefined;
  const paint = (name: keyof Style) => (text: string) => {
    enabled ??= wanted();
    if (!enabled) return text;
    const { styleText } = process.getBuiltinModule("node:util"); // a millisecond that plain text does not need
    return styleText(name, text, { validateStream: false });
  };
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    blue: paint("blue"),
    cyan: paint("cyan"),
  };
}

function lines(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** What a shell reports for a process that SIGPIPE ended. */
const BROKEN_PIPE_EXIT = 141;

function writeFully(fd: 1 | 2, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "EPIPE" && fd === 1) process.exit(BROKEN_PIPE_EXIT);
      if (errno === "EAGAIN") Bun.sleepSync(2);
      else if (fd === 2)
        return; // nobody listens to notes: the work itself goes on
      else throw error;
    }
  }
}
