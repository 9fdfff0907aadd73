import { elementOfTask } from "../model/elements.ts";
import { headline } from "../model/remote-error.ts";
import type { TaskView } from "../model/task-view.ts";
import { elementLogPath, logPath } from "../store/layout.ts";
import { tailText } from "./log-tail.ts";
import { failedRank, remoteErrorOf, type TaskSource } from "./results.ts";

const TAIL_LINES = 10;
/** A function's error stands at the end of its log, after what is looked for. */
const MOST_LINES = 60;
const MOST_BYTES = 8192;
const STACK_LINES = 8;
const LINE_LENGTH = 400;

/** What a task that did not succeed left to read. */
export type FailureOutput = {
  /** The last lines that its last attempt printed, without the report of what it threw. */
  said: string[];
  /** Frames and code of what it threw, without the message. */
  report: string[];
  /** Whether `jobx logs` has anything to show. */
  any: boolean;
};

/** The end of what the failed rank wrote: of stderr, else of stdout, else of what the scheduler captured. */
export function failureOutput(view: TaskSource, task: TaskView): FailureOutput {
  const error = remoteErrorOf(task);
  const texts = pathsOf(view, task).map((path) => linesOf(tailText(path, MOST_LINES, MOST_BYTES)));
  const any = texts.some((lines) => lines.some((line) => line.trim() !== "" && !isMarker(line)));
  const [err = [], out = [], ...others] = texts.map(lastAttempt);
  const lines = [err, out, ...others].find((each) => trimmedEnd(each).length > 0) ?? [];
  const head = error === null ? [] : headline(error).split("\n");
  const at = error === null ? -1 : lines.findLastIndex((line) => line === head[0]);
  // A report is nothing that the function printed.
  const before = trimmedEnd(at < 0 ? lines : lines.slice(0, at));
  const said = before.length === 0 && lines === err ? trimmedEnd(out) : before;
  const report = at < 0 ? framesOf(error?.stack ?? null) : lines.slice(at + head.length);
  return { said: said.slice(-TAIL_LINES).map(shortened), report, any };
}

function pathsOf({ dir, spec }: TaskSource, task: TaskView): string[] {
  const rank = failedRank(task)?.rank ?? 0;
  const own = [
    logPath(dir, spec.tasks, task.index, rank, "err"),
    logPath(dir, spec.tasks, task.index, rank, "out"),
  ];
  // What was caught of several tasks is nothing that one of them came to which left a record of its own end.
  const hasEnded = task.ranks.some(({ result }) => result !== null);
  if (!hasEnded || spec.run.pack.tasks === 1) own.push(elementLogPath(dir, elementOfTask(spec, task.index)));
  if (!hasEnded || spec.tasks === 1) own.push(elementLogPath(dir, 0));
  return own;
}

function linesOf(text: string): string[] {
  const lines = Bun.stripANSI(text).split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** The end of a line that would fill the screen: data rather than words, and jobx logs has it whole. */
function shortened(line: string): string {
  return line.length > LINE_LENGTH ? `…${line.slice(-LINE_LENGTH)}` : line;
}

/** What stands below the last line that jobx itself put between attempts. */
function lastAttempt(lines: string[]): string[] {
  return lines.slice(lines.findLastIndex(isMarker) + 1);
}

function isMarker(line: string): boolean {
  return line.startsWith("--- jobx: ");
}

/** The frames of a stack, without the message that stands above them. */
function framesOf(stack: string | null): string[] {
  const frames = stack?.split("\n").filter((line) => /^\s*at /.test(line)) ?? [];
  return frames.slice(0, STACK_LINES).map((line) => `    ${line.trim()}`);
}

function trimmedEnd(lines: string[]): string[] {
  return lines.slice(0, lines.findLastIndex((line) => line.trim() !== "") + 1);
}
