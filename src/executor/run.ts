import { constants } from "node:os";

import { JobxError, messageOf } from "../errors.ts";

export type CommandOptions = {
  /** The whole environment, instead of the one that `makeRun` was given; cleaned all the same. */
  env?: Record<string, string | undefined>;
  /** Text for standard input; without it standard input is empty. */
  input?: string;
  /** Time limit in milliseconds; 60 s by default. */
  timeoutMs?: number;
  cwd?: string;
  /**
   * Whether what it has printed is all that is wanted of it: then it has succeeded, and its end is not waited for.
   * From its answer to its end sbatch takes 0.7 ms.
   */
  isAnswer?: (stdout: string) => boolean;
  /** Called with all of its standard error so far, whenever it grows: for commands that try for minutes by themselves. */
  onError?: (stderr: string) => void;
};

/** What a command left behind. `code` is 128 plus the signal's number for one that a signal ended. */
export type CommandResult = { code: number; stdout: string; stderr: string };

export type Run = (argv: string[], options?: CommandOptions) => Promise<CommandResult>;

const DEFAULT_TIMEOUT_MS = 60_000;

/** How long output is still read after a command has ended: a process it left behind may hold the pipe. */
const DRAIN_MS = 500;

/**
 * Makes the one function that starts scheduler commands. `log` is told of every command with its duration
 * (`-v`). A command that is missing, cannot be started or gives no answer in time rejects with UNREACHABLE;
 * one that answers with a non-zero code resolves, for the caller to judge.
 */
export function makeRun(defaults: {
  env: Record<string, string | undefined>;
  log?: (line: string) => void;
}): Run {
  return async (argv, options = {}) => {
    checkWords(argv);
    const env = cleanCommandEnvironment(options.env ?? defaults.env);
    const program = findProgram(argv, env, options.cwd);
    const began = performance.now();
    const seconds = () => ((performance.now() - began) / 1000).toFixed(2);
    const report = (outcome: string) => defaults.log?.(`${shellWords(argv)} (${outcome}, ${seconds()} s)`);
    try {
      const result = await execute(program, argv, env, options);
      report(`exit ${result.code}`);
      return result;
    } catch (error) {
      report(messageOf(error));
      throw error;
    }
  };
}

/** A plugin's argv comes from a file, so its type proves nothing. */
function checkWords(argv: unknown): void {
  const isWords = Array.isArray(argv) && argv.length > 0 && argv.every((word) => typeof word === "string");
  if (!isWords) throw new TypeError(`A command is a list of words, and not ${JSON.stringify(argv)}`);
}

/**
 * The environment without variables that change what scheduler commands print: a user's SQUEUE_FORMAT
 * would break the parser (squeue(1), sacct(1), scancel(1), "ENVIRONMENT VARIABLES"). Bun's own go too,
 * since submit commands hand their environment on to the job.
 */
function cleanCommandEnvironment(env: Record<string, string | undefined>): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !MISLEADING.test(name)) clean[name] = value;
  }
  return clean;
}

const MISLEADING = /^(SQUEUE_|SACCT_|SCANCEL_|SLURM_TIME_FORMAT$|BUN_OPTIONS$|BUN_BE_BUN$)/;

/** Argv as one line that a shell would read back the same. */
export function shellWords(argv: string[]): string {
  return argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

async function execute(
  program: string,
  argv: string[],
  env: Record<string, string>,
  options: CommandOptions,
): Promise<CommandResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const child = start(program, argv, env, options);
  const answered = Promise.withResolvers<"answered">();
  const stdout = collect(child.stdout, () => {
    if (options.isAnswer?.(stdout.text())) answered.resolve("answered");
  });
  const stderr = collect(child.stderr, () => options.onError?.(stderr.text()));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(child.pid);
  }, timeoutMs);
  try {
    const first = await Promise.race([child.exited, answered.promise]);
    if (first === "answered") return { code: 0, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    clearTimeout(timer);
  }
  await drained([stdout, stderr]);
  const result = { code: exitCodeOf(child), stdout: stdout.text(), stderr: stderr.text() };
  if (!late) return result;
  throw new JobxError(
    "UNREACHABLE",
    `${argv[0]} gave no answer within ${timeoutMs / 1000} s and was stopped`,
    {
      hint: lastLine(result.stderr) ?? "The scheduler may be overloaded or down: try again in a while",
    },
  );
}

/** In a process group of its own, so that a time limit ends what the command started as well. */
function start(program: string, argv: string[], env: Record<string, string>, options: CommandOptions) {
  try {
    return Bun.spawn([program, ...argv.slice(1)], {
      env,
      cwd: options.cwd,
      stdin: options.input === undefined ? "ignore" : Buffer.from(options.input),
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
      argv0: argv[0],
    });
  } catch (error) {
    throw new JobxError("UNREACHABLE", `${argv[0]} cannot be started: ${messageOf(error)}`, { cause: error });
  }
}

function findProgram(argv: string[], env: Record<string, string>, cwd: string | undefined): string {
  const name = argv[0] ?? "";
  const found = Bun.which(name, { PATH: env["PATH"] ?? "", cwd: cwd ?? process.cwd() });
  if (found) return found;
  throw new JobxError("UNREACHABLE", `Command not found: ${name}`, {
    hint: `It is not on PATH (${env["PATH"] ?? "unset"}): is the scheduler's module loaded on this machine?`,
  });
}

/** What a stream gives, for as long as it does or until it is stopped. */
type Collected = { ended: Promise<void>; text(): string; stop(): void };

function collect(stream: ReadableStream<Uint8Array>, onMore?: () => void): Collected {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  const ended = (async () => {
    for (;;) {
      const next = await reader.read();
      if (next.done) break;
      chunks.push(next.value);
      onMore?.();
    }
  })().catch(() => {});
  return {
    ended,
    text: () => Buffer.concat(chunks).toString("utf8"),
    stop: () => void reader.cancel().catch(() => {}),
  };
}

async function drained(streams: Collected[]): Promise<void> {
  const grace = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    for (const stream of streams) stream.stop();
    grace.resolve();
  }, DRAIN_MS);
  await Promise.race([Promise.all(streams.map((stream) => stream.ended)), grace.promise]);
  clearTimeout(timer);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

function exitCodeOf(child: Bun.Subprocess): number {
  const signal = child.signalCode;
  if (signal === null) return child.exitCode ?? 1;
  return 128 + (typeof signal === "number" ? signal : constants.signals[signal]);
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").at(-1) || undefined;
}
