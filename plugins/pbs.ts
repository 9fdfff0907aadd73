import {
  chunks,
  clock,
  type CommandResult,
  defineScheduler,
  type JobRef,
  JobxError,
  mpiRankLines,
  type NativeArray,
  type NativeDependency,
  type NativeStatus,
  option,
  predecessorsOf,
  quoted,
  rangesOf,
  refuse,
  type Sample,
  type SampleJob,
  shellWords,
  type Target,
  wordsOf,
} from "../src/plugin.ts";

/** pbs_job_attributes(7B), job_state, and qstat(1B). Finished ones are told apart by how they finished. */
const STATES: Record<string, NativeStatus["state"]> = {
  // Queued, held, waiting for its time, on its way to another queue.
  Q: "queued",
  H: "queued",
  W: "queued",
  T: "queued",
  // Moved to another server, which this one cannot be asked about.
  M: "queued",
  // Running, begun (an array), exiting, suspended by the scheduler, suspended for the workstation's user.
  R: "running",
  B: "running",
  E: "running",
  S: "running",
  U: "running",
  // Finished, expired (a subjob).
  F: "ended",
  X: "ended",
};

/** Of the MPI that is first on the job's PATH; most learn from PBS where their ranks go. */
const LAUNCHER = "mpiexec -n {ranks}";

/**
 * Submits to OpenPBS and PBS Professional. Facts are from the manuals and the source of OpenPBS
 * (github.com/openpbs/openpbs, doc/man1 and src/cmds, as of 23.06 and later) and from the issues named beside the
 * samples. Torque, whose commands have the same names, takes other options and prints other texts.
 */
export default defineScheduler({
  contract: 1,
  name: "pbs",
  description: "Submits to OpenPBS or PBS Professional: one native array per job",
  untried: "written from the manuals and from recorded output, not yet tried on a real PBS",
  capabilities: { arrays: true, ranks: true, nodes: true, signals: true, dependencies: true },
  // Torque, Grid Engine and Slurm's wrappers have a qsub and a qstat as well, and none of them pbs_rstat.
  detect: ["pbs_rstat", "qsub", "qstat", "qdel", "qselect"],

  options: {
    queue: option.string("Queue to submit to; --partition wins"),
    account: option.string("Account string (-A); --account wins"),
    project: option.string("Project (-P)"),
    place: option.string(
      "How chunks are placed, as in -l place; scatter by default where there are several",
      {
        placeholder: "scatter:excl|...",
      },
    ),
    chunk: option.string("More of what each chunk asks for, as in -l select", {
      placeholder: "NAME=VALUE:...",
    }),
    select: option.string("The whole of -l select, in place of --nodes, --cpus, --mem and --gpus", {
      placeholder: "N:NAME=VALUE:...+...",
    }),
    "gpu-type": option.string("The resource in which this site names types of GPUs, for --gpus TYPE:N", {
      placeholder: "gpu_model|...",
    }),
    resources: option.string("Other resources of the whole job (-l)", { placeholder: "NAME=VALUE,..." }),
    priority: option.number("Priority among the user's own jobs (-p)", {
      min: -1024,
      max: 1023,
      integer: true,
    }),
    "group-list": option.string("Groups to run under (-W group_list)"),
    begin: option.string("Not to start before this time (-a)", { placeholder: "[[CC]YY]MMDDhhmm" }),
    mail: option.string("When PBS sends mail (-m)", { placeholder: "n|abe" }),
    "mail-to": option.string("Who gets that mail (-M)"),
    depend: option.string("PBS's own dependencies, besides --after", { placeholder: "afterok:ID,..." }),
    launcher: option.string("What starts several ranks; empty starts those of one node without it", {
      default: LAUNCHER,
      placeholder: "COMMAND",
    }),
    extra: option.string("Any other options of qsub, as on its command line", { placeholder: "-FLAG ..." }),
  },

  validate({ options, resources, run, tasks }) {
    refuseUnless(resources.qos === undefined, "PBS has no --qos", "Sites offer queues for it: see qstat -Q");
    refuseUnless(
      resources.gpus?.type === undefined || options["gpu-type"] !== undefined,
      `PBS has no name of its own for the GPU type ${resources.gpus?.type}`,
      "Name the site's resource with -o gpu-type=NAME, or in the configuration: [pbs] gpu-type = ...",
    );
    refuseUnless(
      wordsOf(options.launcher ?? LAUNCHER).length > 0 || (resources.nodes ?? 1) === 1,
      `An empty -o launcher does not go with --nodes ${resources.nodes}`,
      "Ranks on other nodes are started by a launcher: name one, or leave --nodes out",
    );
    refuseUnless(
      tasks === 1 || run.after.every(({ kind }) => kind !== "each"),
      "PBS cannot pair the tasks of two jobs",
      "Wait for the whole job: --after JOB:ok",
    );
    for (const word of wordsOf(options.extra)) {
      const instead = RESERVED[word.slice(0, 2)];
      if (instead !== undefined) refuse(`-o extra: ${word} is jobx's own to give`, instead);
    }
  },

  script,
  submit: { argv: qsubArgv, parse: parseSubmitted },
  status: [
    {
      name: "qstat",
      scope: "ids",
      argv({ ids }) {
        const arrays = ids.filter(isArrayId);
        return [["qstat", "-f", ...ids], ...(arrays.length > 0 ? [["qstat", "-t", ...arrays]] : [])];
      },
      parse: (results) => results.flatMap(parseLive),
    },
    {
      name: "qstat -x",
      scope: "ids",
      argv: ({ ids }) => [["qstat", "-x", "-f", "-t", ...ids]],
      parse: (results) => results.flatMap(parseFull),
    },
  ],
  explain,

  cancel: (targets) => verb(["qdel"], targets.flatMap(idsOf)),
  hold: (targets) => verb(["qhold"], targets.map(wholeId)),
  release: (targets) => verb(["qrls"], targets.map(wholeId)),
  interrupt: (targets, kind) =>
    verb(["qsig", "-s", kind === "timeout" ? "SIGUSR1" : "SIGUSR2"], targets.flatMap(idsOf)),
  goneErrors: [
    /Unknown Job Id/i,
    /Job has finished/i,
    /Request invalid for (finished array subjob|state of job)/i,
  ],

  limits: {
    argv: ["qstat", "-B", "-f"],
    // pbs_server_attributes(7B), max_array_size: 10000 where it is not set.
    parse: (stdout) => ({
      cluster: null,
      maxArraySize: Number(/^\s*max_array_size = (\d+)/m.exec(stdout)?.[1] ?? 10_000),
    }),
  },
  find: { argv: () => ["sh", "-c", FIND], parse: parseFound },

  transientErrors: [
    /cannot connect to server/i,
    /Connection (refused|timed out|reset)/i,
    /Premature end of message/i,
    /End of File/i,
    /Batch protocol error/i,
    /Invalid credential/i,
    /all reserved ports in use/i,
    /Server connection table full|No free connections/i,
    /Request not allowed: Server shutting down/i,
    /Resource temporarily unavailable/i,
  ],
  uncertainErrors: [
    /Premature end of message/i,
    /End of File/i,
    /Batch protocol error/i,
    /Connection (timed out|reset)/i,
  ],
  hint: (refusal) => HINTS.find(([pattern]) => pattern.test(refusal))?.[1] ?? null,
  keepVariables: ["PBS_CONF_FILE", "PBS_SERVER", "PBS_DEFAULT"],
  // With qsub -V it would stand in every answer of qstat -f, functions of bash and all.
  storesEnvironment: true,

  environment: (env) => ({
    element: Number(env.JOBX_ELEMENT ?? env.PBS_ARRAY_INDEX ?? 0),
    rank: Number(env.MPI_RANK ?? 0),
    restarts: 0,
    hostnames: env.JOBX_HOSTLIST ? env.JOBX_HOSTLIST.split(",") : null,
  }),

  states: STATES,
  get samples() {
    return samples();
  },
});

