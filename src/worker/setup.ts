import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { messageOf } from "../errors.ts";
import { shellWords } from "../executor/run.ts";
import { GRACE_MS } from "./limits.ts";
import { type Family, signalGroup } from "./processes.ts";

export type SetupResult =
  | { ok: true; environment: Record<string, string>; cwd: string }
  /** `reason` names the line that failed. */
  | { ok: false; reason: string };

export type ShellPlace = {
  environment: Record<string, string>;
  cwd: string;
  family: Family;
  /** The longest that the lines may take together; null for no limit. */
  limitSeconds: number | null;
  /** Ends the lines: SIGTERM, and SIGKILL after the usual grace. */
  stop?: AbortSignal;
};

/** How bash ended; `failure` says why it did not do so by itself. */
type BashEnd = { exit: number | null; failure: string | null };

/**
 * Runs the setup lines in one login bash, so that `module load` works, and takes its environment and
 * folder over. Their output goes to this process's own streams, the element's log.
 */
export async function runSetup(lines: string[], place: ShellPlace): Promise<SetupResult> {
  if (lines.length === 0) return { ok: true, environment: place.environment, cwd: place.cwd };
  let folder: string;
  try {
    folder = makeFolder();
  } catch (error) {
    return { ok: false, reason: `setup needs a temporary folder, and has none: ${messageOf(error)}` };
  }
  try {
    const end = await runBash(setupScript(lines, folder), place);
    place.family.keepAdopted();
    const reached = readIfThere(join(folder, "line"));
    const environment = readIfThere(join(folder, "environment"));
    const cwd = readIfThere(join(folder, "cwd"));
    if (end.failure !== null || end.exit !== 0 || !environment || !cwd)
      return { ok: false, reason: failureOf(lines, reached, end) };
    return { ok: true, environment: parseEnvironment(environment), cwd };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** TMPDIR may be gone since the process was started. */
function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), FOLDER));
  } catch {
    return mkdtempSync(join("/tmp", FOLDER));
  }
}

const FOLDER = "jobx-setup-";

/** Runs the teardown lines the same way, each whatever became of the others; returns what failed. */
export async function runTeardown(lines: string[], place: ShellPlace): Promise<string[]> {
  const failures: string[] = [];
  if (lines.length === 0) return failures;
  const script = lines.map((line) => `eval ${shellWords([line])} || exit_code=$?`).join("\n");
  const end = await runBash(`exit_code=0\n${script}\nexit $exit_code`, place);
  if (end.failure !== null || end.exit !== 0) failures.push(`a teardown line ${howOf(end)}`);
  return failures;
}

/** The number of the line that runs is in a file all the while, so that even an `exit` in it is attributed. */
function setupScript(lines: string[], folder: string): string {
  const steps = lines.map(
    (line, index) =>
      `printf %s ${index} >${shellWords([join(folder, "line")])}\neval ${shellWords([line])} || exit`,
  );
  const capture = [
    `{ cat /proc/self/environ 2>/dev/null || env -0; } >${shellWords([join(folder, "environment")])}`,
    `printf %s "$PWD" >${shellWords([join(folder, "cwd")])}`,
  ];
  return [...steps, ...capture].join("\n");
}

function failureOf(lines: string[], reached: string | null, end: BashEnd): string {
  const line = lines[Number(reached ?? -1)];
  return line === undefined
    ? `setup ${howOf(end)} before its first line ran`
    : `setup line ${JSON.stringify(line)} ${howOf(end)}`;
}

function howOf({ exit, failure }: BashEnd): string {
  return failure ?? `failed with exit code ${exit}`;
}

async function runBash(
  script: string,
  { environment, cwd, family, limitSeconds, stop }: ShellPlace,
): Promise<BashEnd> {
  try {
    const bash = Bun.spawn(["bash", "-l", "-c", script], {
      cwd,
      env: environment,
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    family.add(bash.pid);
    const limit = limitSeconds === null ? null : AbortSignal.timeout(limitSeconds * 1000);
    const forget = whenStopped(
      [limit, stop].filter((signal) => signal != null),
      bash.pid,
    );
    await bash.exited;
    forget();
    family.delete(bash.pid);
    if (bash.signalCode === null) return { exit: bash.exitCode, failure: null };
    const failure = limit?.aborted
      ? `did not end within --time (${limitSeconds} s)`
      : `was killed by ${bash.signalCode}`;
    return { exit: null, failure };
  } catch (error) {
    return { exit: null, failure: `needs bash, which did not start: ${messageOf(error)}` };
  }
}

/** Ends a process's group once a signal says so; the function it returns is for when the process has ended. */
function whenStopped(signals: AbortSignal[], pid: number): () => void {
  const stop = AbortSignal.any(signals);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    signalGroup(pid, "SIGTERM");
    timer = setTimeout(() => signalGroup(pid, "SIGKILL"), GRACE_MS);
  };
  if (stop.aborted) end();
  else stop.addEventListener("abort", end);
  return () => {
    clearTimeout(timer);
    stop.removeEventListener("abort", end);
  };
}

/** NUL-separated `NAME=value` entries; what bash sets for itself is left out. */
function parseEnvironment(text: string): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const entry of text.split("\0")) {
    const equals = entry.indexOf("=");
    const name = entry.slice(0, equals);
    if (equals > 0 && name !== "_" && name !== "SHLVL") environment[name] = entry.slice(equals + 1);
  }
  return environment;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
