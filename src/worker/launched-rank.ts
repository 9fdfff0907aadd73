import { existsSync } from "node:fs";
import { hostname } from "node:os";

import { usageError } from "../errors.ts";
import type { JobSpec } from "../model/job.ts";
import { ranksOf } from "../model/resources.ts";
import { writeRecordFile } from "../store/files.ts";
import { limitNoticePath, rankEndPath } from "../store/layout.ts";
import { openPayload } from "../store/task-payloads.ts";
import { elementEnvironment, rankEnvironment } from "./environment.ts";
import { heldPayload } from "./large-payload.ts";
import { AGAIN_EXIT_CODE } from "./policy.ts";
import { Family } from "./processes.ts";
import { RunnerPool } from "./runner-pool.ts";
import { judgeUnheard } from "./unheard.ts";

/**
 * Runs one rank of a function on whatever host the scheduler's launcher started it, and leaves its end in a file for
 * the element's supervisor (`launched.ts`), which has said by `JOBX_LAUNCHED` which task and attempt it is. SIGUSR2
 * warns the function; SIGUSR1 and SIGTERM end it. The exit code is 0 only when the function returned.
 */
export async function runLaunchedRank(dir: string, spec: JobSpec, launched: string): Promise<number> {
  if (spec.entry.kind !== "function") throw usageError("JOBX_LAUNCHED is for the ranks of a function");
  const [task = 0, attempt = 0, upTo = 0] = launched.split(".").map(Number);
  const [rank = 0, localRank = 0] = (process.env.JOBX_RANK_VARIABLES ?? "")
    .split(" ")
    .map((name) => Number(process.env[name]));
  const hostnames = process.env.JOBX_HOSTNAMES?.split(",") ?? null;
  const base = elementEnvironment(spec, null, process.env);
  const payloads = openPayload(dir, spec);
  const family = new Family();
  const pool = new RunnerPool({ runtime: spec.runtime, env: base, family }, spec.entry);
  const slot = { id: 0, gpus: [] };
  const place = { dir, spec, node: hostname() };
  const start = { task, rank, attempt, slot, payload: heldPayload(spec, payloads, task), upTo };
  payloads.close();
  const ranks = ranksOf(spec.resources);
  const env = rankEnvironment(base, { ...place, ...start, ranks, hostnames, localRank });
  const running = pool.start({ ...place, cwd: process.cwd() }, start, env);
  let warned = false;
  process.on("SIGUSR2", () => {
    warned = true;
    const kind = existsSync(limitNoticePath(dir, task, attempt)) ? "timeout" : "preempted";
    running.warn(kind, (how) => {
      if (rank === 0 && judgeUnheard({ dir, spec, task }, kind, how) !== null) running.end(null);
    });
  });
  for (const signal of ["SIGUSR1", "SIGTERM"] as const) process.on(signal, () => running.end(null));
  const end = await running.ended;
  // The launcher ends all ranks once one has failed, and the first may still be saving its state.
  if (warned && rank !== 0 && !end.ok) await untilThere(rankEndPath(dir, task, attempt, 0), spec);
  writeRecordFile(rankEndPath(dir, task, attempt, rank), end);
  await pool.close();
  family.end();
  if (end.ok) return 0;
  return end.again ? AGAIN_EXIT_CODE : 1;
}

/** Waits for a file, at most as long as a warning leaves. */
async function untilThere(path: string, spec: JobSpec): Promise<void> {
  const deadline = performance.now() + spec.run.signalDelaySeconds * 1000;
  while (!existsSync(path) && performance.now() < deadline) await Bun.sleep(LOOK_MS);
}

const LOOK_MS = 100;
