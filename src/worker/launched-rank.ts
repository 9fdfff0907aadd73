import { hostname } from "node:os";

import { usageError } from "../errors.ts";
import type { JobSpec } from "../model/job.ts";
import { ranksOf } from "../model/resources.ts";
import { writeRecordFile } from "../store/files.ts";
import { jobFiles, rankEndPath } from "../store/layout.ts";
import { openPayload } from "../store/payload.ts";
import { elementEnvironment, rankEnvironment } from "./environment.ts";
import { AGAIN_EXIT_CODE } from "./policy.ts";
import { Family } from "./processes.ts";
import { RunnerPool } from "./runner-pool.ts";

/**
 * Runs one rank of a function on whatever host the scheduler's launcher started it, and leaves its end in a file for
 * the element's supervisor (`launched.ts`), which has said by `JOBX_LAUNCHED` which task and attempt it is. SIGUSR2
 * warns the function; SIGUSR1 and SIGTERM end it. The exit code is 0 only when the function returned.
 */
export async function runLaunchedRank(dir: string, spec: JobSpec, launched: string): Promise<number> {
  if (spec.entry.kind !== "function") throw usageError("JOBX_LAUNCHED is for the ranks of a function");
  const [task = 0, attempt = 0] = launched.split(".").map(Number);
  const [rank = 0, localRank = 0] = (process.env.JOBX_RANK_VARIABLES ?? "")
    .split(" ")
    .map((name) => Number(process.env[name]));
  const hostnames = process.env.JOBX_HOSTNAMES?.split(",") ?? null;
  const base = elementEnvironment(spec, null, process.env);
  const payloads = openPayload(jobFiles.payload(dir));
  const family = new Family();
  const pool = new RunnerPool({ runtime: spec.runtime, env: base, family }, spec.entry);
  const slot = { id: 0, gpus: [] };
  const place = { dir, spec, node: hostname() };
  const start = { task, rank, attempt, slot, payload: payloads.get(task) };
  payloads.close();
  const ranks = ranksOf(spec.resources);
  const env = rankEnvironment(base, { ...place, ...start, ranks, hostnames, localRank });
  const running = pool.start({ ...place, cwd: process.cwd() }, start, env);
  process.on("SIGUSR2", () => void running.warn("preempted"));
  for (const signal of ["SIGUSR1", "SIGTERM"] as const) process.on(signal, () => running.end());
  const end = await running.ended;
  writeRecordFile(rankEndPath(dir, task, attempt, rank), end);
  await pool.close();
  family.end();
  if (end.ok) return 0;
  return end.again ? AGAIN_EXIT_CODE : 1;
}
