import {
  type Ahead,
  chunks,
  clock,
  type CommandResult,
  defineScheduler,
  expandHostlist,
  type Finding,
  type JobRef,
  JobxError,
  type NativeArray,
  type NativeDependency,
  type NativeStatus,
  NO_STATUS,
  option,
  type OptionSpec,
  parseDuration,
  type Partition,
  predecessorsOf,
  rangesOf,
  refuse,
  type Sample,
  type SampleJob,
  shellWords,
  type Target,
  wordsOf,
} from "../src/plugin.ts";

const text = option.string;
const count = (description: string) => option.number(description, { min: 0, integer: true });
const size = (description: string) => option.string(description, { placeholder: "SIZE" });

/** What sbatch takes alone or with a value: a switch where `first` reads it as one, else what `second` reads. */
const either = (first: OptionSpec, second: OptionSpec, placeholder: string): OptionSpec => ({
  ...second,
  placeholder,
  parse(value) {
    try {
      return first.parse(value);
    } catch {
      return second.parse(value);
    }
  },
});

/** Options of sbatch(1) that are passed on as they are, by their long names; switches where they are true. */
const PASSED = {
  "acctg-freq": text("How often usage is sampled", { placeholder: "TYPE=SECONDS,..." }),
  batch: text("Features that the first node must have"),
  bb: text("Burst buffer"),
  bbf: text("File that describes the burst buffer"),
  begin: text("Not to start before this time, as in sbatch", { placeholder: "TIME" }),
  "cluster-constraint": text("Features that a cluster of a federation must have"),
  comment: text("A comment on the job"),
  constraint: text("Features that the nodes must have"),
  container: text("OCI bundle to run in"),
  contiguous: option.boolean("Nodes that stand beside each other"),
  "core-spec": count("Cores per node left to the system"),
  "cores-per-socket": count("Least cores per socket"),
  "cpu-freq": text("CPU frequency"),
  "cpus-per-gpu": count("CPUs per GPU"),
  deadline: text("To be removed if it cannot end before this time", { placeholder: "TIME" }),
  "delay-boot": text("How long to wait for nodes with the right features before others are rebooted"),
  distribution: text("How ranks are laid out over nodes"),
  exclude: text("Nodes not to use"),
  exclusive: either(option.boolean(""), text("Share the nodes with no other job"), "true|user|mcs"),
  "extra-node-info": text("Least sockets, cores and threads", { placeholder: "S[:C[:T]]" }),
  "get-user-env": text("Take the user's login environment", { placeholder: "true|TIMEOUT" }),
  "gpu-bind": text("How GPUs are bound"),
  "gpu-freq": text("GPU frequency"),
  "gpus-per-socket": text("GPUs per socket", { placeholder: "[TYPE:]N" }),
  "gpus-per-task": text("GPUs per rank", { placeholder: "[TYPE:]N" }),
  gres: text("Generic resources per node, as in sbatch", { placeholder: "NAME[:TYPE]:N" }),
  "gres-flags": text("How generic resources are given"),
  hint: text("Hint on how CPUs are bound"),
  licenses: text("Licences to take", { placeholder: "NAME[:N],..." }),
  "mail-type": text("When Slurm sends mail", { placeholder: "END,FAIL,..." }),
  "mail-user": text("Who gets that mail"),
  "mcs-label": text("Security label"),
  mem: text("Memory per node in sbatch's units, 0 for all of it; --mem wins", { placeholder: "SIZE" }),
  "mem-bind": text("How memory is bound"),
  "mem-per-cpu": size("Memory per CPU, in sbatch's units"),
  "mem-per-gpu": size("Memory per GPU, in sbatch's units"),
  mincpus: count("Least CPUs per node"),
  network: text("Network to use"),
  nice: either(
    option.choice("", ["true"]),
    option.number("How much to lower the job's priority", { integer: true }),
    "N",
  ),
  "no-kill": option.boolean("Go on when one of several nodes fails"),
  nodefile: text("File with the nodes to use"),
  nodelist: text("Nodes to use"),
  "ntasks-per-core": count("Most ranks per core"),
  "ntasks-per-gpu": count("Ranks per GPU"),
  "ntasks-per-socket": count("Most ranks per socket"),
  overcommit: option.boolean("More than one rank per CPU"),
  oversubscribe: option.boolean("Share the nodes' CPUs with other jobs"),
  power: text("Power management"),
  prefer: text("Features that the nodes had better have"),
  priority: text("Priority, where one may set it", { placeholder: "N" }),
  profile: text("What Slurm's accounting samples"),
  propagate: text("Resource limits of this shell to take along"),
  reboot: option.boolean("Reboot the nodes before"),
  "sockets-per-node": count("Least sockets per node"),
  "spread-job": option.boolean("As many nodes as there are ranks for"),
  switches: text("Most switches between the nodes", { placeholder: "N[@TIME]" }),
  "thread-spec": count("Threads per node left to the system"),
  "threads-per-core": count("Threads to use per core"),
  "time-min": text("Least time limit that would do", { placeholder: "T" }),
  tmp: size("Temporary disk space per node"),
  uid: text("User to run as, for root"),
  "use-min-nodes": option.boolean("The fewer nodes, the better"),
  wckey: text("Workload characterization key"),
};

/** What goes by another name in jobx, whatever the executor. */
const ELSEWHERE = {
  "array-parallelism": elsewhere("--parallel N"),
  setup: elsewhere("--setup LINE"),
  teardown: elsewhere("--teardown LINE"),
  "signal-delay": elsewhere("--signal-delay T"),
  "stderr-to-stdout": elsewhere("--merge-output"),
  hold: elsewhere("jobx hold JOB, once it is submitted"),
  "kill-on-invalid-dep": elsewhere("--after, which always does so"),
};

/** What only jobx may say to sbatch, and what says it in jobx. */
const RESERVED: [RegExp, string][] = [
  [/^(-a|--array\b)/, "Use --array, --sweep or --params of jobx submit"],
  [/^(-o|-e|--output\b|--error\b)/, "`jobx logs` shows the output"],
  [/^--open-mode\b/, "jobx always appends to its logs"],
  [/^--parsable\b/, "jobx reads sbatch's answer, which needs it as it is"],
  [/^--export\b(?!-)/, "Use --env and --clean-env"],
  [/^--wrap\b/, "Write the command after --"],
  [/^--signal\b/, "Use --signal-delay"],
  [/^(-t|--time\b(?!-))/, "Use --time of jobx submit: jobx keeps the exact limit"],
  [/^(-W|--wait\b(?!-))/, "Use jobx submit --wait"],
];

