import {
  chunks,
  type CommandResult,
  defineScheduler,
  type Finding,
  type JobRef,
  JobxError,
  type NativeArray,
  type NativeStatus,
  NO_STATUS,
  option,
  predecessorsOf,
  rangesOf,
  refuse,
  type Resources,
  type Sample,
  type SampleJob,
  shellWords,
  type SpecDraft,
  type Target,
  wordsOf,
} from "../src/plugin.ts";

/** Options of qsub(1) with one value that are passed on as they are. */
const PASSED = {
  "account-string": option.string("Text for the accounting records, as qsub's -A"),
  priority: option.number("Priority; above 0 for operators only", { min: -1023, max: 1024, integer: true }),
  ckpt: option.string("Checkpointing environment, by which a job that is suspended moves away"),
  begin: option.string("Not to start before this time", { placeholder: "[[CC]YY]MMDDhhmm[.SS]" }),
  deadline: option.string("Time by which it should have started", { placeholder: "[[CC]YY]MMDDhhmm[.SS]" }),
  "mail-type": option.string("When mail is sent: at begin, end, abort, suspension", {
    placeholder: "b|e|a|s|n",
  }),
  "mail-user": option.string("Who gets that mail"),
  binding: option.string("How it is bound to cores, as qsub's -binding", { placeholder: "linear:N|..." }),
  reservation: option.string("Advance reservation to use, by its number"),
  verify: option.choice("e: refuse what can never start; w: only warn of it", ["e", "w", "n"]),
};

/** Their flags. */
const FLAGS: Record<keyof typeof PASSED, string> = {
  "account-string": "-A",
  priority: "-p",
  ckpt: "-ckpt",
  begin: "-a",
  deadline: "-dl",
  "mail-type": "-m",
  "mail-user": "-M",
  binding: "-binding",
  reservation: "-ar",
  verify: "-w",
};

/**
 * Submits to Grid Engine. Facts are from qsub(1), qstat(1), qacct(1), accounting(5) and sge_ckpt(1) and from trials on
 * Son of Grid Engine 8.1.9.
 */
export default defineScheduler({
  contract: 1,
  name: "sge",
  description: "Submits to the Grid Engine cluster of this machine: one native array per job",
  capabilities: { arrays: true, ranks: true, nodes: true, requeue: true, dependencies: true },
  // OpenPBS and Torque have a qsub and a qstat as well.
  detect: ["qconf", "qsub", "qstat", "qdel"],

  options: {
    queue: option.string("Queue to submit to; --partition wins", { placeholder: "NAME[,NAME...]" }),
    project: option.string("Project to charge; --account wins"),
    l: option.string("Resources that it must have", { placeholder: "NAME=VALUE,..." }),
    soft: option.string("Resources that it should have", { placeholder: "NAME=VALUE,..." }),
    pe: option.string("Parallel environment for several CPUs or ranks on one node; with SLOTS for any job", {
      placeholder: "NAME [SLOTS]",
      default: "smp",
    }),
    "pe-nodes": option.string(
      "Parallel environment for several nodes; it has to give each the same number of slots",
      {
        default: "mpi",
      },
    ),
    "mem-resource": option.string("The resource that --mem asks for", { default: "mem_free" }),
    "mem-per-slot": option.boolean("Ask for a slot's share of --mem, where the site counts it per slot", {
      default: false,
    }),
    "gpu-resource": option.string("The resource that --gpus asks for", { default: "gpu" }),
    "gpus-per-slot": option.boolean("Ask for a slot's share of --gpus, rounded up", { default: false }),
    notify: option.boolean("Warn the job before it is killed, so that it can leave in good order", {
      default: true,
    }),
    "hold-jid": option.string("Grid Engine's own dependencies, besides --after", { placeholder: "ID,..." }),
    reserve: option.boolean("Reserve slots for a large job, as qsub's -R"),
    ...PASSED,
    extra: option.string("Any other options of qsub, as on its command line", { placeholder: "-FLAG ..." }),
  },

  validate,
  script,
  submit: { argv: qsubArgv, parse: parseSubmitted },
  status: [
    {
      name: "qstat",
      scope: "user",
      // Its default is the caller's own jobs. Names of users are not the same on every host, and -u takes no numbers.
      argv: ({ users }) => [["qstat", "-xml", "-s", "a", ...(users.every(isCaller) ? [] : ["-u", "*"])]],
      parse: (results) => results.flatMap(parseQstat),
    },
    {
      name: "qstat -j",
      scope: "ids",
      argv: ({ ids }) => [["qstat", "-j", ids.join(",")]],
      parse: (results) => results.flatMap(parseErrors),
    },
    {
      name: "qacct",
      scope: "ids",
      argv: ({ ids }) => ids.slice(0, MOST_ACCOUNTS).map((id) => ["qacct", "-j", id]),
      parse: (results) => results.flatMap(parseQacct),
    },
  ],
  explain,

  cancel: (targets) => verb(["qdel"], targets),
  hold: (targets) => verb(["qhold", "-h", "u"], targets),
  release: (targets) => verb(["qrls", "-h", "u"], targets),
  requeue: (targets) => verb(["qmod", "-rj"], targets),
  goneErrors: [
    /denied: job(-array task)? "?[\d.]+"? does not exist/i,
    /invalid queue or job/i,
    /already in deletion/i,
  ],

  limits: {
    argv: ["qconf", "-sconf"],
    parse: (stdout) => ({ cluster: null, maxArraySize: mostTasks(stdout) }),
  },
  examine: [
    { argv: ["qconf", "-sconf"], parse: examineConfiguration },
    { argv: ["qconf", "-spl"], parse: examineEnvironments },
    { argv: ["qacct", "-j", "1"], parse: examineAccounting },
  ],
  // What ended at once is no more with qstat, and what runs is not yet with qacct.
  find: {
    argv: (_uid, token) => [
      "sh",
      "-c",
      'qstat -xml -j "$1" && { qacct -j "$1" 2>/dev/null || true; }',
      "find",
      `*.${token}.*`,
    ],
    parse: parseFound,
  },

  transientErrors: [
    /unable to (contact|connect to|send message to) qmaster/i,
    /commlib error/i,
    /got (select|send|read|receive) (error|timeout)/i,
    /failed receiving gdi request/i,
    /Error reading answer list from qmaster/i,
    /qmaster (is )?(not running|unreachable)/i,
    /communication error/i,
  ],
  uncertainErrors: [
    /got (read|receive) (error|timeout)/i,
    /failed receiving gdi request/i,
    /send timeout/i,
    /Error reading answer list/i,
  ],
  hint: (refusal) => HINTS.find(([pattern]) => pattern.test(refusal))?.[1] ?? null,
  keepVariables: ["SGE_ROOT", "SGE_CELL", "SGE_CLUSTER_NAME", "SGE_QMASTER_PORT", "SGE_EXECD_PORT"],
  storesEnvironment: true,
  waitsForAnyEnd: true,

  environment: (env) => ({
    element: Number(env.JOBX_ELEMENT ?? numberOf(env.SGE_TASK_ID, 1) - 1),
    rank: 0,
    restarts: numberOf(env.RESTARTED, 0),
    hostnames: env.JOBX_HOSTLIST ? env.JOBX_HOSTLIST.split(",") : null,
  }),

  get samples() {
    return samples();
  },
});