/** What only jobx may say to qsub, and what says it in jobx. */
const RESERVED: Record<string, string> = {
  "-J": "Use --array, --sweep or --params of jobx submit",
  "-N": "Use --name",
  "-o": "`jobx logs` shows the output",
  "-e": "`jobx logs` shows the output",
  "-j": "`jobx logs` shows the output",
  "-k": "`jobx logs` shows the output",
  "-r": "Use --requeue or --no-requeue",
  "-V": "The job has the environment of its submitter; use --env and --clean-env",
  "-I": "jobx jobs run without a terminal",
  "-z": "jobx reads qsub's answer",
};

/**
 * The script of every element: $1 is the first element of its array and how many there are, $2 the token by which the
 * submission is found again, $3 the indices that are meant where they are not all of the range. bash runs it without a login shell in between, so that it is the worker, in bash's place,
 * that PBS signals and waits for. PBS copies output only after the end, so the script writes it where it belongs.
 */
function script(array: NativeArray): string {
  const { spec, worker, resources } = array;
  const lines = [
    "#!/bin/bash",
    `# jobx ${spec.version}, job ${spec.id}: runs element $1 + the array's index.`,
    "trap '' USR1 USR2 TERM",
    'case ",${3-}," in ,, | *",${PBS_ARRAY_INDEX:-0},"*) ;; *) exit 0 ;; esac',
    "export JOBX_ELEMENT=$(( ${1%%+*} + ${PBS_ARRAY_INDEX:-0} ))",
    "export JOBX_SCHEDULER_VARIABLES='PBS_* TMPDIR NCPUS OMP_NUM_THREADS CUDA_VISIBLE_DEVICES'",
    `log=${array.log(() => "$JOBX_ELEMENT", quoted)}`,
    '{ : >>"$log"; } 2>/dev/null && exec >>"$log" 2>&1',
    `cd ${quoted(spec.cwd)} 2>/dev/null`,
    // One line a rank or chunk, the own host first.
    "hosts=$(awk '!seen[$0]++' \"${PBS_NODEFILE:-/dev/null}\" 2>/dev/null | paste -sd, -)",
    "export JOBX_HOSTLIST=${hosts:-$(uname -n)}",
  ];
  if (resources.timeSeconds !== undefined) {
    lines.push(
      `export JOBX_ELEMENT_SECONDS=${secondsOf(resources.timeSeconds, spec.run.signalDelaySeconds)}`,
    );
  }
  lines.push(...mpiRankLines(spec.options.launcher ?? LAUNCHER, spec.resources));
  return [...lines, `exec ${shellWords(worker)}`, ""].join("\n");
}

