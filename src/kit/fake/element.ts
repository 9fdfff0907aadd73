import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { shellWords } from "../../executor/run.ts";
import type { NativeArray } from "../../executor/scheduler/native.ts";
import type { SampleJob } from "../../executor/scheduler/samples.ts";
import { ranksOf } from "../../model/resources.ts";
import { filesOf, variablesOf, workerEnvironment } from "../script.ts";
import type { Subject } from "../subject.ts";

export type ElementState = "queued" | "running" | "ended" | "failed" | "cancelled" | "timeout";

/** One element of a native array on the pretended cluster. */
export type FakeElement = {
  index: number;
  state: ElementState;
  held: boolean;
  restarts: number;
  process: Bun.Subprocess | null;
  /** What was asked of it while it runs. */
  wish: "cancel" | "requeue" | null;
  started: Date | null;
  ended: Date | null;
  exitCode: number;
  signal: number;
};

export type Start = {
  subject: Subject;
  array: NativeArray;
  element: FakeElement;
  job: SampleJob;
  /** The submit command's own environment. */
  env: Record<string, string>;
  /** A folder of the element's own. */
  folder: string;
};

/** Starts an element as a scheduler's node does: the script, the words behind it, the scheduler's variables, its log. */
export async function startElement(
  start: Start,
): Promise<{ process: Bun.Subprocess; wantsRequeue(): boolean }> {
  const { subject, array, element, job, folder } = start;
  const flag = join(folder, "requeue");
  rmSync(flag, { force: true });
  const { JOBX_REQUEUE_EXIT_CODE: again } = await writePrograms(start, flag);
  const path = array.log(
    (width) => String(element.index).padStart(width, "0"),
    (text) => text,
  );
  mkdirSync(dirname(path), { recursive: true });
  const log = openSync(path, "a", 0o600);
  const env = { ...start.env, ...variablesOf(subject, job), ...filesOf(subject, job, folder) };
  const child = Bun.spawn(["/bin/bash", job.script, ...job.arguments], {
    cwd: existsSync(array.spec.cwd) ? array.spec.cwd : "/",
    env: { ...env, PATH: `${folder}:${env.PATH ?? "/usr/bin:/bin"}` },
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  const leaves = () => again !== undefined && child.exitCode === Number(again);
  return { process: child, wantsRequeue: () => existsSync(flag) || leaves() };
}

/** The scheduler's programs that a job itself calls: to be requeued, to start ranks, to ask for its time. Gives what the script says. */
async function writePrograms({ subject, array, job, folder }: Start, flag: string) {
  const env = await workerEnvironment(subject, array, job);
  const programs = new Map<string, string[]>();
  const add = (words: string[], lines: (rest: string) => string) => {
    const [name = "", ...rest] = words;
    if (name === "" || name.includes("/")) return;
    programs.set(name, [
      ...(programs.get(name) ?? []),
      lines(rest.length === 0 ? '""' : quoted(rest.join(" "))),
    ]);
  };
  add(wordsIn(env.JOBX_TIME_LEFT_COMMAND), (rest) => `case "$*" in ${rest}) echo 60:00; exit 0;; esac`);
  add(
    wordsIn(env.JOBX_REQUEUE_COMMAND),
    (rest) => `case "$*" in ${rest}) : > ${shellWords([flag])}; exit 0;; esac`,
  );
  const launcher = wordsIn(env.JOBX_RANK_COMMAND);
  const names = (env.JOBX_RANK_VARIABLES ?? "RANK LOCAL_RANK").split(" ");
  add(launcher, () =>
    launcherLines(launcher.length - 1, ranksOf(array.resources), names, array.resources.ranksPerNode ?? 1),
  );
  mkdirSync(folder, { recursive: true });
  for (const [name, lines] of programs) {
    const path = join(folder, name);
    writeFileSync(path, ["#!/bin/sh", ...lines, "exit 1", ""].join("\n"));
    chmodSync(path, 0o700);
  }
  return env;
}

/** Starts every rank here, passes signals on, and ends with the last code that was not 0. */
function launcherLines(
  own: number,
  ranks: number,
  [rank = "RANK", local = "LOCAL"]: string[],
  perNode: number,
): string {
  return `shift ${own}
pids=
rank=0
while [ $rank -lt ${ranks} ]; do
  ${rank}=$rank ${local}=$((rank % ${perNode})) "$@" &
  pids="$pids $!"
  rank=$((rank + 1))
done
for signal in USR1 USR2 TERM; do trap "kill -$signal $pids 2>/dev/null" $signal; done
code=0
for pid in $pids; do
  wait $pid || code=$?
  while kill -0 $pid 2>/dev/null; do wait $pid || code=$?; done
done
exit $code`;
}

function wordsIn(text: string | undefined): string[] {
  try {
    const words: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(words) ? words.map(String) : [];
  } catch {
    return []; // The pure level says so.
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
