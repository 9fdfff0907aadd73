import { messageOf } from "../errors.ts";
import { treeOf } from "../queue/proc.ts";
import { resultFilePath, valueName } from "../store/layout.ts";
import { endOfCommand } from "./command.ts";
import { commandWords } from "./environment.ts";
import { GRACE_MS } from "./limits.ts";
import { closeLogs, type LogNames, logNames, type Logs, markAttempt, openLogs, sizeOf } from "./logs.ts";
import { type InlineTask, neverRan, type RankEnd, withValue } from "./rank.ts";
import { spawnCommand } from "./spawn.ts";

/**
 * Runs a command with this process's own input and output, so that it may ask and be debugged. Its log
 * says that the output went to the terminal; with `--capture` standard output goes to both.
 */
export async function runCommandHere(task: InlineTask): Promise<RankEnd> {
  const { dir, spec } = task.request;
  const names = logNames(dir, spec.tasks, task.task, 0, spec.run.mergeOutput);
  const logs = openLogs(names);
  try {
    if (!spec.run.capture) markAttempt({ out: logs.out, err: logs.out }, "the output went to the terminal");
    return await withValue(await run(task, names, logs));
  } catch (error) {
    return neverRan(messageOf(error));
  } finally {
    closeLogs(logs);
  }
}

async function run(task: InlineTask, names: LogNames, logs: Logs): Promise<RankEnd> {
  const { spec, dir } = task.request;
  const entry = spec.entry.kind === "command" ? spec.entry.argv : [];
  const { capture, mergeOutput } = spec.run;
  const offset = sizeOf(logs.out);
  const started = spawnCommand({
    argv: commandWords(entry, spec, task.task, task.payload),
    cwd: spec.cwd,
    env: task.env,
    stdio: ["inherit", capture ? "pipe" : "inherit", mergeOutput ? 1 : "inherit"],
    // The terminal's Ctrl-C shall reach it, and it may read from there.
    detached: false,
  });
  if ("reason" in started) return neverRan(started.reason, started.exitCode);
  const stop = () => void endTree(started);
  task.signal.addEventListener("abort", stop, { once: true });
  if (started.stdout instanceof ReadableStream) await tee(started.stdout, logs.out);
  await started.exited;
  task.signal.removeEventListener("abort", stop);
  const traces = {
    names,
    logs,
    dir,
    captureBytes: capture ? spec.run.maxPayloadBytes : null,
    resultPath: resultFilePath(dir, task.task, task.attempt, 0),
    valueName: valueName(task.task, task.attempt, 0),
    sampledPeakBytes: () => 0,
  };
  return endOfCommand(traces, started, offset);
}

/** Where nobody reads standard output to its end (`| head`), the log and the result get the rest all the same. */
async function tee(stream: ReadableStream<Uint8Array>, log: number): Promise<void> {
  let isRead = true;
  for await (const chunk of stream) {
    if (isRead) isRead = await wasWritten(Bun.write(Bun.stdout, chunk));
    await Bun.write(Bun.file(log), chunk);
  }
}

function wasWritten(written: Promise<number>): Promise<boolean> {
  return written.then(
    () => true,
    () => false,
  );
}

/** SIGTERM to the command and everything below it, and SIGKILL to what is left after a grace. */
function endTree(child: Bun.Subprocess): void {
  const tree = treeOf(child.pid);
  signalAll(tree, "SIGTERM");
  const timer = setTimeout(
    () => signalAll([...new Set([...tree, ...treeOf(child.pid)])], "SIGKILL"),
    GRACE_MS,
  );
  void child.exited.then(() => clearTimeout(timer));
}

function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}