/** Everything is on the command line, where no #PBS line beats it. */
function qsubArgv(array: NativeArray, path: string): string[] {
  const { spec, firstElement, elements, isArray, resources } = array;
  const { options } = spec;
  const argv = ["qsub", "-N", jobName(spec.name), "-j", "oe", "-o", "/dev/null"];
  // Arrays can always be rerun, and qsub refuses to hear otherwise (qsub(1B), -J).
  if (isArray) argv.push("-J", rangeOf(array));
  else argv.push("-r", spec.run.requeue === false ? "n" : "y");
  const select = selectOf(array);
  if (select !== null) argv.push("-l", `select=${select}`);
  const place = options.place ?? ((resources.nodes ?? 1) > 1 ? "scatter" : undefined);
  if (place !== undefined) argv.push("-l", `place=${place}`);
  if (resources.timeSeconds !== undefined) {
    argv.push("-l", `walltime=${secondsOf(resources.timeSeconds, spec.run.signalDelaySeconds)}`);
  }
  if (options.resources !== undefined) argv.push("-l", String(options.resources));
  const given: Record<string, unknown> = {
    "-q": resources.partition ?? options.queue,
    "-A": resources.account ?? options.account,
    "-P": options.project,
    "-p": options.priority,
    "-a": options.begin,
    "-m": options.mail,
    "-M": options["mail-to"],
  };
  for (const [flag, value] of Object.entries(given)) if (value !== undefined) argv.push(flag, String(value));
  if (options["group-list"] !== undefined) argv.push("-W", `group_list=${options["group-list"]}`);
  const depend = [...array.after.map(dependencyTerm), ...wordsOf(options.depend)];
  if (depend.length > 0) argv.push("-W", `depend=${depend.join(",")}`);
  argv.push(...wordsOf(options.extra));
  const words = ["--", "/bin/bash", path, `${firstElement}+${elements}`, spec.token];
  return [...argv, ...words, ...(array.indices === null ? [] : [array.indices.join(",")])];
}

/** At most 236 characters, no white space, the first a letter or a digit (pbs_job_attributes(7B), Job_Name). */
function jobName(name: string): string {
  const plain = name.replaceAll(/[^\w.+-]+/g, "_").slice(0, 230);
  return /^[a-z0-9]/i.test(plain) ? plain : `j${plain}`;
}

/**
 * qsub(1B), -J: X-Y[:Z] and no lists, with X below Y, so that a single index takes a step over the next one. `%N` since
 * 2020.1.
 */
function rangeOf({ elements, indices, parallel }: NativeArray): string {
  const [first, last] = indices === null ? [0, elements - 1] : [Math.min(...indices), Math.max(...indices)];
  const range = first === last ? `${first}-${first + 1}:2` : `${first}-${last}`;
  return parallel === null ? range : `${range}%${parallel}`;
}

/** One chunk for each node, with only what the user asked for; null where nothing of it was. */
function selectOf({ resources, spec }: NativeArray): string | null {
  const { nodes, ranksPerNode, cpus, memBytes, gpus } = resources;
  const { options } = spec;
  if (options.select !== undefined) return String(options.select);
  const chunk: string[] = [];
  if (cpus !== undefined || (ranksPerNode ?? 1) > 1) chunk.push(`ncpus=${(cpus ?? 1) * (ranksPerNode ?? 1)}`);
  if (ranksPerNode !== undefined) chunk.push(`mpiprocs=${ranksPerNode}`);
  if (memBytes !== undefined) chunk.push(`mem=${Math.ceil(memBytes / 1024)}kb`);
  if (gpus !== undefined) {
    chunk.push(`ngpus=${gpus.count}`);
    if (gpus.type !== undefined) chunk.push(`${options["gpu-type"]}=${gpus.type}`);
  }
  if (options.chunk !== undefined) chunk.push(String(options.chunk));
  if (chunk.length === 0 && nodes === undefined) return null;
  return [nodes ?? 1, ...chunk].join(":");
}

/** PBS ends a job at its limit without a warning; the worker keeps the exact limit, and needs the time to end by itself. */
function secondsOf(seconds: number, delaySeconds: number): number {
  return Math.ceil(seconds + Math.max(delaySeconds, LEAST_DELAY_SECONDS));
}

const LEAST_DELAY_SECONDS = 20;

const DEPENDENCY = { ok: "afterok", any: "afterany", fail: "afternotok", each: "afterok" } as const;

/** Whole jobs and whole arrays: PBS knows no dependency on subjobs, nor one by one (qsub(1B), -W depend). */
function dependencyTerm({ kind, natives }: NativeDependency): string {
  for (const { native, indices } of natives) {
    if (indices === null && (kind !== "each" || native.elements === 1)) continue;
    refuse("PBS waits for whole jobs only, not for some of their tasks", "Leave the tasks out of --after");
  }
  return `${DEPENDENCY[kind]}:${natives.map(({ native }) => wholeOf(native.id, native.elements > 1)).join(":")}`;
}

/** `1234.server`, `1234[].server`, on a line of its own. */
function parseSubmitted(stdout: string): { id: string; cluster: string | null } | null {
  const [, id, server] = /^\s*(\d+(?:\[\])?)\.([\w.-]+)\s*$/m.exec(stdout) ?? [];
  return id === undefined ? null : { id, cluster: server ?? null };
}

function isArrayId(id: string): boolean {
  return id.endsWith("[]");
}