/**
 * While other tasks of an array wait, 22.05 passes a signal on, answers "transitional state" all the same, and scancel
 * sends it again every 5 s: once has to do.
 */
const ONCE = ["timeout", "4"];

/** Partitions with their longest and usual time and the CPUs, MiB and number of their nodes, a line for each size of nodes. */
const SINFO = ["sinfo", "-h", "-e", "-o", "%P|%l|%L|%c|%m|%s|%D"];

/** All partitions, those that are hidden or closed to the user among them: his jobs there are his as well. */
const SQUEUE = ["squeue", "-h", "-a"];
const SQUEUE_COLUMNS = "%i|%T|%r|%N|%V|%e|%S|%o";
const SACCT = "JobID,State,ExitCode,NodeList,Submit,End,Reason,JobName";

/** Submits to Slurm. Facts are from sbatch(1), squeue(1), sacct(1), scontrol(1) and trials on 22.05. */
export default defineScheduler({
  contract: 1,
  name: "slurm",
  description: "Submits to the Slurm cluster of this machine: one native array per job",
  capabilities: { arrays: true, ranks: true, nodes: true, requeue: true, signals: true, dependencies: true },
  detect: ["sbatch", "squeue", "scancel", "scontrol"],

  options: {
    partition: option.string("Partition to submit to; --partition wins"),
    account: option.string("Account to charge; --account wins"),
    qos: option.string("Quality of service; --qos wins"),
    reservation: text("Reservation to use"),
    ...PASSED,
    dependency: option.string("Slurm's own dependencies, besides --after", { placeholder: "afterok:ID,..." }),
    "use-srun": option.boolean("Start several ranks by srun, as MPI and several nodes need it", {
      default: true,
    }),
    "srun-args": option.string("More options for that srun, as on its command line"),
    cluster: option.string("Another cluster to submit to, as sbatch's --clusters"),
    clusters: option.string("The same, by sbatch's name"),
    extra: option.string("Any other options of sbatch, as on its command line", {
      placeholder: "--FLAG=...",
    }),
    ...ELSEWHERE,
  },

  validate({ options, resources }, { home }) {
    // It takes one away and, with two, leaves %a as it stands (seen on 22.05): the job would fail as 0:53 without a word.
    if (home.includes("\\")) {
      refuse(`Slurm writes no log to a path with a backslash: ${home}`, "Name another home with --home");
    }
    if (options["use-srun"] === false && (resources.nodes ?? 1) > 1) {
      refuse(
        `-o use-srun=false does not go with --nodes ${resources.nodes}`,
        "Ranks on other nodes are started by srun: leave one of the two out",
      );
    }
    for (const word of wordsOf(options.extra)) {
      const instead = RESERVED.find(([flag]) => flag.test(word))?.[1];
      if (instead !== undefined) refuse(`-o extra: ${word} is jobx's own to give`, instead);
    }
  },

  script,
  submit: { argv: sbatchArgv, parse: parseSubmitted, answersLast: true },
  status: [
    {
      name: "squeue",
      scope: "user",
      argv: ({ users }) => [[...SQUEUE, "-t", "all", "-u", users.join(","), "-o", SQUEUE_COLUMNS]],
      parse: (results) => results.flatMap(parseSqueue),
    },
    {
      name: "sacct",
      scope: "ids",
      argv: ({ ids }) => [["sacct", "-X", "-P", "-n", "-j", ids.join(","), "-o", SACCT]],
      parse: (results) => results.flatMap(parseSacct),
    },
    {
      // It answers for as long as squeue does, and adds exit codes where accounting is off; one call each, so for few.
      name: "scontrol",
      scope: "ids",
      argv: ({ ids }) => ids.slice(0, 20).map((id) => ["scontrol", "-o", "show", "job", id]),
      parse: (results) => results.flatMap(parseScontrol),
    },
  ],
  explain,
  ahead: {
    isWhy: ({ state, reason }) => state === "queued" && reason === "Priority",
    argv: [...SQUEUE, "-t", "pending", "-o", "%i|%Q|%P"],
    parse: parseAhead,
  },
  examine: [
    { argv: ["scontrol", "show", "config"], parse: examineConfig },
    { argv: SINFO, parse: examinePartitions },
    { argv: ["sacct", "-X", "-n", "-j", "1"], parse: examineAccounting },
  ],

  cancel: (targets) => batches(targets, 1000).map((ids) => ["scancel", ...ids]),
  hold: (targets) => batches(targets, 100).map((ids) => ["scontrol", "uhold", ids.join(",")]),
  release: (targets) => batches(targets, 100).map((ids) => ["scontrol", "release", ids.join(",")]),
  requeue: (targets) => batches(targets, 100).map((ids) => ["scontrol", "requeue", ids.join(",")]),
  interrupt(targets, kind) {
    const signal = kind === "timeout" ? "USR1" : "USR2";
    return batches(targets, 1000).map((ids) => [
      ...ONCE,
      "scancel",
      "-v",
      "--batch",
      `--signal=${signal}`,
      ...ids,
    ]);
  },
  goneErrors: [
    /already (finished|completing|completed)/i,
    /Invalid job id/i,
    /not pending/i,
    // Of a signal, which has arrived.
    /transitional state, retrying/i,
  ],

  limits: {
    argv: ["scontrol", "show", "config"],
    parse: (stdout) => ({
      cluster: /^ClusterName\s*=\s*(\S+)/m.exec(stdout)?.[1] ?? null,
      maxArraySize: Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(stdout)?.[1] ?? 1001),
    }),
  },
  partitions: {
    argv: SINFO,
    parse: parsePartitions,
    chosen: (spec, env) => {
      const { partition, qos, reservation, clusters } = placeOf(spec, env);
      // A QOS or a reservation may allow what the partition does not, and another cluster has others.
      const isElsewhere = wordsOf(spec.options.extra).some((word) => PLACES.test(word));
      if (isElsewhere || (qos ?? reservation ?? clusters) !== undefined) return [];
      return partition === undefined ? null : String(partition).split(",");
    },
  },
  find: {
    argv: (uid) => [...SQUEUE, "-t", "all", "-u", uid, "-o", "%i|%V|%o"],
    parse: parseFound,
  },
  cluster(spec, env) {
    const { clusters } = placeOf(spec, env);
    // Of several Slurm takes the one that starts it first, and says which.
    return clusters === undefined || String(clusters).includes(",") ? null : String(clusters);
  },
  onCluster(argv, cluster) {
    const start = argv[0] === ONCE[0] ? ONCE.length + 1 : 1;
    return [...argv.slice(0, start), "-M", cluster, ...argv.slice(start)];
  },
  clusterErrors: [/No cluster '.*' known/i, /can't be reached now, or it is an invalid entry/i],

  transientErrors: [
    /Socket timed out/i,
    /Unable to contact slurm controller/i,
    /temporarily unable to accept job/i,
    /Zero Bytes were transmitted or received/i,
    /Connection (refused|timed out|reset)/i,
    /Transport endpoint is not connected/i,
  ],
  uncertainErrors: [
    /Socket timed out/i,
    /Zero Bytes were transmitted or received/i,
    /Connection (timed out|reset)/i,
  ],
  hint: (refusal) => HINTS.find(([pattern]) => pattern.test(refusal))?.[1] ?? null,
  variables: { SLURM_BITSTR_LEN: "0", SLURM_CLUSTERS: undefined },
  keepVariables: ["SLURM_CONF"],

  // srun wants the id that a running element has of its own.
  shell: {
    locate: (target) => [
      "squeue",
      "-h",
      "-t",
      "running",
      "-j",
      batches([target], 1).flat().join(","),
      "-o",
      "%A",
    ],
    parse: (stdout) => /^\d+$/m.exec(stdout)?.[0] ?? null,
    argv(id, words, isTerminal) {
      const srun = ["srun", `--jobid=${id}`, "--overlap", "--nodes=1", "--ntasks=1"];
      return [...srun, ...(isTerminal ? ["--pty"] : []), ...words];
    },
  },

  environment: (env) => ({
    element: Number(env.JOBX_ELEMENT ?? env.SLURM_ARRAY_TASK_ID ?? 0),
    rank: Number(env.SLURM_PROCID ?? 0),
    restarts: Number(env.SLURM_RESTART_COUNT ?? 0),
    hostnames: env.SLURM_JOB_NODELIST ? expandHostlist(env.SLURM_JOB_NODELIST) : null,
  }),

  get states() {
    return STATES;
  },
  get samples() {
    return samples();
  },
});