/** What only jobx may say to qsub, and what says it in jobx. */
const RESERVED: Record<string, string> = {
  "-t": "Use --array, --sweep or --params of jobx submit",
  "-tc": "Use --parallel",
  "-N": "Use --name",
  "-o": "`jobx logs` shows the output",
  "-e": "`jobx logs` shows the output",
  "-j": "`jobx logs` shows the output",
  "-terse": "jobx reads qsub's answer, which needs it as it is",
  "-b": "Write the command after --",
  "-S": "The script is jobx's own and needs bash",
  "-sync": "Use jobx submit --wait",
  "-V": "Use --env and --clean-env",
  "-r": "Use --requeue or --no-requeue",
  "-notify": "Use -o notify=true|false",
  "-wd": "Use --cwd",
  "-cwd": "Use --cwd",
};

function validate({ options, resources }: SpecDraft): void {
  if (resources.qos !== undefined) {
    refuse(`--qos ${resources.qos}: Grid Engine has no QOS`, "Use -o project=NAME or -o l=NAME=VALUE");
  }
  if (resources.gpus?.type !== undefined) {
    refuse(
      `--gpus ${resources.gpus.type}:${resources.gpus.count}: Grid Engine has no types of GPUs of its own`,
      "Ask with --gpus N for their number and with -o l=NAME=VALUE for what your site calls that type",
    );
  }
  for (const word of wordsOf(options.extra)) {
    const instead = RESERVED[word];
    if (instead !== undefined) refuse(`-o extra: ${word} is jobx's own to give`, instead);
  }
}

/** qsub(1): a job that exits with it is run again, without a command that only submit hosts may run. */
const AGAIN = 99;

/** What an earlier run may take to leave once it was warned. */
const HANDOVER_SECONDS = 10;

/** What Grid Engine sets in a job (qsub(1), "ENVIRONMENTAL VARIABLES") and tasks shall see. */
const VARIABLES =
  "ARC JOB_ID JOB_NAME JOB_SCRIPT NHOSTS NQUEUES NSLOTS PE PE_HOSTFILE QUEUE REQUEST RESTARTED TMPDIR TMP SGE_* CUDA_VISIBLE_DEVICES";

/**
 * The script of every element: $1 is the first element of its array, $2 the native indices that are meant where they
 * are not all. It opens its log itself, since Grid Engine counts from 1 and can only write that number into a path.
 */
function script(array: NativeArray): string {
  const { spec, worker, resources } = array;
  const lines = [
    "#!/bin/bash",
    `# jobx ${spec.version}, job ${spec.id}: runs element $1 + the array's index.`,
    "trap '' USR1 USR2 TERM",
    "index=0",
    'case ${SGE_TASK_ID-} in "" | undefined) ;; *) index=$((SGE_TASK_ID - 1)) ;; esac',
    'case ,${2-}, in ,, | *",$index,"*) ;; *) exit 0 ;; esac',
    "export JOBX_ELEMENT=$((${1-0} + index))",
    `log=${array.log(
      () => '"$JOBX_ELEMENT"',
      (path) => shellWords([path]),
    )}`,
    '{ : >>"$log"; } 2>/dev/null && exec >>"$log" 2>&1',
    `cd ${shellWords([spec.cwd])} 2>/dev/null || cd /`,
    "export JOBX_RESTARTS=${RESTARTED:-0}",
    // With -notify it may start here while its earlier run still leaves.
    `export JOBX_HANDOVER_SECONDS=${HANDOVER_SECONDS}`,
    `export JOBX_SCHEDULER_VARIABLES='${VARIABLES}'`,
    // Only of a suspension, which needs no answer.
    "export JOBX_IGNORED_SIGNALS=SIGUSR1",
    'if test -r "${PE_HOSTFILE-}"; then',
    '  while read -r host _; do JOBX_HOSTLIST=${JOBX_HOSTLIST:+$JOBX_HOSTLIST,}$host; done <"$PE_HOSTFILE"',
    "  export JOBX_HOSTLIST",
    "fi",
  ];
  if (resources.timeSeconds !== undefined) lines.push(`export JOBX_ELEMENT_SECONDS=${limitOf(array)}`);
  if (spec.run.requeue !== false) lines.push(`export JOBX_REQUEUE_EXIT_CODE=${AGAIN}`);
  if (spec.run.after.length > 0) lines.push("export JOBX_JUDGE_AFTER=yes");
  if ((spec.resources.nodes ?? 1) > 1) lines.push(...rankLines(spec.resources));
  return [...lines, `exec ${shellWords(worker)}`, ""].join("\n");
}

