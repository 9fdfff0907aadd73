import { usageError } from "../../errors.ts";
import type { Services } from "../../orchestrator/services.ts";
import type { Submitted } from "../../orchestrator/submit.ts";
import type { CliContext } from "../context.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";

/** What a command that submits does about the end. */
export const answerFlags = {
  wait: { type: "boolean", description: "Wait for the end; the exit code is that of jobx wait" },
  follow: { type: "boolean", description: "Wait, and show the logs as they grow" },
} as const;

/** Throws USAGE where `--follow` has nowhere to show the logs. */
export function checkFollow({ values, output }: CliContext): void {
  if (!values.flag("follow") || output.form !== "json") return;
  throw usageError("--follow shows logs, and --json allows one document alone", "Use --wait with --json");
}

/** Says what was submitted and, where that was asked for, stays to its end; gives the exit code. `valued`: its tasks give values. */
export async function answer(
  context: CliContext,
  services: Services,
  submitted: Submitted,
  valued: boolean,
): Promise<number> {
  const { values, output } = context;
  // The debug executor has run the job by now: its exit code can be had for nothing.
  const wait = values.flag("wait") || values.flag("follow") || submitted.executor === "debug";
  if (wait) {
    const { waitForEnd } = await import("./end.ts");
    return waitForEnd(context, services, submitted);
  }
  printSubmitted(output, submitted, { valued });
  if (submitted.executor === "local") await warnOfEnd(output, services, submitted);
  return 0;
}

/** What a scheduler ends with its own job has no time to say so. */
async function warnOfEnd(output: Output, { env }: Services, { id }: Submitted): Promise<void> {
  const { allocationOf } = await import("../../queue/paths.ts");
  const allocation = allocationOf(env);
  if (allocation === null) return;
  output.note(
    `Job ${id} ends with ${allocation}, which this runs in: wait for it, by --wait or jobx wait ${id}`,
  );
}

/**
 * Says what was submitted and, unless something follows by itself, what to type next. `valued`: whether the
 * tasks give values, which commands do not unless they are told to.
 */
export function printSubmitted(
  output: Output,
  submitted: Submitted,
  options: { next?: boolean; valued?: boolean } = {},
): void {
  const { id, executor, nativeIds, tasks } = submitted;
  // The queue of this machine and the debugger's process know jobs by ids that nobody types.
  const isOwn = executor === "local" || executor === "debug";
  const native = nativeIds.length > 0 && !isOwn ? ` (${nativeIds.map(printable).join(", ")})` : "";
  output.result({
    json: submitted,
    quiet: [String(id)],
    text: () =>
      `Submitted job ${output.style.bold(String(id))} to ${executor}${native}, ${tasks} task${tasks === 1 ? "" : "s"}`,
  });
  if (options.next === false || output.form !== "people") return;
  const { cyan, dim } = output.errStyle;
  const steps: [string, string][] = [
    [`jobx wait ${id}`, "wait for its end"],
    [`jobx logs ${id} -f`, "see what it prints"],
    ...(options.valued ? [resultStep(id, tasks)] : []),
  ];
  const width = Math.max(...steps.map(([line]) => line.length));
  for (const [line, what] of steps) {
    output.note(`  ${cyan(line)}${" ".repeat(width - line.length)}  ${dim(what)}`);
  }
}

function resultStep(id: number, tasks: number): [string, string] {
  return [`jobx result ${id}`, tasks === 1 ? "its result" : "its results"];
}
