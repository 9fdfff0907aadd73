/** What `--clean-env` passes. */
const BASIC = ["HOME", "USER", "PATH", "LANG", "TERM"];

/** They tell where the cluster and jobx's own files are, not which job one is in. */
const KEPT = new Set([
  "SLURM_CONF",
  "SLURM_CLUSTERS",
  "JOBX_HOME",
  "JOBX_PLUGIN_PATH",
  "JOBX_RUNTIME_DIR",
  "SGE_ROOT",
  "SGE_CELL",
  "SGE_CLUSTER_NAME",
  "SGE_QMASTER_PORT",
  "SGE_EXECD_PORT",
  "PBS_CONF_FILE",
  "PBS_EXEC",
  "PBS_HOME",
  "PBS_SERVER",
  "PBS_DEFAULT",
  "LSB_CONFDIR",
  "LSB_SHAREDIR",
]);

const DROPPED_PREFIXES =
  /^(?:JOBX_|SLURM_|SLURMD_|SRUN_|SBATCH_|SALLOC_|SGE_|PBS_|LSB_|LS_(?:JOBPID|SUBCWD|EXEC_T)$|_CONDOR_(?:JOB|MACHINE|SLOT|SCRATCH)|MASTER_|OMPI_|PMI)/;

const DROPPED = new Set([
  "RANK",
  "WORLD_SIZE",
  "LOCAL_RANK",
  "LOCAL_WORLD_SIZE",
  "BUN_OPTIONS",
  "BUN_BE_BUN",
]);

/** Grid Engine's names without a prefix (qsub(1), "ENVIRONMENT"): taken away only inside one of its jobs. */
const GRID_ENGINE = new Set([
  "ARC",
  "JOB_ID",
  "JOB_NAME",
  "JOB_SCRIPT",
  "NHOSTS",
  "NQUEUES",
  "NSLOTS",
  "PE",
  "PE_HOSTFILE",
  "QUEUE",
  "REQUEST",
  "RESTARTED",
]);

/**
 * The environment that a job starts from: its submitter's, minus what belongs to a surrounding job
 * (variables of schedulers, MPI, process groups and jobx) and minus what changes how Bun behaves. What
 * tells where the cluster is stays. With `cleanEnv` only HOME, USER, PATH, LANG and TERM pass. `extra` is
 * set on top of either.
 */
export function cleanJobEnvironment(
  env: Record<string, string | undefined>,
  options: { cleanEnv: boolean; extra?: Record<string, string> },
): Record<string, string> {
  const inGridEngine = env.SGE_TASK_ID !== undefined || env.PE_HOSTFILE !== undefined;
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    const passes = options.cleanEnv
      ? BASIC.includes(name)
      : !belongsToJob(name) && !(inGridEngine && GRID_ENGINE.has(name));
    if (passes) kept[name] = value;
  }
  return { ...kept, ...options.extra };
}

function belongsToJob(name: string): boolean {
  if (KEPT.has(name)) return false;
  return DROPPED.has(name) || DROPPED_PREFIXES.test(name);
}
