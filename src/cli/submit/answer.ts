import type { Submitted } from "../../orchestrator/submit.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";

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