/**
 * What the long format says of jobs and of what waits in arrays, and the short one, asked a moment later, of the other
 * elements: the long format of each of them would be far more than a server likes to give.
 */
function parseLive(result: CommandResult): NativeStatus[] {
  refuseFailure(result);
  const { queued = [], others = [] } = Object.groupBy(shortRows(result.stdout), ({ state }) =>
    state === "queued" ? "queued" : "others",
  );
  return [...queued, ...longRows(result.stdout), ...others];
}

function parseFull(result: CommandResult): NativeStatus[] {
  refuseFailure(result);
  return longRows(result.stdout);
}

/**
 * Jobs in the long format, as text: the JSON that qstat prints is invalid for some values of variables, and holds the
 * first of several jobs only in some versions (openpbs issues 1255, 2541, 2672).
 */
function longRows(text: string): NativeStatus[] {
  return jobsOf(text).flatMap(({ id, get }) => statusOf(id, get));
}

type Job = { id: string; get(attribute: string): string | null };

/** `Job Id: 12[].server`, then attributes by name; long values go on in lines that begin with a tab. */
function jobsOf(text: string): Job[] {
  return text
    .split(/^Job Id: /m)
    .slice(1)
    .map((block) => {
      const attributes = new Map<string, string>();
      const lines = block.replaceAll("\n\t", "").split("\n");
      for (const line of lines.slice(1)) {
        const [, name, value = ""] = /^ {4}([\w.]+) = (.*)$/.exec(line) ?? [];
        // Variables may hold lines of any kind; those of PBS come first.
        if (name !== undefined && !attributes.has(name)) attributes.set(name, value.trim());
      }
      return { id: lines[0]?.trim() ?? "", get: (attribute) => attributes.get(attribute) || null };
    });
}

/** An array tells only which of its elements still wait: of the others each has to be asked about. */
function statusOf(idText: string, get: Job["get"]): NativeStatus[] {
  const where = parseId(idText);
  const native = get("job_state");
  if (where === null || native === null) return [];
  const state = STATES[native] ?? "queued";
  const row: NativeStatus = {
    ...where,
    state,
    native,
    reason: get("comment"),
    exitCode: null,
    signal: null,
    node: get("exec_host")?.split("/")[0] ?? null,
    submitted: timeOf(get("ctime")),
    startsAt: state === "queued" ? timeOf(get("estimated.start_time")) : null,
    endedAt: null,
    command: get("Submit_arguments"),
    isVague: false,
  };
  if (native === "H") row.reason = heldBy(get("Hold_Types") ?? "") ?? row.reason;
  if (isArrayId(row.id) && row.indices === null) {
    const waiting = get("array_indices_remaining")?.replaceAll(/\s/g, "") ?? "";
    if (state === "queued" && native !== "B")
      return [{ ...row, indices: /^\d/.test(waiting) ? waiting : null }];
    if (state === "ended") return [{ ...row, isVague: true }];
    return /^\d/.test(waiting)
      ? [{ ...row, state: "queued", native: "Q", node: null, indices: waiting }]
      : [];
  }
  return [state === "ended" ? ended(row, get) : row];
}

/**
 * pbs_job_attributes(7B), Exit_status, and src/include/job.h: below 0 what PBS did, from 256 on the signal that ended
 * the job. Without one the job was deleted before it ran.
 */
function ended(row: NativeStatus, get: Job["get"]): NativeStatus {
  const endedAt = timeOf(get("mtime"));
  if (row.native === "X") return expired(row);
  const status = /^-?\d+$/.exec(get("Exit_status") ?? "")?.[0] ?? null;
  if (status === null) return { ...row, endedAt, state: row.node === null ? "cancelled" : "failed" };
  const code = Number(status);
  const signal = code >= 256 ? code - 256 : null;
  const outcome = { ...row, endedAt, exitCode: signal === null ? code : null, signal };
  if (code === WALLTIME_EXCEEDED || / exceeded resource walltime/.test(row.reason ?? "")) {
    return { ...outcome, state: "timeout" };
  }
  if (signal !== null && hasUsedItsTime(get)) return { ...outcome, state: "timeout" };
  if (signal !== null && / and terminated/.test(row.reason ?? "")) return { ...outcome, state: "cancelled" };
  return { ...outcome, state: code === 0 ? "ended" : "failed" };
}

/** Of an element whose array goes on PBS tells the array's own attributes, but for this comment (src/server/stat_job.c). */
function expired(row: NativeStatus): NativeStatus {
  if (row.reason === "Subjob failed") return { ...row, state: "failed" };
  if (row.reason === "Subjob terminated") return { ...row, state: "cancelled" };
  return row;
}

const WALLTIME_EXCEEDED = -29;

function hasUsedItsTime(get: Job["get"]): boolean {
  const [used, limit] = [get("resources_used.walltime"), get("Resource_List.walltime")].map(secondsIn);
  return used !== undefined && limit !== undefined && used !== null && limit !== null && used >= limit;
}

/** `hh:mm:ss` */
function secondsIn(text: string | null): number | null {
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d)$/.exec(text ?? "") ?? [];
  return hours === undefined ? null : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** The columns are cut, but for the number, the index and the state. */