function elsewhere(instead: string) {
  return {
    ...option.string(`Not here: ${instead}`),
    parse: (): string => {
      throw new Error(`use ${instead}`);
    },
  };
}

/**
 * The script of every element: $1 is the first element of its array and how many there are, $2 the token by which the
 * submission is found again. Signals are for the worker, which takes bash's place; one that comes before must not end it.
 */
function script(array: NativeArray): string {
  const { spec, worker, resources } = array;
  const lines = [
    "#!/bin/bash",
    `# jobx ${spec.version}: runs element $1 + the array's index.`,
    "trap '' USR1 USR2 TERM",
    "export JOBX_ELEMENT=$(( ${1%%+*} + ${SLURM_ARRAY_TASK_ID:-0} ))",
    "export JOBX_RESTARTS=${SLURM_RESTART_COUNT:-0}",
    "export JOBX_HOSTLIST=${SLURM_JOB_NODELIST-}",
  ];
  if (resources.timeSeconds !== undefined) {
    lines.push(`export JOBX_ELEMENT_SECONDS=${minutesOf(array) * 60}`);
  } else {
    lines.push(
      `export JOBX_TIME_LEFT_COMMAND='["squeue","-h","-t","all","-j","'"$SLURM_JOB_ID"'","-o","%L"]'`,
    );
  }
  if (spec.run.requeue !== false) {
    lines.push(
      "native=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}",
      `export JOBX_REQUEUE_COMMAND='["scontrol","requeue","'"\${native:-$SLURM_JOB_ID}"'"]'`,
    );
  }
  if (array.after.some(isJudged)) lines.push("export JOBX_JUDGE_AFTER=yes");
  const launcher = rankLauncher(spec);
  if (launcher) {
    lines.push(
      `export JOBX_RANK_COMMAND=${shellWords([JSON.stringify(launcher)])}`,
      "export JOBX_RANK_VARIABLES='SLURM_PROCID SLURM_LOCALID'",
    );
  }
  return [...lines, `exec ${shellWords(worker)}`, ""].join("\n");
}

/** Words that start what follows them once per rank; null where a task has one, or its ranks need no srun. */
function rankLauncher({ resources, options }: NativeArray["spec"]): string[] | null {
  const nodes = resources.nodes ?? 1;
  const perNode = resources.ranksPerNode ?? 1;
  if (nodes * perNode === 1 || options["use-srun"] === false) return null;
  return [
    "srun",
    "--kill-on-bad-exit=1",
    `--nodes=${nodes}`,
    `--ntasks=${nodes * perNode}`,
    `--ntasks-per-node=${perNode}`,
    // Since 22.05 a step does not take it from its job.
    ...(resources.cpus === undefined ? [] : [`--cpus-per-task=${resources.cpus}`]),
    ...wordsOf(options["srun-args"]),
  ];
}

/** Everything is on the command line, where no #SBATCH line and no variable beats it. */
function sbatchArgv(array: NativeArray, path: string): string[] {
  const { spec, firstElement, elements, indices, parallel } = array;
  const { run, options } = spec;
  const argv = [
    "sbatch",
    "--parsable",
    `--job-name=${array.name}`,
    `--output=${array.log(indexIn, (text) => text.replaceAll("%", "%%"))}`,
    "--open-mode=append",
    `--chdir=${spec.cwd}`,
    `--signal=B:USR2@${Math.min(MAX_SIGNAL_SECONDS, Math.ceil(run.signalDelaySeconds))}`,
    run.requeue === false ? "--no-requeue" : "--requeue",
  ];
  if (array.isArray) {
    const which = indices === null ? `0-${elements - 1}` : rangesOf(indices).join(",");
    argv.push(`--array=${which}${parallel === null ? "" : `%${parallel}`}`);
  }
  argv.push(...resourceFlags(array), ...dependencyFlags(array));
  for (const name of Object.keys(PASSED)) {
    const value = options[name];
    if (value === undefined || value === false || value === "false") continue;
    if (name === "mem" && array.resources.memBytes !== undefined) continue;
    argv.push(value === true || value === "true" ? `--${name}` : `--${name}=${value}`);
  }
  return [...argv, ...wordsOf(options.extra), path, `${firstElement}+${elements}`, spec.token];
}

