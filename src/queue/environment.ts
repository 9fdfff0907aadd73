import { ALLOCATION_VARIABLES } from "./paths.ts";

/** What the queue and the supervisors are started with; a job's own environment is read from its folder. */
const KEPT = [
  "HOME",
  "USER",
  "LOGNAME",
  "PATH",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "KRB5CCNAME",
  "CUDA_VISIBLE_DEVICES",
  "SLURM_CPUS_ON_NODE",
  "SLURM_MEM_PER_NODE",
  "NCPUS",
  "LSB_DJOB_NUMPROC",
  "NSLOTS",
  "JOBX_RUNTIME_DIR",
  "JOBX_QUEUE_IDLE_MS",
  "JOBX_QUEUE_BEAT_MS",
  ...ALLOCATION_VARIABLES,
];

/**
 * The part of an environment that a queue needs: it serves every later job of the user too, so nothing of
 * the shell that happened to start it may stay.
 */
export function queueEnvironment(env: Record<string, string | undefined>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT) {
    const value = env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