/** What starts ranks on several nodes. On one node the worker starts them itself. */
function rankLines({ nodes = 1, ranksPerNode = 1 }: Resources): string[] {
  const words = ["bash", "-c", LAUNCHER, "ranks", String(nodes), String(ranksPerNode)];
  return [
    `export JOBX_RANK_COMMAND=${shellWords([JSON.stringify(words)])}`,
    "export JOBX_RANK_VARIABLES='JOBX_PE_RANK JOBX_PE_LOCAL_RANK'",
  ];
}

/**
 * Starts what follows it once per rank: a bash on each host of PE_HOSTFILE, by qrsh -inherit where it is another host,
 * which is sent its environment, its folder and its words on standard input, and after that the names of signals: qrsh
 * hands on neither (qrsh(1), -inherit). When one rank fails, the others are ended.
 */
const LAUNCHER = `
nodes=$1 per_node=$2
shift 2
mapfile -t hosts < <(while read -r host slots _; do echo "$host"; done <"$PE_HOSTFILE")
if test "\${#hosts[@]}" != "$nodes"; then
  echo "jobx: the parallel environment gave \${#hosts[@]} hosts instead of $nodes: \${hosts[*]}; see -o pe-nodes in jobx help sge" >&2
  exit 1
fi
node='
set -m
trap : USR1 USR2
text=
while IFS= read -r line && test "$line" != "#go"; do text+=$line; printf -v text "%s\\n" "$text"; done
mine=$(declare -p HOSTNAME TMPDIR TMP CUDA_VISIBLE_DEVICES 2>/dev/null)
eval "$text"
eval "$mine"
left=()
for ((at = 0; at < count; at++)); do
  JOBX_PE_RANK=$((first + at)) JOBX_PE_LOCAL_RANK=$at "\${words[@]}" </dev/null &
  left+=($!)
done
exec 2>/dev/null
code=0
while test \${#left[@]} -gt 0; do
  if read -r -t 0.2 signal; then
    if test "$signal" = KILL; then for pid in "\${left[@]}"; do kill -KILL -- "-$pid"; done
    else kill "-$signal" "\${left[@]}"; fi 2>/dev/null
  elif test $? -le 128; then
    for pid in "\${left[@]}"; do kill -KILL -- "-$pid" 2>/dev/null; done
  fi
  still=()
  for pid in "\${left[@]}"; do
    if kill -0 "$pid" 2>/dev/null; then still+=("$pid"); continue; fi
    wait "$pid" && continue
    code=1
  done
  left=("\${still[@]}")
  if test $code != 0 -a -z "$told" -a \${#left[@]} -gt 0; then told=yes; kill -USR1 "\${left[@]}" 2>/dev/null; fi
done
exit $code
'
folder=$(mktemp -d) || exit 1
left=() pipes=()
send() { for pipe in "\${pipes[@]}"; do echo "$1" >&"$pipe"; done 2>/dev/null; }
trap '' PIPE
for ((at = 0; at < nodes; at++)); do
  mkfifo "$folder/$at"
  if test "\${hosts[at]%%.*}" = "$(uname -n | cut -d. -f1)"; then bash -c "$node" <"$folder/$at" &
  else (trap '' USR1 USR2; exec qrsh -inherit "\${hosts[at]}" /bin/bash -c "$node" <"$folder/$at") & fi
  left+=($!)
  exec {pipe}>"$folder/$at"
  pipes+=("$pipe")
  {
    export -p
    printf 'cd %q\nwords=(' "$PWD"
    printf '%q ' "$@"
    printf ')\nfirst=%d count=%d\n#go\n' $((at * per_node)) "$per_node"
  } >&"$pipe"
done
rm -r "$folder"
trap 'send USR2' USR2
trap 'send USR1' USR1
trap 'send KILL' TERM
code=0
while test \${#left[@]} -gt 0; do
  # bash before 4.3 has no -n
  wait -n 2>/dev/null || sleep 0.2
  still=()
  for pid in "\${left[@]}"; do
    if kill -0 "$pid" 2>/dev/null; then still+=("$pid"); continue; fi
    wait "$pid" || { test $code != 0 || send USR1; code=1; }
  done
  left=("\${still[@]}")
done
exit $code
`;