/** sbatch(1), --signal. */
const MAX_SIGNAL_SECONDS = 65_535;

/** sbatch(1), "filename pattern": the array's index, padded with zeros to a width. */
function indexIn(width: number): string {
  return width === 0 ? "%a" : `%${width}a`;
}

/** Only what the user asked for: many sites reject more. */
function resourceFlags(array: NativeArray): string[] {
  const { spec, resources, env } = array;
  const { cpus, memBytes, timeSeconds, gpus, nodes, ranksPerNode } = resources;
  const flags: string[] = [];
  for (const [name, value] of Object.entries(placeOf(spec, env))) {
    if (value !== undefined) flags.push(`--${name}=${value}`);
  }
  if (timeSeconds !== undefined) flags.push(`--time=${minutesOf(array)}`);
  // Ranks per node say how many there are only where the number of nodes is certain.
  const count = nodes ?? (ranksPerNode === undefined ? undefined : 1);
  if (count !== undefined) flags.push(`--nodes=${count}`);
  if (ranksPerNode !== undefined) flags.push(`--ntasks-per-node=${ranksPerNode}`);
  if (cpus !== undefined) flags.push(`--cpus-per-task=${cpus}`);
  if (memBytes !== undefined) flags.push(`--mem=${Math.ceil(memBytes / 1024)}K`);
  if (gpus !== undefined) flags.push(`--gpus-per-node=${gpus.type ? `${gpus.type}:` : ""}${gpus.count}`);
  return flags;
}

/**
 * Where a job goes and who pays, by sbatch's flags: as it was asked for, else as users and sites have set it on purpose.
 * What a surrounding job was given says nothing of this one.
 */
function placeOf(
  { resources, options }: Pick<NativeArray["spec"], "resources" | "options">,
  env: NativeArray["env"],
) {
  const site = (name: string) => (env.SLURM_JOB_ID === undefined && env[name]) || undefined;
  return {
    partition: resources.partition ?? options.partition ?? site("SBATCH_PARTITION"),
    account: resources.account ?? options.account ?? site("SBATCH_ACCOUNT"),
    qos: resources.qos ?? options.qos ?? site("SBATCH_QOS"),
    reservation: options.reservation ?? site("SBATCH_RESERVATION"),
    clusters: options.cluster ?? options.clusters ?? (env.SLURM_CLUSTERS || undefined),
  };
}

/** What of `-o extra` says where a job goes. */
const PLACES = /^(-[Mpq]|--(clusters?|partition|qos|reservation)\b)/;

/**
 * Slurm counts whole minutes, and ends a job at the limit; the worker keeps the exact limit, and needs the time of the
 * warning to end by itself. What the partition does not allow would never start.
 */
function minutesOf({ spec, resources, maxSeconds }: NativeArray): number {
  const { timeSeconds = 0 } = resources;
  const room = Math.max(spec.run.signalDelaySeconds, LEAST_DELAY_SECONDS);
  return Math.min(Math.ceil((timeSeconds + room) / 60), Math.floor((maxSeconds ?? Infinity) / 60));
}

const LEAST_DELAY_SECONDS = 20;

function dependencyFlags({ after, spec }: NativeArray): string[] {
  const terms = after.map(dependencyTerm);
  if (spec.options.dependency !== undefined) terms.push(String(spec.options.dependency));
  return terms.length === 0 ? [] : [`--dependency=${terms.join(",")}`, "--kill-on-invalid-dep=yes"];
}

function dependencyTerm(dependency: NativeDependency): string {
  const { kind, natives } = dependency;
  const isSingle = natives.every(({ native }) => native.elements === 1);
  const one = kind === "each" && isSingle ? "afterok" : DEPENDENCY[kind];
  const word = isJudged(dependency) ? DEPENDENCY.any : one;
  const ids = natives.flatMap(({ native, indices }) =>
    indices === null ? [native.id] : indices.map((index) => `${native.id}_${index}`),
  );
  return `${word}:${ids.join(":")}`;
}

const DEPENDENCY = { ok: "afterok", any: "afterany", fail: "afternotok", each: "aftercorr" } as const;

/** Slurm's afternotok wants all of several to fail; that one of them did is for the worker to judge, once all have ended. */
function isJudged({ kind, natives }: NativeDependency): boolean {
  return kind === "fail" && (natives.length > 1 || natives.some(({ indices }) => (indices?.length ?? 0) > 1));
}

/** `id` or `id;cluster` on a line of its own, whatever a wrapper prints around it. */
function parseSubmitted(stdout: string): { id: string; cluster: string | null } | null {
  const line =
    /^\s*(\d+)(?:;(\S+))?\s*$/m.exec(stdout) ??
    /Submitted batch job (\d+)(?: on cluster (\S+))?/.exec(stdout);
  return line?.[1] === undefined ? null : { id: line[1], cluster: line[2] ?? null };
}

/** Submissions whose last word is the token. */
function parseFound(stdout: string, token: string) {
  const found = new Map<string, { id: string; submitted: string; firstElement: number; elements: number }>();
  for (const line of linesOf(stdout)) {
    const [word = "", submitted = "", ...rest] = line.split("|");
    const match = /\s(\d+)\+(\d+)\s(\S+)$/.exec(rest.join("|").trimEnd());
    const id = parseId(word)?.id;
    if (!match || match[3] !== token || id === undefined) continue;
    found.set(id, {
      id,
      submitted: timeOf(submitted) ?? new Date().toISOString(),
      firstElement: Number(match[1]),
      elements: Number(match[2]),
    });
  }
  return [...found.values()];
}