function shortRows(text: string): NativeStatus[] {
  return text.split("\n").flatMap((line) => {
    const [, idText = "", native = ""] = /^(\d+(?:\[\d*\])?)\.\S*\s.*\s(\S+)\s+\S+\s*$/.exec(line) ?? [];
    const where = parseId(idText);
    // The array itself says nothing of its elements here.
    if (where === null || (isArrayId(where.id) && where.indices === null)) return [];
    const state = STATES[native] ?? "queued";
    const unknown = {
      exitCode: null,
      signal: null,
      node: null,
      submitted: null,
      startsAt: null,
      endedAt: null,
    };
    return [{ ...where, state, native, reason: null, ...unknown, command: null, isVague: state === "ended" }];
  });
}

/** `12.server`, `12[].server`, `12[3].server`; the server's name may be cut. */
function parseId(text: string): { id: string; indices: string | null } | null {
  const [, number, array, index] = /^(\d+)(\[(\d*)\])?/.exec(text.trim()) ?? [];
  if (number === undefined) return null;
  return { id: array === undefined ? number : `${number}[]`, indices: index || null };
}

/** What is known to be over, or not known, is no failure: the other jobs stand in the answer all the same. */
function refuseFailure({ code, stdout, stderr }: CommandResult): void {
  if (code === 0) return;
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const wrong = lines.find((line) => !/Unknown Job Id|Job has finished/i.test(line));
  if (wrong === undefined && lines.length > 0) return;
  throw new JobxError("UNREACHABLE", wrong ?? (stdout.trim().split("\n")[0] || `qstat: exit code ${code}`));
}

/** The user's own jobs of late, finished ones too where PBS keeps them. */
const FIND = [
  "all=-x",
  'ids=$(qselect -x -u "$(id -un)" 2>/dev/null) || { all=; ids=$(qselect -u "$(id -un)") || exit; }',
  'test -z "$ids" || qstat $all -f $(printf "%s\\n" "$ids" | tail -n 200)',
].join("\n");

/** Submissions whose script was given the token. */
function parseFound(stdout: string, token: string) {
  return jobsOf(stdout).flatMap(({ id: text, get }) => {
    const match = /\s(\d+)\+(\d+)\s(\S+)(?: [\d,]+)?$/.exec(get("Submit_arguments") ?? "");
    const where = parseId(text);
    if (where === null || where.indices !== null || match?.[3] !== token) return [];
    const submitted = timeOf(get("ctime")) ?? new Date().toISOString();
    return [{ id: where.id, submitted, firstElement: Number(match[1]), elements: Number(match[2]) }];
  });
}

