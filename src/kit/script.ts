import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { NativeArray } from "../executor/scheduler/native.ts";
import type { SampleJob } from "../executor/scheduler/samples.ts";
import { fail } from "./case.ts";
import { definitionOf, sampleJob, samplesOf, type Subject } from "./subject.ts";

const TIMEOUT_MS = 10_000;

/** What bash has against a script; null for nothing. */
export async function syntaxError(script: string): Promise<string | null> {
  const { code, stderr } = await withScript(script, (path) => spawn(["bash", "-n", path], {}));
  return code === 0 ? null : stderr.trim() || `bash -n ended with exit code ${code}`;
}

/**
 * Runs the script that a plugin makes of an array as the scheduler would, with the scheduler's variables, and gives
 * what the worker in it printed and what the rest did.
 */
export async function runScript(subject: Subject, array: NativeArray, changes: Partial<SampleJob> = {}) {
  const definition = definitionOf(subject);
  return withScript(definition.script(array), (path) => {
    const words = scriptArguments(definition.submit.argv(array, path), path);
    const job = { script: path, arguments: words, ...changes };
    const env = { ...variablesOf(subject, job), ...filesOf(subject, job, dirname(path)) };
    return spawn(["bash", path, ...words], env);
  });
}

/** The environment that a plugin's script gives the worker, wherever it sends what that prints. */
export async function workerEnvironment(
  subject: Subject,
  array: NativeArray,
  changes: Partial<SampleJob> = {},
): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "jobx-kit-"));
  try {
    const path = join(folder, "environment");
    const worker = ["/bin/sh", "-c", 'exec /usr/bin/env -0 >"$1"', "sh", path];
    const { stderr, code } = await runScript(subject, { ...array, worker }, changes);
    if (code !== 0) fail(`the script ended with exit code ${code}: ${stderr.trim()}`);
    const pairs = (existsSync(path) ? readFileSync(path, "utf8") : "")
      .split("\0")
      .filter((line) => line !== "");
    return Object.fromEntries(
      pairs.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The words behind the script on the submit command's line are the script's own. */
export function scriptArguments(argv: string[], script: string): string[] {
  const at = argv.indexOf(script);
  return at < 0 ? [] : argv.slice(at + 1);
}

/** What the scheduler sets in a job, by the plugin's samples. */
export function variablesOf(subject: Subject, changes: Partial<SampleJob>): Record<string, string> {
  const job = sampleJob(changes);
  return Object.assign({}, ...samplesOf(subject, "variables").map((sample) => sample.variables(job)));
}

/** The files that the scheduler makes for a job, written into a folder, by their variables. */
export function filesOf(
  subject: Subject,
  changes: Partial<SampleJob>,
  folder: string,
): Record<string, string> {
  const job = sampleJob(changes);
  const paths: Record<string, string> = {};
  for (const { files } of samplesOf(subject, "variables")) {
    for (const [name, text] of Object.entries(files?.(job) ?? {})) {
      paths[name] = join(folder, name);
      writeFileSync(join(folder, name), text);
    }
  }
  return paths;
}

async function withScript<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "jobx-kit-"));
  try {
    const path = join(folder, "submit.sh");
    writeFileSync(path, text, { mode: 0o700 });
    return await use(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function spawn(argv: string[], env: Record<string, string>) {
  const child = Bun.spawn(argv, {
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/home/ann", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const code = await child.exited;
  return { code, stdout, stderr, pid: child.pid };
}