/** Ids as one argument each, at most `size` to a command; `1080`, `1080_5` and `1080_[1,3,5-7]`. */
function batches(targets: Target[], size: number): string[][] {
  const words = targets.flatMap(({ native, indices, isArray }) =>
    indices === null || !isArray ? [native.id] : indexWords(native.id, indices),
  );
  return chunks(words, size);
}

function indexWords(id: string, indices: number[]): string[] {
  if (indices.length === 1) return [`${id}_${indices[0]}`];
  return chunks(rangesOf(indices), MAX_RANGES).map((ranges) => `${id}_[${ranges.join(",")}]`);
}

/** So many ranges keep an argument well below what the system allows. */
const MAX_RANGES = 5_000;

/** What Slurm's states mean; squeue(1) and sacct(1), "JOB STATE CODES", of 20.11 to 25.11. */
const STATES: Record<string, NativeStatus["state"]> = {
  PENDING: "queued",
  CONFIGURING: "queued",
  POWER_UP_NODE: "queued",
  REQUEUED: "queued",
  REQUEUE_FED: "queued",
  REQUEUE_HOLD: "queued",
  RESV_DEL_HOLD: "queued",
  SPECIAL_EXIT: "queued",
  RUNNING: "running",
  COMPLETING: "running",
  EXPEDITING: "running",
  RESIZING: "running",
  SIGNALING: "running",
  STAGE_OUT: "running",
  STOPPED: "running",
  SUSPENDED: "running",
  UPDATE_DB: "running",
  COMPLETED: "ended",
  BOOT_FAIL: "failed",
  FAILED: "failed",
  LAUNCH_FAILED: "failed",
  NODE_FAIL: "failed",
  OUT_OF_MEMORY: "failed",
  PREEMPTED: "failed",
  RECONFIG_FAIL: "failed",
  CANCELLED: "cancelled",
  REVOKED: "cancelled",
  DEADLINE: "timeout",
  TIMEOUT: "timeout",
};

function parseSqueue(result: CommandResult): NativeStatus[] {
  refuseFailure("squeue", result);
  return linesOf(result.stdout).flatMap((line) => {
    const [id = "", word = "", reason = "", node = "", submitted = "", ended = "", starts = "", ...rest] =
      line.split("|");
    const status = statusFrom(id, word);
    // With -a come a federation's copies of a job that runs elsewhere.
    if (!status || status.native === "REVOKED") return [];
    const isOver = status.state !== "queued" && status.state !== "running";
    return [
      {
        ...status,
        reason: given(reason),
        node: given(node),
        submitted: timeOf(submitted),
        startsAt: status.state === "queued" ? timeOf(starts) : null,
        endedAt: isOver ? timeOf(ended) : null,
        command: given(rest.join("|")),
        // The exit code is known elsewhere.
        isVague: isOver && status.state === "failed",
      },
    ];
  });
}

function parseSacct(result: CommandResult): NativeStatus[] {
  refuseFailure("sacct", result);
  return linesOf(result.stdout).flatMap((line) => {
    const [id = "", word = "", exit = "", node = "", submitted = "", ended = "", reason = "", ...name] =
      line.split("|");
    const status = statusFrom(id, word);
    if (!status) return [];
    return [
      {
        ...status,
        ...exitOf(exit),
        node: given(node),
        reason: given(reason),
        submitted: timeOf(submitted),
        endedAt: timeOf(ended),
        name: given(name.join("|")),
      },
    ];
  });
}

function parseScontrol(result: CommandResult): NativeStatus[] {
  if (/Invalid job id specified/i.test(result.stderr)) return [];
  refuseFailure("scontrol", result);
  return linesOf(result.stdout).flatMap((line) => {
    const field = (name: string) => new RegExp(`(?:^|\\s)${name}=(\\S*)`).exec(line)?.[1] ?? "";
    const array = field("ArrayJobId");
    const status = statusFrom(
      array === "" ? field("JobId") : `${array}_[${field("ArrayTaskId")}]`,
      field("JobState"),
    );
    if (!status) return [];
    return [
      {
        ...status,
        ...exitOf(field("ExitCode")),
        node: given(field("NodeList")),
        reason: given(field("Reason")),
        submitted: timeOf(field("SubmitTime")),
        endedAt: timeOf(field("EndTime")),
        command: given(/ Command=(.*?) WorkDir=/.exec(line)?.[1] ?? ""),
      },
    ];
  });
}

/** An id and a state as the start of a status. A state that nobody knows is no end. */
function statusFrom(idText: string, stateText: string): NativeStatus | null {
  const id = parseId(idText);
  const native = stateText.trim();
  if (!id || native === "") return null;
  // "CANCELLED by 1000"
  const state = STATES[native.split(" ")[0] ?? ""] ?? "queued";
  return { ...id, ...NO_STATUS, state, native };
}

/** `1080`, `1080_5`, `1080_[1,3,5-7%4]`; ended arrays lose the bracket, and heterogeneous jobs have a `+0`. */
function parseId(text: string): { id: string; indices: string | null } | null {
  const match = /^(\d+)(?:\+\d+)?(?:_\[?([^\]%]+))?/.exec(text.trim());
  return match?.[1] === undefined ? null : { id: match[1], indices: match[2] ?? null };
}

/** `code:signal` */
function exitOf(text: string): { exitCode: number | null; signal: number | null } {
  const [code, signal] = text.split(":");
  return { exitCode: code ? Number(code) : null, signal: signal ? Number(signal) : null };
}