/** `Fri Jul  1 14:42:57 2022`, in local time. */
function timeOf(text: string | null): string | null {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** Why an element waits or how it ended. */
function explain(status: NativeStatus, job: JobRef): string | null {
  const { state, native, reason, node, signal, exitCode } = status;
  const on = node === null ? "" : ` on ${node}`;
  switch (state) {
    case "queued":
      return whyQueued(status, job);
    case "running":
      return RUNNING[native] ?? null;
    case "ended":
      return `PBS says that it ended${on}, and it left no record`;
    case "cancelled":
      if (node === null && job.spec.run.after.length > 0) {
        return `deleted before it ran: ${predecessors(job)} did not end as --after asks for, or it was cancelled outside of jobx`;
      }
      return "cancelled outside of jobx";
    case "timeout":
      return `PBS ended it${on} at its time limit; ask for more with --time`;
    case "failed":
      if (exitCode !== null && exitCode < 0)
        return `PBS ended it${on}: ${KILLED[exitCode] ?? `Exit_status ${exitCode}`}`;
      return `PBS says that it ended${on} with ${
        signal === null ? (exitCode === null ? "no exit code" : `exit code ${exitCode}`) : `signal ${signal}`
      }${reason === null ? "" : ` (${reason})`}, and it left no record`;
    default:
      return null;
  }
}

const RUNNING: Record<string, string> = {
  S: "suspended by PBS, as for a job of higher priority",
  U: "suspended while somebody works at the machine",
};

/** src/include/job.h, JOB_EXEC_*. */
const KILLED: Record<number, string> = {
  [-1]: "it could not be started; see whether the home and the working folder are there",
  [-2]: "it could not be started; see whether the home and the working folder are there",
  [-3]: "it could not be started for now",
  [-4]: "the node's daemon was restarted",
  [-5]: "the node's daemon was restarted",
  [-6]: "the node's daemon was restarted",
  [-7]: "it could not be restarted from its checkpoint",
  [-10]: "the user or group is not known on the node",
  [-11]: "it was to be run again",
  [-12]: "it was checkpointed and ended",
  [-13]: "a bad password",
  [-14]: "it was to be run again",
  [-15]: "it was to be run again from its checkpoint",
  [-16]: "a hook of the site refused it for now",
  [-17]: "a hook of the site refused it",
  [-18]: "a hook of the site had it run again",
  [-19]: "a hook of the site deleted it",
  [-20]: "the connection between its nodes broke",
  [-21]: "the node's PBS folder is not safe",
  [-22]: "a hook of the site failed",
  [-23]: "no Kerberos credentials",
  [-24]: "it used more CPUs than it asked for; retry with more --cpus",
  [-25]: "it used more CPUs than it asked for; retry with more --cpus",
  [-26]: "it used more virtual memory than allowed",
  [-27]: "out of memory; retry with more --mem",
  [-28]: "it used more CPU time than allowed",
  [-29]: "it reached its time limit; ask for more with --time",
  [-30]: "its nodes could not be joined",
};

function whyQueued({ native, reason, startsAt }: NativeStatus, job: JobRef): string | null {
  if (STATES[native] === undefined) return `PBS says ${native}, which this jobx does not know`;
  if (native === "W") return "its time to begin has not come, or its files could not be staged";
  if (native === "M") return "it was moved to another server, which cannot be asked from here";
  if (native === "H") return HOLDS[reason ?? ""]?.(job) ?? `held${reason === null ? "" : ` (${reason})`}`;
  if (reason === null) return "PBS has not looked at it yet";
  const start =
    startsAt === null || Date.parse(startsAt) < Date.now() ? "" : `; expected to start at ${clock(startsAt)}`;
  const words = COMMENTS.find(([pattern]) => pattern.test(reason))?.[1];
  return `${reason}${words === undefined ? "" : `: ${words}`}${start}`;
}

/** Why a job is held, of several holds the one that only others can release (qhold(1B)). */
function heldBy(types: string): string | null {
  return ["p", "s", "o", "u"].find((type) => types.includes(type))?.replace(/^/, "Hold_Types ") ?? null;
}

const HOLDS: Record<string, (job: JobRef) => string> = {
  "Hold_Types u": () => "held; jobx release lets it start",
  "Hold_Types o": () => "held by an operator",
  "Hold_Types s": (job) =>
    job.spec.run.after.length > 0 || job.spec.options.depend !== undefined
      ? `Dependency: waits for ${predecessors(job)}`
      : "held by PBS or an administrator, as after too many tries to start it",
  "Hold_Types p": () => "held for a bad password",
};

/** Comments of the scheduler (src/scheduler/job_info.cpp). */
const COMMENTS: [RegExp, string][] = [
  [/concurrent running subjobs limit/i, "as many of its tasks run as --parallel allows"],
  [/Can Never Run/i, "it asks for what PBS here cannot give; it will not start"],
  [/Insufficient amount of (queue|server) resource/i, "a limit of the queue or site is reached"],
  [/Insufficient amount of resource/i, "waits for nodes to become free"],
  [/Not enough (free nodes|total nodes)/i, "waits for nodes to become free"],
  [/Queue not started/i, "the queue takes no jobs now"],
  [/has reached .*limit|limit (has been )?reached/i, "a limit on running jobs is reached"],
  [/would conflict with reservation or top job/i, "jobs of higher priority or reservations are ahead"],
  [/would cross dedicated time|prime.?time/i, "it waits for another time of day"],
  [/ineligible state/i, "a node that it needs is down or drained"],
];

/** What to do about refusals. */
const HINTS: [RegExp, string][] = [
  [/illegal -J value/i, "PBS before 2020.1 takes no --parallel: leave it out"],
  [/Array job exceeds/i, "Submit fewer tasks at once, or put several into one element with --pack"],
  [
    /Maximum number of jobs|would exceed/i,
    "Submit fewer tasks at once, or put several into one element with --pack",
  ],
  [/Unknown queue/i, "`qstat -Q` lists the queues"],
  [/queue and\/or server resource limits/i, "`qstat -Qf QUEUE` shows what the queue allows"],
  [/Unknown resource/i, "`-o chunk` and `-o resources` take the resources of this site alone"],
  [/Invalid Account|Invalid project/i, "Name it with --account, or -o project=..."],
  [/Unauthorized Request/i, "PBS lets only its operators do this"],
];

function predecessors(job: JobRef): string {
  return predecessorsOf(job) ?? "what -o depend names";
}

function verb(words: string[], ids: string[]): string[][] {
  return chunks(ids, 500).map((some) => [...words, ...some]);
}

/** `12`, `12[]`, `12[3]`, `12[5-7]`: one range a word. */
function idsOf({ native, indices, isArray }: Target): string[] {
  if (indices === null || !isArray) return [wholeOf(native.id, isArray)];
  return rangesOf(indices).map((range) => `${parseInt(native.id, 10)}[${range}]`);
}

/** qhold(1B): on jobs and job arrays, but not on subjobs or ranges of subjobs. */
function wholeId({ native, indices, isArray }: Target): string {
  if (indices === null) return wholeOf(native.id, isArray);
  return refuse("PBS holds and releases whole arrays only, not some of their tasks", "Name the whole job");
}

function wholeOf(id: string, isArray: boolean): string {
  return isArray && !isArrayId(id) ? `${id}[]` : id;
}

function refuseUnless(holds: boolean, message: string, hint: string): void {
  if (!holds) refuse(message, hint);
}

/**
 * Texts of OpenPBS as its source prints them (src/cmds/qstat.c), with values from public records: attributes from
 * openpbs issues 2541 and 2496, comments from argonne-lcf/user-guides pull request 340, failures from equinor/ert issues
 * 7103 and 7357, openpbs issue 2623 and cylc-flow issue 6531.
 */
function samples(): Sample[] {
  const from = "OpenPBS 19.1.1, openpbs issue 2541";
  const full = (
    native: string,
    state: NativeStatus["state"],
    { stage = "qstat", comment = "", more = [] as string[], is = {} as Partial<NativeStatus> } = {},
  ): Sample => ({
    of: "row",
    stage,
    from,
    row: (job) =>
      longFormat(job, native, state, [...(comment === "" ? [] : [`comment = ${comment}`]), ...more]),
    is: { state, native, ...(comment !== "" && { reason: comment }), ...is },
  });
  const finished = (
    state: NativeStatus["state"],
    status: number | null,
    comment: string,
    is: Partial<NativeStatus> = {},
  ): Sample =>
    full("F", state, {
      stage: "qstat -x",
      comment,
      more: status === null ? [] : [`Exit_status = ${status}`],
      is: { isVague: false, ...is },
    });
  const short = (native: string, state: NativeStatus["state"]): Sample => ({
    of: "row",
    stage: "qstat",
    from: "OpenPBS, openpbs pull request 2496",
    row: (job) =>
      idsIn(job)
        .map(
          (id) =>
            `${id.slice(0, 17).padEnd(17)} STDIN            bayucan                  0 ${native} workq           \n`,
        )
        .join(""),
    is: { state, native, isVague: state === "ended" },
  });
  const failure = (
    is: Extract<Sample, { of: "error" }>["is"],
    code: number,
    source: string,
    stderr: string,
  ): Sample => ({
    of: "error",
    from: source,
    is,
    code,
    stderr,
  });
  const ran = "Job run at Fri Jul 01 at 14:43 on (execute-2:ncpus=1)";
  return [
    {
      of: "submit",
      from: "OpenPBS, openpbs issue 1255",
      stdout: "53.testpbs.nas.nasa.gov\n",
      is: { id: "53", cluster: "testpbs.nas.nasa.gov" },
    },
    {
      of: "submit",
      from: "OpenPBS, openpbs pull request 2237",
      stdout: "10[].Nile-extn\n",
      is: { id: "10[]", cluster: "Nile-extn" },
    },
    { of: "submit", from, stdout: (job) => `${jobId(job)}\n` },
    full("Q", "queued", { comment: "Not Running: Insufficient amount of resource: ncpus" }),
    full("Q", "queued", { comment: "Not Running: Job would conflict with reservation or top job" }),
    full("H", "queued", { more: ["Hold_Types = u"], is: { reason: "Hold_Types u" } }),
    full("W", "queued"),
    full("T", "queued"),
    full("R", "running", { comment: ran }),
    full("E", "running", { comment: ran }),
    full("S", "running"),
    full("U", "running"),
    short("Q", "queued"),
    short("R", "running"),
    short("E", "running"),
    short("X", "ended"),
    full("M", "queued", { stage: "qstat -x" }),
    finished("ended", 0, `${ran} and finished`, { exitCode: 0 }),
    finished("failed", 3, `${ran} and failed`, { exitCode: 3, signal: null }),
    finished("failed", 265, `${ran} and failed`, { exitCode: null, signal: 9 }),
    finished("failed", -27, `${ran} and exceeded resource mem`, { exitCode: -27 }),
    finished("timeout", -29, `${ran} and exceeded resource walltime`),
    finished("cancelled", 271, `${ran} and terminated`, { signal: 15 }),
    full("X", "ended", { stage: "qstat -x", comment: "Subjob finished" }),
    full("X", "failed", { stage: "qstat -x", comment: "Subjob failed", is: { exitCode: null } }),
    full("X", "cancelled", { stage: "qstat -x", comment: "Subjob terminated" }),
    {
      of: "status",
      stage: "qstat -x",
      from: "PBS Professional, deleted before it ran: argonne-lcf/user-guides pull request 340",
      stdout:
        "Job Id: 7.pbs\n    Job_Name = train\n    job_state = F\n    comment = Not Running: Node is in an ineligible state: down and terminated\n\n",
      is: [{ id: "7", state: "cancelled", exitCode: null, node: null }],
    },
    {
      of: "status",
      stage: "qstat",
      from: "an array that has begun, as src/server/array_func.c keeps it",
      stdout:
        "Job Id: 10[].Nile-extn\n    Job_Name = STDIN\n    job_state = B\n    array = True\n    array_state_count = Queued:8 Running:1 Exiting:0 Expired:1 \n    array_indices_submitted = 1-10\n    array_indices_remaining = 2,4-10\n\n",
      is: [{ id: "10[]", indices: "2,4-10", state: "queued", native: "Q" }],
    },
    {
      of: "status",
      stage: "qstat",
      from: "PBS Professional, all of an array running: Sydney Informatics Hub's training, qstat -f 2597100[]",
      stdout:
        "Job Id: 2597100[].pbsserver\n    job_state = B\n    Submit_arguments = array_demo.pbs\n    array = True\n    array_state_count = Queued:0 Running:10 Exiting:0 Expired:0\n    array_indices_submitted = 1-10\n\n",
      is: [],
    },
    {
      of: "status",
      stage: "qstat",
      from: "PBS Professional, jaci: one of two jobs is over",
      code: 35,
      stdout: "Job Id: 7.pbs-ha\n    job_state = R\n    exec_host = n1/0*4+n2/0*4\n\n",
      stderr: "qstat: 287529.pbs-ha Job has finished, use -x or -H to obtain historical job information\n",
      is: [{ id: "7", state: "running", node: "n1" }],
    },
    {
      of: "status",
      stage: "qstat",
      from: "PBS Professional",
      code: 153,
      stderr: "qstat: Unknown Job Id 2315.pbs\n",
      is: [],
    },
    {
      of: "status",
      stage: "qstat -x",
      from: "src/lib/Liblog/pbs_messages.c, msg_job_history_notset",
      code: 36,
      stderr: "qstat: PBS is not configured to maintain job history\n",
      is: "no answer",
    },
    {
      of: "status",
      stage: "qstat",
      from: "PBS 2022.1.7, cylc-flow issue 6531",
      code: 162,
      stderr: "Connection timed out\nqstat: cannot connect to server google.com (errno=15010)\n",
      is: "no answer",
    },
    failure(
      "transient",
      162,
      "OpenPBS, equinor/ert issue 7103",
      "Connection refused\nqsub: cannot connect to server s034-lc (errno=15010)\n",
    ),
    failure("transient", 171, "OpenPBS, equinor/ert issue 7103", "qsub: Invalid credential\n"),
    failure(
      "transient",
      171,
      "OpenPBS, equinor/ert issue 7357",
      "pbs_iff: cannot connect to host\npbs_iff: all reserved ports in use\nqstat: Invalid credential 536403.s034-lcam\n",
    ),
    failure("uncertain", 183, "OpenPBS, equinor/ert issue 7103", "qsub: Premature end of message\n"),
    failure("gone", 35, "OpenPBS, equinor/ert issue 7103", "qdel: Job has finished 484874.s034-lcam\n"),
    failure(
      "gone",
      168,
      "OpenPBS, equinor/ert issue 7103",
      "qdel: Request invalid for state of job 486044.s034-lcam\n",
    ),
    failure("gone", 153, "PBS Professional", "qdel: Unknown Job Id 2315.pbs\n"),
    failure(
      "array",
      1,
      "src/lib/Liblog/pbs_messages.c, msg_maxarraysize",
      "qsub: Array job exceeds server or queue size limit\n",
    ),
    failure("refused", 170, "src/lib/Liblog/pbs_messages.c, msg_unkque", "qsub: Unknown queue\n"),
    failure("refused", 2, "src/cmds/qsub.c of before 2020.1, -J 0-9%2", "qsub: illegal -J value\n"),
    {
      of: "limits",
      from: "pbs_server_attributes(7B) and qstat(1B), -B -f",
      stdout: ({ cluster, maxArraySize }) =>
        `Server: ${cluster}\n    server_state = Active\n    server_host = ${cluster}\n    scheduling = True\n    max_array_size = ${maxArraySize}\n    pbs_version = 23.06.06\n\n`,
    },
    {
      of: "limits",
      from: "where it is not set",
      stdout: "Server: dev\n    server_state = Active\n\n",
      is: { cluster: null, maxArraySize: 10_000 },
    },
    { of: "find", from, stdout: (jobs) => jobs.map((job) => longFormat(job, "Q", "queued", [])).join("") },
    {
      of: "variables",
      from: "qsub(1B), ENVIRONMENT VARIABLES",
      variables: (job) => ({
        PBS_JOBID: idsIn(job)[0] ?? "",
        PBS_ENVIRONMENT: "PBS_BATCH",
        ...(job.range && { PBS_ARRAY_INDEX: `${job.range.first}`, PBS_ARRAY_ID: jobId(job) }),
      }),
      is: { rank: 0 },
    },
  ];
}

/** A job as `qstat -f` prints it: what waits of an array as the array, anything else by itself. */
function longFormat(job: SampleJob, native: string, state: NativeStatus["state"], more: string[]): string {
  const waits = job.range !== null && state === "queued";
  const { first, last } = job.range ?? { first: 0, last: 0 };
  const start = state === "queued" ? [] : [`exec_host = ${job.hosts.map((host) => `${host}/0`).join("+")}`];
  const attributes = [
    `Job_Name = ${job.name}`,
    `Job_Owner = ${job.user}@login1`,
    `job_state = ${native}`,
    "queue = workq",
    "server = pbs",
    `ctime = ${local(job.submitted)}`,
    ...start,
    `mtime = ${local(job.ended)}`,
    'Variable_List = PBS_O_HOME=/home/ann,BASH_FUNC_ml%%=() {  eval $($LMOD_CMD bash "$@")\n}',
    ...more,
    `Submit_arguments = -N ${job.name} -j oe -o /dev/null -- /bin/bash ${[job.script, ...job.arguments].join(" ")}`,
    ...(waits
      ? ["array = True", `array_indices_remaining = ${first === last ? first : `${first}-${last}`}`]
      : []),
  ];
  const id = waits ? jobId(job) : idsIn(job)[0];
  return `Job Id: ${id}\n${attributes.map((line) => `    ${line}\n`).join("")}\n`;
}

function jobId({ id, range }: SampleJob): string {
  return `${parseInt(id, 10)}${range === null ? "" : "[]"}.pbs`;
}

function idsIn({ id, range }: SampleJob): string[] {
  const number = parseInt(id, 10);
  if (range === null) return [`${number}.pbs`];
  return Array.from(
    { length: range.last - range.first + 1 },
    (_, at) => `${number}[${range.first + at}].pbs`,
  );
}

/** `Fri Jul  1 14:42:57 2022`, local time. */
function local(time: Date): string {
  const [day, month, date, clockTime] = [
    time.toLocaleDateString("en", { weekday: "short" }),
    time.toLocaleDateString("en", { month: "short" }),
    String(time.getDate()).padStart(2),
    time.toTimeString().slice(0, 8),
  ];
  return `${day} ${month} ${date} ${clockTime} ${time.getFullYear()}`;
}