/** Everything is on the command line, where no line of the script and no default request beats it (sge_request(5)). */
function qsubArgv(array: NativeArray, path: string): string[] {
  const { spec, firstElement, elements, parallel } = array;
  const { run, options } = spec;
  const argv = ["qsub", "-terse", "-b", "n", "-S", "/bin/bash", "-wd", "/", "-o", "/dev/null", "-j", "y"];
  argv.push("-N", jobName(array), "-r", run.requeue === false ? "n" : "y");
  if (options.notify !== false) argv.push("-notify");
  if (array.isArray) {
    const indices = array.indices ?? [0, elements - 1];
    argv.push("-t", `${Math.min(...indices) + 1}-${Math.max(...indices) + 1}`);
    if (parallel !== null) argv.push("-tc", String(parallel));
  }
  argv.push(...resourceFlags(array), ...dependencyFlags(array));
  for (const [name, flag] of Object.entries(FLAGS)) {
    if (options[name] !== undefined) argv.push(flag, String(options[name]));
  }
  if (options.reserve === true) argv.push("-R", "y");
  if (options.soft !== undefined) argv.push("-soft", "-l", String(options.soft), "-hard");
  argv.push(...wordsOf(options.extra), path, String(firstElement));
  return array.indices === null ? argv : [...argv, array.indices.join(",")];
}

/**
 * What the user calls it, then what it is found again by: the token, and which elements it holds. A name begins with a
 * letter and has none of / : @ \ * ? and spaces; what is not ASCII breaks qsub.
 */
function jobName({ spec, firstElement, elements }: NativeArray): string {
  const name = spec.name.replaceAll(/[^\w.-]+/g, "_").slice(0, MOST_NAME);
  return `${/^[A-Za-z]/.test(name) ? "" : "j"}${name}.${spec.token}.${firstElement}+${elements}`;
}

const MOST_NAME = 200;

/** Only what the user asked for: many sites reject more. */
function resourceFlags(array: NativeArray): string[] {
  const { spec, resources } = array;
  const { options } = spec;
  const { memBytes, timeSeconds, gpus, cpus, ranksPerNode, nodes = 1 } = resources;
  const own = nodes > 1 ? (options["pe-nodes"] ?? "mpi") : options.pe;
  const [environment = "smp", fixed] = wordsOf(own);
  const asked = (cpus ?? 1) * (ranksPerNode ?? 1) * nodes;
  const slots = fixed === undefined ? asked : Number(fixed);
  const flags: string[] = [];
  const queue = resources.partition ?? options.queue;
  const project = resources.account ?? options.project;
  if (queue !== undefined) flags.push("-q", String(queue));
  if (project !== undefined) flags.push("-P", String(project));
  if (slots > 1 || fixed !== undefined) flags.push("-pe", environment, String(slots));
  const wanted: string[] = [];
  if (timeSeconds !== undefined) wanted.push(`h_rt=${limitOf(array)}`);
  if (memBytes !== undefined) {
    const share = options["mem-per-slot"] === true ? (memBytes * nodes) / slots : memBytes;
    wanted.push(`${String(options["mem-resource"] ?? "mem_free")}=${Math.ceil(share / 1024)}K`);
  }
  if (gpus !== undefined) {
    const share = options["gpus-per-slot"] === true ? Math.ceil((gpus.count * nodes) / slots) : gpus.count;
    wanted.push(`${String(options["gpu-resource"] ?? "gpu")}=${share}`);
  }
  if (options.l !== undefined) wanted.push(String(options.l));
  return wanted.length === 0 ? flags : [...flags, "-l", wanted.join(",")];
}

/** Grid Engine kills at the limit: the worker, which keeps the exact one, needs time to end by itself. */
function limitOf({ spec, resources }: NativeArray): number {
  return Math.ceil((resources.timeSeconds ?? 0) + Math.max(spec.run.signalDelaySeconds, LEAVING_SECONDS));
}

const LEAVING_SECONDS = 20;

/** It waits for ends, whatever they are like; whether they are the wanted ones, the worker judges by the records. */
function dependencyFlags({ after, spec, isArray }: NativeArray): string[] {
  const isPaired = (kind: string) => kind === "each" && isArray;
  const idsOf = (chosen: typeof after) =>
    chosen.flatMap(({ natives }) => natives.map(({ native }) => native.id));
  const whole = idsOf(after.filter(({ kind }) => !isPaired(kind)));
  const paired = idsOf(after.filter(({ kind }) => isPaired(kind)));
  if (spec.options["hold-jid"] !== undefined) whole.push(String(spec.options["hold-jid"]));
  return [
    ...(whole.length === 0 ? [] : ["-hold_jid", [...new Set(whole)].join(",")]),
    ...(paired.length === 0 ? [] : ["-hold_jid_ad", paired.join(",")]),
  ];
}

/** With -terse `4` or `233.2-8:3`, else a sentence; whatever a site prints around it. */
function parseSubmitted(stdout: string): { id: string; cluster: string | null } | null {
  const line =
    /^\s*(\d+)(?:\.\d+-\d+:\d+)?\s*$/m.exec(stdout) ??
    /Your job(?:-array)? (\d+)[ .].*has been submitted/.exec(stdout);
  return line?.[1] === undefined ? null : { id: line[1], cluster: null };
}

function isCaller(uid: string): boolean {
  return uid === String(process.getuid?.() ?? 0);
}

/** qstat -xml: running tasks one by one, waiting ones together. */
function parseQstat(result: CommandResult): NativeStatus[] {
  if (result.code !== 0 || !result.stdout.includes("<job_info")) throw noAnswer("qstat", result);
  return [...result.stdout.matchAll(/<job_list\b[^>]*>([\s\S]*?)<\/job_list>/g)].flatMap(([, text = ""]) => {
    const field = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]?.trim() ?? "";
    const native = field("state");
    const id = field("JB_job_number");
    if (id === "" || native === "") return [];
    const tasks = field("tasks");
    const state = stateOf(native);
    return [
      {
        ...NO_STATUS,
        id,
        indices: tasks === "" ? null : indicesOf(tasks),
        state,
        native,
        node: given(/@(.+)$/.exec(field("queue_name"))?.[1] ?? ""),
        submitted: timeOf(field("JB_submission_time")),
        command: given(field("JB_name")),
        isVague: state === "failed",
        neverStarted: state === "failed",
      },
    ];
  });
}