/** Slurm prints local time without a zone. */
function timeOf(text: string): string | null {
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

function given(text: string): string | null {
  return ["", "None", "(null)", "N/A", "Unknown", "None assigned"].includes(text.trim()) ? null : text.trim();
}

/** With -M a line names the cluster. */
function linesOf(stdout: string): string[] {
  return stdout.split("\n").filter((line) => line !== "" && !line.startsWith("CLUSTER: "));
}

/** An unknown user is an error that squeue exits 0 with. */
function refuseFailure(command: string, { code, stderr, stdout }: CommandResult): void {
  if (code === 0 && !/error: Invalid user/i.test(stderr)) return;
  const text = (stderr.trim() || stdout.trim()).split("\n")[0] || `exit code ${code}`;
  throw new JobxError("UNREACHABLE", text.startsWith(command) ? text : `${command}: ${text}`);
}

/** Why an element waits or how it ended. */
function explain(status: NativeStatus, job: JobRef): string | null {
  const { state, native, reason, node } = status;
  const on = node === null ? "" : ` on ${node}`;
  switch (state) {
    case "queued":
      return whyQueued(status, job);
    case "running":
      return native === "RUNNING" ? null : `Slurm says ${native}${on}`;
    case "ended":
      return `Slurm says that it completed${on}, and it left no record`;
    case "cancelled":
      if (reason?.startsWith("DependencyNeverSatisfied"))
        return `${predecessors(job)} did not end as --after asks for`;
      return native.includes(" by ")
        ? `cancelled outside of jobx, by user ${native.split(" by ")[1]}`
        : "cancelled outside of jobx";
    case "timeout":
      return `Slurm ended it${on} at its time limit (${native}); ask for more with --time`;
    case "failed":
      return whyFailed(status, on);
    default:
      return null;
  }
}

function whyFailed({ native, exitCode, signal, reason }: NativeStatus, on: string): string {
  if (native === "OUT_OF_MEMORY") return `OUT_OF_MEMORY${on}; retry with more --mem`;
  if (native === "NODE_FAIL" || native === "BOOT_FAIL") return `${native}: the node failed${on}`;
  if (native === "PREEMPTED") return `preempted${on}, and not requeued`;
  if (exitCode === 0 && signal === 53) {
    return `Slurm could not start it${on} (0:53): the home's log folder or the working folder is missing there`;
  }
  const how = signal ? `signal ${signal}` : exitCode === null ? null : `exit code ${exitCode}`;
  const why = [how, reason].filter((part) => part !== null).join(", ");
  return `Slurm says ${native}${on}${why === "" ? "" : ` (${why})`}, and it left no record`;
}

function whyQueued({ native, reason, startsAt, ahead }: NativeStatus, job: JobRef): string | null {
  if (STATES[native] === undefined) return `Slurm says ${native}, which this jobx does not know`;
  if (native !== "PENDING") {
    const held = HELD_STATES.includes(native) ? "; held, jobx release lets it start" : "";
    return `Slurm says ${native}${reason === null ? "" : ` (${reason})`}${held}`;
  }
  if (reason === null) return "Slurm has not looked at it yet";
  const words = reason.split(/[,(]/)[0] ?? reason;
  if (words === "Dependency") return `Dependency: waits for ${predecessors(job)}`;
  const meaning = ahead
    ? queueOf(ahead)
    : (REASONS[words] ?? limitReason(words) ?? "see squeue's manual, JOB REASON CODES");
  const hasEstimate = startsAt !== null && isEstimate(startsAt) && !meaning.startsWith("held");
  return `${reason}: ${meaning}${hasEstimate ? `; estimated start ${clock(startsAt)}` : ""}`;
}

/** A year from now is what Slurm says of a job behind one without a time limit. */
function isEstimate(startsAt: string): boolean {
  const ahead = Date.parse(startsAt) - Date.now();
  return ahead > 0 && ahead < 364 * 86_400_000;
}

const HELD_STATES = ["REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"];

function queueOf({ jobs, partition }: Ahead): string {
  if (jobs === 0) return `next in partition ${partition}`;
  return `${jobs} ${jobs === 1 ? "job" : "jobs"} ahead in partition ${partition}`;
}

/** Jobs with a higher priority, or the same and a lower number, that wait for one of its partitions. */
function parseAhead(stdout: string, id: string): Ahead | null {
  const waiting = linesOf(stdout).flatMap((line) => {
    const [word = "", priority = "", partition = ""] = line.split("|");
    const parsed = parseId(word);
    return parsed ? [{ id: Number(parsed.id), priority: Number(priority), partition }] : [];
  });
  const own = waiting.find((one) => one.id === Number(id));
  if (!own) return null;
  const partitions = new Set(own.partition.split(","));
  const jobs = waiting.filter(
    (one) =>
      one.id !== own.id &&
      one.partition.split(",").some((name) => partitions.has(name)) &&
      (one.priority > own.priority || (one.priority === own.priority && one.id < own.id)),
  );
  return { jobs: new Set(jobs.map((one) => one.id)).size, partition: own.partition };
}

function predecessors(job: JobRef): string {
  return predecessorsOf(job) ?? "what -o dependency names";
}

/** squeue(1), "JOB REASON CODES". */
const REASONS: Record<string, string> = {
  Priority: "jobs of higher priority are ahead",
  Resources: "waits for nodes to become free",
  JobArrayTaskLimit: "as many of its tasks run as --parallel allows",
  JobHeldUser: "held; jobx release lets it start",
  JobHeldAdmin: "held by an administrator, or by jobx hold as root",
  BeginTime: "its time to begin has not come; after a requeue it waits up to two minutes",
  Licenses: "waits for a licence",
  Reservation: "waits for its reservation to begin",
  ReservationDeleted: "its reservation is gone",
  ReqNodeNotAvail: "a node that it needs is down, drained or reserved",
  Nodes: "nodes that it needs are down, drained or reserved",
  "Nodes required for job are DOWN":
    "nodes that it needs are down, drained, or taken by partitions of higher priority",
  NodeDown: "a node that it needs is down",
  PartitionDown: "the partition is down",
  PartitionInactive: "the partition takes no jobs now",
  PartitionTimeLimit: "it asks for more time than the partition allows; it will not start",
  PartitionNodeLimit: "it asks for more nodes than the partition has or allows; it will not start",
  PartitionConfig: "it asks for what the partition does not allow; it will not start",
  BadConstraints: "no node can give what it asks for; it will not start",
  DependencyNeverSatisfied: "the job that it waits for did not end as it should have",
  AccountNotAllowed: "the partition does not take this account",
  QOSNotAllowed: "the partition does not take this QOS",
  InvalidAccount: "the account is not valid",
  InvalidQOS: "the QOS is not valid",
  Cleaning: "its earlier run is still being cleaned up",
  JobHoldMaxRequeue: "held by Slurm, as it was requeued too often; jobx release lets it start",
  "job requeued in held state": "held; jobx release lets it start",
  "launch failed requeued held":
    "held by Slurm, as it could not be started on the node; jobx release tries again",
  FrontEndDown: "the node that would start it is down",
};

/** `AssocGrpGRES`, `QOSMaxCpuPerUserLimit` and their many kin. */
function limitReason(word: string): string | null {
  const [, owner, kind, what = ""] = /^(Assoc|QOS)(Grp|Max|Min)?(.+?)(?:Limit)?$/.exec(word) ?? [];
  if (owner === undefined) return null;
  const whose = owner === "QOS" ? "the QOS's" : kind === "Grp" ? "your group's" : "your account's";
  const [, noun = what] = LIMITED.find(([start]) => what.startsWith(start)) ?? [];
  if (kind === "Min") return `it asks for less than ${whose} least ${noun}`;
  return `${whose} ${noun} limit is reached`;
}

const LIMITED = [
  ["CPU", "CPU"],
  ["Cpu", "CPU"],
  ["GRES", "GPU"],
  ["Mem", "memory"],
  ["Node", "node"],
  ["Job", "job"],
  ["Submit", "submission"],
  ["Wall", "time"],
  ["BB", "burst buffer"],
  ["Billing", "billing"],
  ["License", "licence"],
] as const;

/** What to do about refusals. */
const HINTS: [RegExp, string][] = [
  [/invalid partition/i, "`sinfo -s` lists the partitions"],
  [/Invalid account/i, "`sacctmgr show assoc user=$USER format=account,partition,qos` lists yours"],
  [/Invalid qos/i, "`sacctmgr show assoc user=$USER format=account,partition,qos` lists yours"],
  [
    /MaxSubmitJob|accounting\/QOS policy/i,
    "Submit fewer tasks at once, or put several into one element with --pack",
  ],
  [/time limit/i, "`sinfo -o '%P %l'` shows what the partitions allow"],
  [
    /node configuration is not available/i,
    "No node has what it asks for: `sinfo -N -o '%N %c %m %G %f'` shows what they have",
  ],
  [/Invalid feature/i, "`sinfo -N -o '%N %f'` shows the features of the nodes"],
  [/generic resource/i, "`sinfo -N -o '%N %G'` shows what the nodes have"],
  [/license/i, "`scontrol show licenses` lists them"],
  [/reservation/i, "`scontrol show reservation` lists them"],
];

/** A line for each size of nodes. */
function parsePartitions(stdout: string): Partition[] {
  const byName = Map.groupBy(
    linesOf(stdout).map((line) => line.split("|")),
    ([word = ""]) => word.replace("*", ""),
  );
  return [...byName].map(([name, lines]) => {
    const [word = "", longest = "", usual = "", , , size = ""] = lines[0] ?? [];
    const column = (at: number) => lines.map((line) => Number(line[at]));
    // "1-infinite"; and where sinfo shortens a number, there are more than anyone asks for.
    const limit = Number(/(\d+)$/.exec(size)?.[1] ?? Infinity);
    const nodes = Math.min(limit, column(6).reduce((sum, count) => sum + count, 0) || Infinity);
    return {
      name,
      isDefault: word.endsWith("*"),
      maxSeconds: secondsOf(longest),
      defaultSeconds: secondsOf(usual),
      maxNodes: Number.isFinite(nodes) ? nodes : null,
      cpus: Math.max(...column(3)),
      memBytes: Math.max(...column(4)) * 1024 ** 2,
    };
  });
}

/** "infinite", "n/a" */
function secondsOf(text: string): number | null {
  return /^\d/.test(text) ? parseDuration(text) : null;
}

/** What `jobx doctor` says of the cluster. */
function examineConfig({ code, stdout, stderr }: CommandResult): Finding[] {
  const mend = "Ask `scontrol ping`: the controller is down, or cannot be reached from this host";
  if (code !== 0) return [{ name: "slurmctld", verdict: "fail", detail: stderr.trim(), mend }];
  const field = (name: string) => new RegExp(`^${name}\\s*=\\s*(.*)$`, "m").exec(stdout)?.[1]?.trim() ?? "?";
  const found = [
    fine("cluster", `${field("ClusterName")}, Slurm ${field("SLURM_VERSION")}`),
    fine("limits", `arrays of ${field("MaxArraySize")} at most, ${field("MaxJobCount")} jobs in all`),
  ];
  if (field("JobRequeue") === "0") {
    const detail =
      "the site does not requeue jobs by itself (JobRequeue=0); jobx asks for it, where a job may";
    found.push(warning("requeue", detail));
  }
  return found;
}

function examineAccounting({ code, stderr }: CommandResult): Finding[] {
  if (code === 0) return [fine("accounting", "sacct answers")];
  const what = stderr.trim().split("\n")[0];
  return [warning("accounting", `${what}: how jobs ended that left no record is known for minutes only`)];
}

function examinePartitions({ code, stdout, stderr }: CommandResult): Finding[] {
  if (code !== 0) return [warning("partitions", stderr.trim())];
  const partitions = parsePartitions(stdout);
  const usual = partitions.find(({ isDefault }) => isDefault);
  if (!usual) {
    const mend = 'Name one with -p, or in the configuration: partition = "…"';
    return [warning("partition", "there is no default partition", mend)];
  }
  const { name, defaultSeconds, maxSeconds } = usual;
  const least = defaultSeconds ?? maxSeconds;
  const most = maxSeconds === null ? "no limit" : `${maxSeconds / 60} minutes`;
  const limits =
    least === null ? "no time limit" : `${least / 60} minutes for a job that asks for none, ${most} at most`;
  return [fine("partition", `${name} by default, of ${partitions.length}: ${limits}`)];
}

function fine(name: string, detail: string): Finding {
  return { name, verdict: "ok", detail, mend: null };
}

function warning(name: string, detail: string, mend: string | null = null): Finding {
  return { name, verdict: "warn", detail, mend };
}

/** Recorded from Slurm 22.05.8 of Debian 12, a cluster of three nodes with and without accounting. */
function samples(): Sample[] {
  const from = "Slurm 22.05.8, recorded";
  const squeue = (
    native: string,
    state: NativeStatus["state"],
    reason = "None",
    place = "node1",
  ): Sample => ({
    of: "row",
    stage: "squeue",
    from,
    row: (job) => {
      const [id, started, ended] =
        state === "queued"
          ? [waitingId(job), "N/A", "N/A"]
          : [elementId(job), local(job.started), state === "running" ? "NONE" : local(job.ended)];
      const node = place && job.hosts[0];
      return `${id}|${native}|${reason}|${node}|${local(job.submitted)}|${ended}|${started}|${commandOf(job)}\n`;
    },
    is: { state, native, reason: given(reason), ...(place === "" ? { node: null } : {}) },
  });
  const sacct = (native: string, state: NativeStatus["state"]): Sample => ({
    of: "row",
    stage: "sacct",
    from,
    row: (job) =>
      `${elementId(job)}|${native}|${job.exitCode}:${job.signal}|${job.hosts[0]}|${local(job.submitted)}|${local(job.ended)}|None|${job.name}\n`,
    is: { state, native },
  });
  const failure = (is: Extract<Sample, { of: "error" }>["is"], stderr: string): Sample => ({
    of: "error",
    from,
    is,
    code: 1,
    stderr,
  });
  return [
    { of: "submit", from, stdout: ({ id }) => `${id}\n` },
    {
      of: "submit",
      from: "sbatch(1), --parsable with --clusters",
      stdout: "4211;dev\n",
      is: { id: "4211", cluster: "dev" },
    },
    {
      of: "submit",
      from: "a wrapper that leaves --parsable out",
      stdout: "Submitted batch job 4211\n",
      is: { id: "4211" },
    },
    squeue("PENDING", "queued", "Priority", ""),
    squeue("PENDING", "queued", "BeginTime", ""),
    squeue("REQUEUE_HOLD", "queued", "JobHoldMaxRequeue", ""),
    squeue("CONFIGURING", "queued"),
    squeue("RUNNING", "running"),
    squeue("COMPLETING", "running"),
    squeue("SUSPENDED", "running"),
    squeue("COMPLETED", "ended"),
    squeue("FAILED", "failed", "NonZeroExitCode"),
    squeue("NODE_FAIL", "failed"),
    squeue("OUT_OF_MEMORY", "failed", "OutOfMemory"),
    squeue("PREEMPTED", "failed"),
    squeue("TIMEOUT", "timeout", "TimeLimit"),
    squeue("DEADLINE", "timeout", "DeadLine"),
    squeue("CANCELLED", "cancelled"),
    sacct("RUNNING", "running"),
    sacct("COMPLETED", "ended"),
    sacct("FAILED", "failed"),
    sacct("NODE_FAIL", "failed"),
    sacct("OUT_OF_MEMORY", "failed"),
    sacct("TIMEOUT", "timeout"),
    sacct("CANCELLED by 1000", "cancelled"),
    {
      of: "status",
      stage: "sacct",
      from,
      code: 1,
      stderr: "Slurm accounting storage is disabled\n",
      is: "no answer",
    },
    {
      of: "status",
      stage: "squeue",
      from: "Slurm 22.05.8, squeue -M dev",
      stdout:
        "CLUSTER: dev\n7_[4-6,9%4]|PENDING|JobArrayTaskLimit||2026-11-22T18:10:04|N/A|N/A|/h/jobs/12/submit.sh 0+10 T\n",
      is: [{ id: "7", indices: "4-6,9", state: "queued", node: null }],
    },
    {
      of: "row",
      stage: "scontrol",
      from,
      row: (job) =>
        `JobId=${job.id}${job.range ? ` ArrayJobId=${job.id} ArrayTaskId=${job.range.first}` : ""} JobName=${job.name} ` +
        `JobState=FAILED Reason=NonZeroExitCode Dependency=(null) ExitCode=${job.exitCode}:${job.signal} ` +
        `SubmitTime=${local(job.submitted)} StartTime=${local(job.started)} EndTime=${local(job.ended)} ` +
        `NodeList=${job.hosts[0]} Command=${commandOf(job)} WorkDir=/tmp\n`,
      is: { state: "failed", native: "FAILED", reason: "NonZeroExitCode", exitCode: 3 },
    },
    {
      of: "status",
      stage: "scontrol",
      from,
      code: 1,
      stderr: "slurm_load_jobs error: Invalid job id specified\n",
      is: [],
    },
    failure(
      "uncertain",
      "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n",
    ),
    failure(
      "transient",
      "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n",
    ),
    failure("transient", "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n"),
    failure("array", "sbatch: error: Batch job submission failed: Invalid job array specification\n"),
    failure("refused", "sbatch: error: Batch job submission failed: Invalid partition name specified\n"),
    failure("gone", "scancel: error: Kill job error on job id 7: Invalid job id specified\n"),
    failure("gone", "slurm_suspend error: Job has already finished\n"),
    {
      of: "limits",
      from,
      stdout: ({ cluster, maxArraySize }) =>
        `ClusterName             = ${cluster}\nMaxArraySize            = ${maxArraySize}\nSLURM_VERSION           = 22.05.8\n`,
    },
    {
      of: "find",
      from,
      stdout: (jobs) =>
        jobs.map((job) => `${waitingId(job)}|${local(job.submitted)}|${commandOf(job)}\n`).join(""),
    },
    {
      of: "variables",
      from,
      variables: ({ id, range, restarts, hosts }) => ({
        SLURM_JOB_ID: range === null ? id : String(Number(id) + 1 + range.first),
        SLURM_JOB_NODELIST: hosts.join(","),
        ...(range && { SLURM_ARRAY_JOB_ID: id, SLURM_ARRAY_TASK_ID: String(range.first) }),
        ...(restarts > 0 && { SLURM_RESTART_COUNT: String(restarts) }),
      }),
      is: { rank: 0, hostnames: ["node1"] },
    },
  ];
}

/** How Slurm writes a job that waits, and one element. */
function waitingId({ id, range }: SampleJob): string {
  if (range === null) return id;
  return `${id}_[${range.first === range.last ? range.first : `${range.first}-${range.last}`}]`;
}

function elementId({ id, range }: SampleJob): string {
  return range === null ? id : `${id}_${range.first}`;
}

function commandOf(job: SampleJob): string {
  return [job.script, ...job.arguments].join(" ");
}

/** Local time without a zone, as Slurm prints it. */
function local(time: Date): string {
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
