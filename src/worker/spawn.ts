import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { errnoOf, messageOf } from "../errors.ts";
import { LONGEST_WORD } from "../model/task-vars.ts";

export type SpawnPlan = {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  stdio: ["ignore" | "inherit", number | "inherit" | "pipe", number | "inherit"];
  /** In a process group and session of its own. */
  detached: boolean;
  /** A control group to start in. */
  cgroup?: string | null;
  /** Signals that it shall begin without heeding, by name; a started process has all others' defaults. */
  ignoredSignals?: string[];
  onExit?: (process: Bun.Subprocess) => void;
};

/** Why a command did not start, with the exit code that a shell would give. */
export type SpawnFailure = { reason: string; exitCode: number | null };

/**
 * Starts a command as a shell would: looked up in its own PATH, in a process group of its own, a script
 * without a first line by /bin/sh.
 */
export function spawnCommand(plan: SpawnPlan): Bun.Subprocess | SpawnFailure {
  try {
    return spawn(plan, lookUp(plan));
  } catch (error) {
    if (errnoOf(error) !== "ENOEXEC") return explain(plan, error);
  }
  try {
    const script = lookUp(plan) ?? plan.argv[0] ?? "";
    return spawn({ ...plan, argv: ["/bin/sh", script, ...plan.argv.slice(1)] }, null);
  } catch (error) {
    return explain(plan, error);
  }
}

function spawn(plan: SpawnPlan, path: string | null): Bun.Subprocess {
  const [word = "", ...rest] = plan.argv;
  const program = path ?? word;
  const ignored = plan.ignoredSignals ?? [];
  return Bun.spawn([...withoutHeeding(ignored), program, ...rest], {
    ...(path !== null && path !== word && ignored.length === 0 ? { argv0: word } : {}),
    cwd: plan.cwd,
    env: plan.env,
    stdio: plan.stdio,
    detached: plan.detached,
    onExit: plan.onExit,
    ...(plan.cgroup ? { cgroup: plan.cgroup } : {}),
  });
}

/** Words that start what follows them with these signals ignored: only a process itself can have that passed on. */
function withoutHeeding(signals: string[]): string[] {
  if (signals.length === 0) return [];
  const names = signals.map((name) => name.replace(/^SIG/, "")).join(" ");
  return ["/bin/sh", "-c", `trap '' ${names}; exec "$@"`, "sh"];
}

/** Where a bare word was found last, by word and PATH: a thousand tasks search their PATH once. */
const found = new Map<string, string>();

function lookUp(plan: SpawnPlan): string | null {
  const word = plan.argv[0] ?? "";
  if (word === "" || word.includes("/")) return null;
  const key = `${word}\0${plan.env.PATH ?? ""}`;
  const known = found.get(key);
  if (known !== undefined) return known;
  const path = Bun.which(word, { PATH: plan.env.PATH ?? DEFAULT_PATH, cwd: plan.cwd });
  if (path !== null) found.set(key, path);
  return path;
}

function explain(plan: SpawnPlan, error: unknown): SpawnFailure {
  const word = plan.argv[0] ?? "";
  found.clear();
  if (!existsSync(plan.cwd))
    return { reason: `the working directory ${plan.cwd} does not exist`, exitCode: null };
  switch (errnoOf(error)) {
    case "ENOENT":
      return { reason: notFound(plan, word), exitCode: 127 };
    case "EACCES":
      return { reason: `permission denied: ${word} is not executable`, exitCode: 126 };
    case "E2BIG":
      return { reason: tooLong(plan), exitCode: 126 };
    default:
      return { reason: `${word} did not start: ${messageOf(error)}`, exitCode: 126 };
  }
}

function notFound(plan: SpawnPlan, word: string): string {
  const interpreterMissing = word.includes("/") && existsSync(resolve(plan.cwd, word));
  return interpreterMissing
    ? `command not found: the interpreter that ${word} names does not exist`
    : `command not found: ${word}`;
}

/** Linux takes 128 KiB in one word, and about a quarter of the stack limit in all. */
function tooLong({ argv, env }: SpawnPlan): string {
  const variables = Object.entries(env).map(([name, value]) => [name, `${name}=${value}`] as const);
  const words = argv.map(
    (word, index) => [index === 0 ? "the command's name" : `argument ${index}`, word] as const,
  );
  for (const [name, text] of [...words, ...variables]) {
    const bytes = Buffer.byteLength(text);
    if (bytes >= LONGEST_WORD) {
      return `${name} is too long: it has ${bytes} bytes, and this system takes ${LONGEST_WORD - 1} in one; ${INSTEAD}`;
    }
  }
  const all = [...words, ...variables].reduce((sum, [, text]) => sum + Buffer.byteLength(text) + 1, 0);
  return `the command line and its variables are too long for this system: ${all} bytes; ${INSTEAD}`;
}

const INSTEAD = "pass it in a file, as JOBX_PARAMS_FILE does with long parameters";
/** What execvp searches when PATH is not set. */
const DEFAULT_PATH = "/bin:/usr/bin";
