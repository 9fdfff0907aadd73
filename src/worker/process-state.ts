import { statSync, writeSync } from "node:fs";
import { Writable } from "node:stream";

import { JobxError } from "../errors.ts";
import { libc } from "../queue/libc.ts";
import { contextFromEnvironment, setJobContext } from "./context.ts";
import { closeLogs, openLogs } from "./logs.ts";
import type { FunctionTask } from "./runner-protocol.ts";
import type { Warning } from "./warning.ts";

/*
 * What one process has only one of: descriptors 1 and 2, environment, current folder, listeners. A
 * runner hands it from task to task.
 */

const environment = process.env;
const umask = process.umask();

/** Prepares this process for running tasks. Call it once. */
export function prepareProcess(): void {
  libc()?.dieWithParent();
  useCurrentEnvironment("spawn");
  useCurrentEnvironment("spawnSync");
  // Some schedulers warn every process of a job by themselves; here it is the supervisor that tells.
  for (const signal of ["SIGUSR1", "SIGUSR2"]) process.on(signal, () => undefined);
  process.on("uncaughtException", (error) => stray?.(error));
  process.on("unhandledRejection", (error) => stray?.(error));
  ownListeners = listenersNow();
}

/** Gives the process to a task. Throws when its folder or logs cannot be had. */
export function enterTask(task: FunctionTask, warning: Warning): void {
  redirect(task);
  replaceStream("stdout", 1);
  replaceStream("stderr", 2);
  setEnvironment(task.env);
  enterFolder(task.cwd);
  setJobContext(
    contextFromEnvironment(task.env, {
      params: task.params,
      signal: () => warning.watch(),
      stdout: task.out,
      stderr: task.err,
    }),
  );
}

/** Goes to a job's folder. Throws NOT_FOUND where this host has none. */
export function enterFolder(cwd: string): void {
  if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
    throw new JobxError("NOT_FOUND", `The job's folder ${cwd} does not exist on this host`);
  process.chdir(cwd);
}

/** Changes the environment in place: code that was loaded earlier holds on to the object. */
export function setEnvironment(env: Record<string, string | undefined>): void {
  if (process.env !== environment) process.env = environment;
  for (const name of Object.keys(environment)) if (!(name in env)) delete environment[name];
  for (const [name, value] of Object.entries(env)) if (environment[name] !== value) environment[name] = value;
}

/** Takes back what the task left: listeners on the process, umask, exit code, its context. */
export function leaveTask(): void {
  setJobContext(null);
  for (const name of process.eventNames()) {
    const kept = ownListeners.get(name) ?? [];
    for (const listener of process.rawListeners(name)) {
      if (!kept.includes(listener)) Reflect.apply(process.removeListener, process, [name, listener]);
    }
  }
  process.umask(umask);
  process.exitCode = 0;
}

/** Hears of errors that escaped outside of any graph, for example from a listener on the process. */
export function onStrayError(handler: (error: unknown) => void): () => void {
  stray = handler;
  return () => {
    stray = null;
  };
}

let stray: ((error: unknown) => void) | null = null;
let ownListeners = new Map<string | symbol, unknown[]>();

function listenersNow(): Map<string | symbol, unknown[]> {
  return new Map(process.eventNames().map((name) => [name, process.rawListeners(name)]));
}

function redirect(task: FunctionTask): void {
  const logs = openLogs({ out: task.out, err: task.err });
  const library = libc();
  const done = library !== null && library.dup2(logs.out, 1) >= 0 && library.dup2(logs.err, 2) >= 0;
  closeLogs(logs);
  if (!done) throw new JobxError("BUG", "The output could not be led into the task's logs");
}

/**
 * Bun's own stream would stay with the file that it first saw, and might hold back what was written. A new
 * one for each task: the last may have ended it, or left listeners on it.
 */
function replaceStream(name: "stdout" | "stderr", fd: number): void {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, encoding, done) {
      try {
        writeAll(fd, typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
  Object.defineProperty(stream, "fd", { value: fd });
  Object.defineProperty(process, name, { value: stream, configurable: true });
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

/** By default `Bun.spawn` hands down the environment that this process started with: that of another task. */
function useCurrentEnvironment(name: "spawn" | "spawnSync"): void {
  const original = Bun[name];
  Reflect.set(Bun, name, (first: unknown, second: unknown) =>
    Reflect.apply(
      original,
      Bun,
      Array.isArray(first) ? [first, withEnvironment(second)] : [withEnvironment(first)],
    ),
  );
}

function withEnvironment(options: unknown): object {
  const given = typeof options === "object" && options !== null ? options : {};
  return { ...given, env: ("env" in given ? given.env : undefined) ?? process.env };
}
