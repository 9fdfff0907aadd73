import { usageError } from "../errors.ts";
import type { FunctionCode } from "../model/job.ts";
import { openPayload } from "../store/task-payloads.ts";
import type { Scope } from "./scope.ts";

/** A call as it was submitted: the file and export of its function, its arguments. */
export type SubmittedCall = {
  kind: "function";
  file: string;
  export: string;
  /** The hash of its snapshot; null where the live file is imported. */
  code: string | null;
  /** The row of a sweep included, as the last one. */
  args: unknown[];
};

/** What a task was asked to do. */
export type Submission =
  | SubmittedCall
  | { kind: "sequence"; steps: SubmittedCall[] }
  | { kind: "command"; words: string[]; params: Record<string, unknown> | null };

/** What the one task of a scope was asked to do. Throws USAGE for several. */
export function submissionOf({ reader, indices, selector }: Scope): Submission {
  const [index] = indices;
  if (index === undefined || indices.length > 1) {
    throw usageError(`${selector} has ${indices.length} tasks`, "Ask one of them: job.task(0).submission()");
  }
  const payload = openPayload(reader.dir, reader.spec);
  try {
    const { args, params, fn = 0, steps } = payload.get(index);
    const { entry } = reader.spec;
    if (entry.kind === "command") {
      return { kind: "command", words: entry.argv.length > 0 ? entry.argv : args.map(String), params };
    }
    const functions: FunctionCode[] = [entry, ...(entry.more ?? [])];
    const call = (number: number, given: unknown[]): SubmittedCall => {
      const { file, export: name, code } = functions[number] ?? entry;
      return { kind: "function", file, export: name, code, args: given };
    };
    if (steps) return { kind: "sequence", steps: steps.map((step) => call(step.fn, step.args)) };
    return call(fn, params === null ? args : [...args, params]);
  } finally {
    payload.close();
  }
}
