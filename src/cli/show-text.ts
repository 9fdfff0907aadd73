import type { Entry, JobSpec } from "../model/job.ts";
import { formatSize } from "../model/sizes.ts";
import { totalOf } from "../model/states.ts";
import { taskWords } from "../orchestrator/task-words.ts";
import { toJson } from "./json-value.ts";
import type { Style } from "./output.ts";
import { printable } from "./printable.ts";
import type { AttemptJson, Details, TaskDetails } from "./show-details.ts";
import { type Fact, requestFacts } from "./show-request.ts";
import { paintState, wordsOfCounts } from "./states.ts";
import { showAge, showDuration, showTime } from "./times.ts";

/** More tasks than this are told in sum only. */
export const MOST_TASKS = 10;
/** Longer values are cut; `--json` has them whole. */
const LONGEST = 400;

/** Everything about a job, for people. */
export function renderDetails(details: Details, style: Style): string {
  const { id, spec, tasks } = details;
  const title = `${style.bold(`Job ${id}`)} (${printable(spec.name)}) on ${spec.executor}: ${paintState(details.state, style)}`;
  const parts = [[title, ...factLines([...requestFacts(spec), ...courseFacts(details)], style)].join("\n")];
  if (details.script !== null) parts.push(scriptText(details.script, style));
  if (tasks.length <= MOST_TASKS) {
    parts.push(...tasks.map((task) => taskText(task, spec, style)));
  } else {
    parts.push(
      style.dim(
        `jobx show ${id}.${tasks[0]?.index ?? 0} shows one of the tasks, jobx status ${id} --tasks lists them`,
      ),
    );
  }
  return parts.join("\n\n");
}

function courseFacts(details: Details): Fact[] {
  const { spec, tasks, natives, counts } = details;
  const cpu = sum(tasks, (task) => (task.userSeconds ?? 0) + (task.systemSeconds ?? 0));
  const rss = tasks.reduce((most, task) => Math.max(most, task.maxRssBytes ?? 0), 0);
  const facts: Fact[] = [
    [
      "submitted",
      `${showTime(spec.created)}, ${showAge(spec.created)} ago, by ${spec.user} on ${spec.host}, with jobx ${spec.version}`,
    ],
    [
      "native id",
      natives.map((each) => (each.cluster ? `${each.id} on ${each.cluster}` : each.id)).join(", "),
    ],
    ["tasks", totalOf(counts) === 1 ? "1" : `${totalOf(counts)}: ${wordsOfCounts(counts)}`],
    ["waits", details.reason ?? ""],
    ["started", details.startedAt === null ? "" : showTime(details.startedAt)],
    ["ended", details.endedAt === null ? "" : showTime(details.endedAt)],
    ["took", details.seconds === null ? "" : showDuration(details.seconds)],
    [
      "used",
      rss === 0 ? "" : `${showDuration(cpu)} CPU, at most ${formatSize(rss)} of memory at once per task`,
    ],
    ["files", details.dir],
    ["runtime", spec.runtime.join(" ")],
    ["damage", details.damage.map((one) => `${one.file} at ${one.offset}, ${one.bytes} bytes`).join("; ")],
  ];
  return facts.filter(([, text]) => text !== "");
}

function taskText(task: TaskDetails, { id: job, entry }: JobSpec, style: Style): string {
  const title = `${style.bold(`Task ${job}.${task.index}`)}: ${paintState(task.state, style)}${task.attempt > 0 ? `, attempt ${task.attempt}` : ""}`;
  const end = task.signal ?? (task.exitCode === null ? "" : `exit code ${task.exitCode}`);
  const facts: Fact[] = [
    ["reason", task.reason ?? ""],
    ["parameters", task.params === null ? "" : JSON.stringify(toJson(task.params))],
    argumentsFact(task, entry),
    ["line", task.line ?? ""],
    ["ended by", [end === task.reason ? "" : end, task.native ?? ""].filter(Boolean).join(", ")],
    ["node", task.node ?? ""],
    ["time", timeText(task)],
    ["used", usageText(task)],
    ...task.attempts.map((attempt): Fact => [`attempt ${attempt.attempt}`, attemptText(attempt)]),
    ["logs", task.logs.join("\n")],
  ];
  const shown = facts.filter(([, text]) => text !== "");
  return [title, ...factLines(shown, style)].join("\n");
}

function argumentsFact(task: TaskDetails, entry: Entry): Fact {
  const steps = task.steps ?? undefined;
  // The row has a line of its own.
  const own = taskWords(entry, { ...task, steps, params: null }, (value) => JSON.stringify(toJson(value)));
  if (own.length > 0) return [entry.kind === "command" ? "command" : "calls", own.join("\n")];
  return ["arguments", task.args.length === 0 ? "" : JSON.stringify(toJson(task.args))];
}

function timeText({ startedAt, endedAt, seconds }: TaskDetails): string {
  if (startedAt === null) return "";
  return `${showTime(startedAt)} to ${endedAt === null ? "now" : showTime(endedAt)}, ${showDuration(seconds)}`;
}

function usageText({ maxRssBytes, maxRssIsUpperBound, userSeconds, systemSeconds }: TaskDetails): string {
  const cpu =
    userSeconds === null ? "" : `${showDuration(userSeconds)} user, ${showDuration(systemSeconds)} system`;
  const bound = maxRssIsUpperBound ? "at most " : "";
  return [maxRssBytes === null ? "" : `${bound}${formatSize(maxRssBytes)}`, cpu].filter(Boolean).join(", ");
}

function attemptText(attempt: AttemptJson): string {
  return `${attempt.why} on ${attempt.node} at ${showTime(attempt.endedAt)}: ${attempt.reason}`;
}

function scriptText(script: string, style: Style): string {
  const lines = script.trimEnd().split("\n");
  return [style.bold("Script"), ...lines.map((line) => `  ${printable(line)}`)].join("\n");
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Facts under each other, their texts in one column. */
export function factLines(facts: readonly Fact[], style: Style): string[] {
  const width = Math.max(0, ...facts.map(([label]) => label.length));
  return facts.flatMap(([label, text]) =>
    text.split("\n").map((line, at) => {
      const shown = line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
      return `  ${style.dim((at === 0 ? label : "").padEnd(width))}  ${printable(shown)}`;
    }),
  );
}
