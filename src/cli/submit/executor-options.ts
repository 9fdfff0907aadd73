import { JobxError, usageError } from "../../errors.ts";
import type { ExecutorTable } from "../../orchestrator/services.ts";

/**
 * The executor's own options from `-o KEY=VALUE`; `slurm.KEY=VALUE` counts on slurm alone. Throws USAGE, with a word
 * for those who mean sbatch's `-o FILE`.
 */
export function executorOptions(given: string[], executor: string, logs: string): Record<string, string> {
  const options: Record<string, string> = {};
  for (const text of given) {
    const equals = text.indexOf("=");
    if (equals < 1) throw notAnOption(text, logs);
    const key = text.slice(0, equals);
    const dot = key.indexOf(".");
    if (dot > 0 && key.slice(0, dot) !== executor) continue;
    options[key.slice(dot + 1)] = text.slice(equals + 1);
  }
  return options;
}

/** Refuses a prefix of `-o` that no executor has. Throws USAGE that names the nearest. */
export async function checkPrefixes(given: string[], executors: Pick<ExecutorTable, "get">): Promise<void> {
  for (const text of given) {
    const prefix = /^([^=.]+)\.[^=]*=/.exec(text)?.[1];
    if (prefix === undefined) continue;
    await executors.get(prefix).catch((error: unknown) => {
      // One that does not load is no slip of the pen, and not what runs this job.
      if (!(error instanceof JobxError) || error.code !== "NOT_FOUND") return;
      throw usageError(`-o ${text}: there is no executor ${JSON.stringify(prefix)}`, error.hint);
    });
  }
}

/** Refuses what can only be sbatch's `-e FILE`. */
export function checkExecutorName(name: string, logs: string): string {
  if (name === "") throw usageError('--executor is ""', "Name one, or leave it out: jobx plugins lists them");
  if (!/[./%]/.test(name)) return name;
  throw usageError(`-e names an executor, not a file: ${JSON.stringify(name)}`, keptOutput(logs));
}

function notAnOption(text: string, logs: string): Error {
  const isFile = /[./%]/.test(text);
  return usageError(
    `-o takes an executor's option, KEY=VALUE, not ${JSON.stringify(text)}`,
    isFile ? keptOutput(logs) : "jobx plugins lists the executors, jobx help EXECUTOR their options",
  );
}

function keptOutput(logs: string): string {
  return `\`jobx logs\` shows the output; it is kept in ${logs}`;
}