/** qstat -j, of which only why a job cannot be started is read. An id that is not known is no error. */
function parseErrors(result: CommandResult): NativeStatus[] {
  if (result.code !== 0 && !/do not exist/i.test(result.stdout + result.stderr))
    throw noAnswer("qstat", result);
  return result.stdout.split(/^={10,}$/m).flatMap((text) => {
    const id = fieldOf(text, "job_number");
    const isArray = fieldOf(text, "job-array tasks") !== "";
    return [...text.matchAll(/^error reason\s+(\d+):\s+(?:[\d/]+ [\d:]+ )?(?:\[[\d:]+\]: )?(.*)$/gm)].map(
      ([, task = "1", reason = ""]): NativeStatus => ({
        ...NO_STATUS,
        id,
        indices: isArray ? String(Number(task) - 1) : null,
        state: "failed",
        native: "Eqw",
        neverStarted: true,
        reason: reason.replace(/^error: /, "").trim(),
        command: given(fieldOf(text, "job_name")),
      }),
    );
  });
}

/** qacct -j: one block per task and run, the last run last; a job that is not there yet is no error. */
function parseQacct(result: CommandResult): NativeStatus[] {
  if (result.code !== 0) {
    if (isUnknown(result)) return [];
    throw noAnswer("qacct", result);
  }
  return result.stdout.split(/^={10,}$/m).flatMap((text) => {
    const field = (name: string) => fieldOf(text, name);
    const id = field("jobnumber");
    if (id === "") return [];
    const task = field("taskid");
    const failed = Number.parseInt(field("failed"), 10) || 0;
    const exitCode = Number.parseInt(field("exit_status"), 10) || 0;
    const native = failed === 0 ? (exitCode === 0 ? "exited" : "exited with a code") : `failed ${failed}`;
    return [
      {
        ...NO_STATUS,
        id,
        indices: task === "" || task === "undefined" ? null : String(Number(task) - 1),
        state: endOf(failed, exitCode),
        native,
        reason: given(field("failed").replace(/^\d+\s*:?\s*/, "")),
        exitCode,
        signal: failed === 100 && exitCode > 128 ? exitCode - 128 : null,
        node: given(field("hostname")),
        submitted: timeOf(field("qsub_time")),
        endedAt: timeOf(field("end_time")),
        command: given(field("jobname")),
      },
    ];
  });
}

/** Jobs by the names that `jobName` gave them, as qstat -xml -j and qacct -j print them. */
function parseFound(stdout: string, token: string) {
  const found = new Map<string, { id: string; submitted: string; firstElement: number; elements: number }>();
  const add = (id: string | undefined, name: string | undefined, submitted: string | null) => {
    const match = /\.([\w-]+)\.(\d+)\+(\d+)$/.exec(name ?? "");
    if (id === undefined || match?.[1] !== token || found.has(id)) return;
    const at = submitted ?? new Date().toISOString();
    found.set(id, { id, submitted: at, firstElement: Number(match[2]), elements: Number(match[3]) });
  };
  for (const text of stdout.split("<JB_job_number>").slice(1)) {
    const seconds = /<JB_submission_time>(\d+)/.exec(text)?.[1];
    const at = seconds === undefined ? null : new Date(Number(seconds) * 1000).toISOString();
    add(/^(\d+)/.exec(text)?.[1], /<JB_job_name>([^<]*)/.exec(text)?.[1], at);
  }
  for (const text of stdout.split(/^={10,}$/m).slice(1)) {
    add(fieldOf(text, "jobnumber"), fieldOf(text, "jobname"), timeOf(fieldOf(text, "qsub_time")));
  }
  return [...found.values()];
}

/**
 * qstat's states are letters, sge_status(5): E cannot start, z is over, w and q wait, t and r run, s S T are suspended; h
 * held, R has run before and d is being deleted change nothing of that. A state that nobody knows is no end.
 */
function stateOf(native: string): NativeStatus["state"] {
  if (!isKnown(native)) return "queued";
  if (native.includes("E")) return "failed";
  if (native.includes("z")) return "ended";
  return /[wq]/.test(native) ? "queued" : "running";
}

function isKnown(native: string): boolean {
  return /^[EzwqtrsSThRd]+$/.test(native);
}

/** What qacct's `failed` means, sge_status(5): 24 and 25 were to run again, 37 is a limit, all others have failed. */
function endOf(failed: number, exitCode: number): NativeStatus["state"] {
  if (failed === 0) return exitCode === 0 ? "ended" : "failed";
  if (failed === 24 || failed === 25) return "ended";
  return failed === 37 ? "timeout" : "failed";
}

/** `3-10:1`, `6,7`, `1-9:2`, counted from 1, as native indices. */
function indicesOf(tasks: string): string {
  return tasks
    .split(",")
    .map((part) => {
      const [, first = "", last = first, step = "1"] =
        /^(\d+)(?:-(\d+))?(?::(\d+))?$/.exec(part.trim()) ?? [];
      const from = Number(first) - 1;
      const to = Number(last) - 1;
      if (from === to) return String(from);
      if (step === "1") return `${from}-${to}`;
      const count = Math.floor((to - from) / Number(step)) + 1;
      return Array.from({ length: count }, (_, at) => from + at * Number(step)).join(",");
    })
    .join(",");
}

/** Local time without a zone: `2026-11-22T14:50:54`, `Sun Nov 22 19:48:45 2026`, `-/-`. */
function timeOf(text: string): string | null {
  const time = /\d{4}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** What stands beside a name, as qacct prints it, and qstat -j with a colon; "" where there is nothing. */
function fieldOf(text: string, name: string): string {
  return new RegExp(`^${name}:? +(\\S.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
}

function given(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}

function numberOf(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : otherwise;
}

function noAnswer(command: string, result: CommandResult): JobxError {
  return new JobxError("UNREACHABLE", `${command}: ${complaintOf(result)}`);
}

function complaintOf({ code, stderr, stdout }: CommandResult): string {
  return (stderr.trim() || stdout.trim()).split("\n")[0] || `exit code ${code}`;
}

/** sge_conf(5), max_aj_tasks: 75,000 by default, and 0 for no limit. */
function mostTasks(configuration: string): number | null {
  const most = Number(/^max_aj_tasks\s+(\d+)/m.exec(configuration)?.[1] ?? 75_000);
  return most === 0 ? null : most;
}

function examineConfiguration(result: CommandResult): Finding[] {
  if (result.code !== 0) {
    const mend = "Ask `qstat`: the qmaster is down, or cannot be reached from this host";
    return [{ name: "qmaster", verdict: "fail", detail: complaintOf(result), mend }];
  }
  const most = mostTasks(result.stdout) ?? "any number of";
  const found: Finding[] = [{ name: "limits", verdict: "ok", detail: `arrays of ${most} tasks`, mend: null }];
  const least = numberOf(/^min_uid\s+(\d+)/m.exec(result.stdout)?.[1], 0);
  const own = process.getuid?.() ?? 0;
  if (own < least) {
    const detail = `it takes no jobs of user id ${own}: min_uid is ${least}`;
    found.push({ name: "user", verdict: "fail", detail, mend: "Submit as another user" });
  }
  return found;
}

function examineEnvironments(result: CommandResult): Finding[] {
  const name = "parallel environments";
  if (result.code !== 0) {
    const mend = "Ask the site for some: without them jobs have one slot";
    return [{ name, verdict: "warn", detail: complaintOf(result), mend }];
  }
  const names = result.stdout.trim().split(/\s+/).join(", ");
  const detail = `${names}; -c takes smp and -N takes mpi, unless pe and pe-nodes in [sge] name others`;
  return [{ name, verdict: "ok", detail, mend: null }];
}

/** Asks for a job that nobody remembers: the answer is no, unless there is nothing to look it up in. */
function examineAccounting(result: CommandResult): Finding[] {
  const name = "accounting";
  if (result.code === 0 || isUnknown(result))
    return [{ name, verdict: "ok", detail: "qacct answers", mend: null }];
  const detail = `${complaintOf(result)}: how a task ended that left no record stays unknown`;
  return [{ name, verdict: "warn", detail, mend: "Submit and wait on a host that sees the accounting file" }];
}

/** Of qacct: it answers, and has nothing of that job, or not yet. */
function isUnknown({ stdout, stderr }: CommandResult): boolean {
  return /not found/i.test(stderr + stdout);
}

/** Why an element waits or how it ended. */
function explain(status: NativeStatus, job: JobRef): string | null {
  const { id, state, native, node } = status;
  const on = node === null ? "" : ` on ${node}`;
  switch (state) {
    case "queued":
      return whyQueued(id, native, job);
    case "running":
      return whyStrange(native, on);
    case "ended":
      return whyGone(status, on);
    case "timeout":
      return `Grid Engine ended it${on} at its time limit; ask for more with --time`;
    case "failed":
      return whyFailed(status, on);
    default:
      return null;
  }
}

function whyQueued(id: string, native: string, job: JobRef): string {
  if (!isKnown(native)) return `Grid Engine says ${native}, which this jobx does not know`;
  if (native.includes("R")) return "waits to run again";
  if (!native.includes("h")) return `waits for free slots; qstat -j ${id} may say more`;
  const jobs = predecessorsOf(job);
  return jobs === null ? "held; jobx release lets it start" : `waits for the end of ${jobs}`;
}

function whyStrange(native: string, on: string): string | null {
  if (native.startsWith("d"))
    return `is being deleted${on}; if its node does not answer, only qdel -f of an operator helps`;
  if (/[sST]/.test(native)) return `suspended${on} (${native}); it goes on when Grid Engine lets it`;
  return null;
}

function whyGone({ native }: NativeStatus, on: string): string {
  if (native === "failed 25" || native === "failed 24")
    return "Grid Engine was to run it again, and does not know it any more";
  return `Grid Engine says that it ended${on} with exit code 0, and it left no record`;
}

function whyFailed({ id, native, reason, exitCode, signal }: NativeStatus, on: string): string {
  if (native.startsWith("E")) {
    return `Grid Engine cannot start it (${native}): ${reason ?? `see qstat -j ${id}`}; qdel ${id} takes it out of the queue`;
  }
  if (native === "failed 19")
    return `its node${on === "" ? "" : `, ${on.slice(4)},`} failed (${reason ?? native})`;
  if (signal !== null) {
    const hint = signal === 9 ? ": deleted outside of jobx, or killed for want of memory" : "";
    return `ended${on} by signal ${signal}${hint}, and it left no record`;
  }
  if (exitCode === 126 || exitCode === 127) {
    return `the job's script could not start jobx${on} (exit code ${exitCode}): is the home there?`;
  }
  if (exitCode === OWN_FAILURE) {
    return `jobx ended${on} without a record (exit code ${exitCode}): can the job's folder be written there?`;
  }
  const how = reason === null ? `exit code ${exitCode}` : `${native}, ${reason}`;
  return `Grid Engine says that it failed${on} (${how}), and it left no record`;
}

/** What jobx exits with that cannot go on. */
const OWN_FAILURE = 70;

/** What to do about refusals. */
const HINTS: [RegExp, string][] = [
  [/unknown queue|queue .* does not exist/i, "`qconf -sql` lists the queues"],
  [
    /parallel environment/i,
    "`qconf -spl` lists the parallel environments: name one with -o pe=NAME, or for good in [sge]",
  ],
  [
    /unknown resource/i,
    "`qconf -sc` lists the resources: -o mem-resource and -o gpu-resource say what --mem and --gpus ask for",
  ],
  [/project/i, "`qconf -sprjl` lists the projects"],
  [/not.*submit host/i, "Submit from a submit host of the cluster"],
  [/no suitable queues/i, "No queue can give what it asks for; -o verify=n submits it all the same"],
  [/max_u_jobs|max_jobs|too many jobs|exceed.*job/i, "Submit fewer jobs at once, or put more tasks into one"],
];

/** Few commands for many targets, each an argument: `12`, `12.3`, `12.3-7`. */
function verb(command: string[], targets: Target[]): string[][] {
  const ids = targets.flatMap(({ native, indices, isArray }) =>
    indices === null || !isArray
      ? [native.id]
      : rangesOf(indices.map((index) => index + 1)).map((range) => `${native.id}.${range}`),
  );
  return chunks(ids, 500).map((some) => [...command, ...some]);
}

/** So many are asked about one by one; a later look asks about the others. */
const MOST_ACCOUNTS = 20;

/** Recorded from Son of Grid Engine 8.1.9 of Debian 12, a cluster of two nodes. */
function samples(): Sample[] {
  const from = "Son of Grid Engine 8.1.9, recorded";
  const qstat = (native: string, state: NativeStatus["state"]): Sample => ({
    of: "row",
    stage: "qstat",
    from,
    row: (job) => listed(job, native, state),
    is: { state, native, ...(state === "running" ? {} : { node: null }) },
  });
  const qacct = (failed: string, exit: string, native: string, state: NativeStatus["state"]): Sample => ({
    of: "row",
    stage: "qacct",
    from,
    row: (job) => accounted(job, failed, exit),
    is: { state, native },
  });
  const failure = (is: Extract<Sample, { of: "error" }>["is"], text: string): Sample => ({
    of: "error",
    from,
    is,
    code: 1,
    stderr: text,
  });
  return [
    { of: "submit", from, stdout: ({ id, range }) => (range ? `${id}.1-${range.last + 1}:1\n` : `${id}\n`) },
    { of: "submit", from, stdout: "233.2-8:3\n", is: { id: "233" } },
    {
      of: "submit",
      from: "a wrapper that leaves -terse out",
      stdout: 'Your job-array 3.1-10:1 ("arr") has been submitted\n',
      is: { id: "3" },
    },
    {
      of: "document",
      from,
      stage: "qstat",
      stdout: (rows) =>
        `<?xml version='1.0'?>\n<job_info  xmlns:xsd="http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qstat/qstat.xsd">\n  <queue_info>\n${rows.join("")}  </queue_info>\n  <job_info>\n  </job_info>\n</job_info>\n`,
    },
    qstat("qw", "queued"),
    qstat("hqw", "queued"),
    qstat("Rq", "queued"),
    qstat("r", "running"),
    qstat("t", "running"),
    qstat("hr", "running"),
    qstat("Rr", "running"),
    qstat("s", "running"),
    qstat("S", "running"),
    qstat("dr", "running"),
    qstat("Eqw", "failed"),
    {
      of: "status",
      stage: "qstat",
      from: "Son of Grid Engine 8.1.9, the qmaster down",
      code: 1,
      stderr:
        'error: commlib error: got select error (Connection refused)\nerror: unable to send message to qmaster using port 6444 on host "sgemaster": got send error\n',
      is: "no answer",
    },
    {
      of: "status",
      stage: "qstat",
      from,
      stdout: `<job_info><job_info><job_list state="pending"><JB_job_number>7</JB_job_number><JB_name>a%lt;b</JB_name><state>qw</state><queue_name></queue_name><tasks>6,8-12:2,20-22:1</tasks></job_list></job_info></job_info>`,
      is: [{ id: "7", indices: "5,7,9,11,19-21", state: "queued", node: null }],
    },
    {
      of: "row",
      stage: "qstat -j",
      from,
      row: (job) =>
        `==============================================================\njob_number:                 ${job.id}\nowner:                      ${job.user}\njob_name:                   ${nameOf(job)}\n${job.range ? "job-array tasks:            1-10:1\n" : ""}error reason ${job.range ? job.range.first + 1 : 1}:      11/22/2026 15:00:34 [1001:29207]: error: can't chdir to /work: No such file or directory\nscheduling info:            Job is in error state\n`,
      is: { state: "failed", native: "Eqw", reason: "can't chdir to /work: No such file or directory" },
    },
    {
      of: "status",
      stage: "qstat -j",
      from,
      code: 1,
      stderr: "Following jobs do not exist: \n4211\n",
      is: [],
    },
    qacct("0    ", "0                   ", "exited", "ended"),
    qacct("0    ", "3                   ", "exited with a code", "failed"),
    qacct("100 : assumedly after job", "137                  (Killed)", "failed 100", "failed"),
    qacct("19  : before writing exit_status", "0                   ", "failed 19", "failed"),
    qacct("25  : rescheduling", "99                  ", "failed 25", "ended"),
    qacct("26  : opening input/output file", "0                   ", "failed 26", "failed"),
    qacct(
      "37  : qmaster enforced h_rt, h_cpu, or h_vmem limit",
      "137                  (Killed)",
      "failed 37",
      "timeout",
    ),
    { of: "status", stage: "qacct", from, code: 1, stderr: "error: job id 4211 not found\n", is: [] },
    {
      of: "status",
      stage: "qacct",
      from: "a host without the accounting file",
      code: 1,
      stderr: "/opt/sge/default/common/accounting: No such file or directory\n",
      is: "no answer",
    },
    failure(
      "transient",
      'Unable to run job: unable to contact qmaster using port 6444 on host "sgemaster".\nExiting.\n',
    ),
    failure(
      "transient",
      "error: commlib error: got select error (Connection refused)\nUnable to run job: unable to send message to qmaster\n",
    ),
    failure(
      "uncertain",
      "Unable to run job: failed receiving gdi request response for mid=1 (got syncron message receive timeout error).\nExiting.\n",
    ),
    failure(
      "refused",
      'Unable to run job: Job was rejected because job requests unknown queue "nosuch.q".\nExiting.\n',
    ),
    failure(
      "array",
      "Unable to run job: job rejected: you tried to submit a job with more than 1500 tasks\nExiting.\n",
    ),
    failure("gone", 'denied: job "4211" does not exist\n'),
    failure("gone", 'invalid queue or job "4211"\n'),
    {
      of: "limits",
      from,
      stdout: ({ maxArraySize }) =>
        `#global:\nexecd_spool_dir              /var/spool/gridengine/execd\nmax_aj_instances             2000\nmax_aj_tasks                 ${maxArraySize}\nmax_u_jobs                   0\n`,
    },
    {
      of: "find",
      from,
      stdout: (jobs) =>
        `<detailed_job_info><djob_info>\n${jobs
          .map(
            (job) =>
              `<element>\n<JB_job_number>${job.id}</JB_job_number>\n<JB_submission_time>${Math.floor(job.submitted.getTime() / 1000)}</JB_submission_time>\n<JB_job_name>${nameOf(job)}</JB_job_name>\n</element>\n`,
          )
          .join("")}</djob_info></detailed_job_info>\n`,
    },
    {
      of: "find",
      from: "Son of Grid Engine 8.1.9, a job that has ended",
      stdout: `<?xml version='1.0'?>\n<unknown_jobs >\n    <ST_name>*.T0ken.*</ST_name>\n</unknown_jobs>\n==============================================================\nqname        main.q              \njobname      train.T0ken.1000+500       \njobnumber    4211                \nqsub_time    Sun Nov 22 18:10:04 2026\n`,
      token: "T0ken",
      is: [
        {
          id: "4211",
          submitted: timeOf("Sun Nov 22 18:10:04 2026") ?? "",
          firstElement: 1000,
          elements: 500,
        },
      ],
    },
    {
      of: "variables",
      from,
      variables: ({ id, range, restarts }) => ({
        JOB_ID: id,
        SGE_TASK_ID: range ? String(range.first + 1) : "undefined",
        NSLOTS: "1",
        RESTARTED: restarts > 0 ? "1" : "0",
      }),
      files: ({ hosts }): Record<string, string> =>
        hosts.length < 2
          ? {}
          : { PE_HOSTFILE: hosts.map((host) => `${host} 2 main.q@${host} UNDEFINED\n`).join("") },
      // It says only whether it was started before.
      is: { rank: 0, restarts: 1, hostnames: null },
    },
  ];
}

function nameOf({ name, token, arguments: [first = "0"], range }: SampleJob): string {
  return `${name}.${token}.${first}+${range ? range.last - range.first + 1 : 1}`;
}

function listed(job: SampleJob, native: string, state: NativeStatus["state"]): string {
  const runs = state === "running";
  const { range } = job;
  const tasks =
    range && (range.first === range.last ? range.first + 1 : `${range.first + 1}-${range.last + 1}:1`);
  const time = new Date(job.submitted.getTime() - job.submitted.getTimezoneOffset() * 60_000)
    .toISOString()
    .slice(0, 19);
  return `    <job_list state="${runs ? "running" : "pending"}">
      <JB_job_number>${job.id}</JB_job_number>
      <JAT_prio>0.50000</JAT_prio>
      <JB_name>${nameOf(job)}</JB_name>
      <JB_owner>${job.user}</JB_owner>
      <state>${native}</state>
      <${runs ? "JAT_start_time" : "JB_submission_time"}>${time}</${runs ? "JAT_start_time" : "JB_submission_time"}>
      <queue_name>${runs ? `main.q@${job.hosts[0]}` : ""}</queue_name>
      <slots>1</slots>
${tasks === null ? "" : `      <tasks>${tasks}</tasks>\n`}    </job_list>
`;
}

function accounted(job: SampleJob, failed: string, exit: string): string {
  const clock = (time: Date) => time.toString().replace(/^(\w+ \w+ \d+) (\d+) ([\d:]+).*$/, "$1 $3 $2");
  return `==============================================================
qname        main.q              
hostname     ${job.hosts[0]}                
owner        ${job.user}            
jobname      ${nameOf(job)}       
jobnumber    ${job.id}                   
taskid       ${job.range ? job.range.first + 1 : "undefined"}           
qsub_time    ${clock(job.submitted)}
start_time   ${clock(job.started)}
end_time     ${clock(job.ended)}
failed       ${failed}
exit_status  ${exit}
ru_wallclock 1s
`;
}
