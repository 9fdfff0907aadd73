import {
  chunks,
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

/** bjobs(1), STAT, and job states in the manual of LSF 10.1. What EXIT means, its reason tells. */
const STATES: Record<string, NativeStatus["state"]> = {
  PEND: "queued",
  PROV: "queued",
  PSUSP: "queued",
  WAIT: "queued",
  RUN: "running",
  SSUSP: "running",
  USUSP: "running",
  // Its host does not answer; what was killed there may still run.
  UNKWN: "running",
  ZOMBI: "running",
  DONE: "ended",
  EXIT: "ended",
  POST_DONE: "ended",
  POST_ERR: "ended",
};

/** Options of bsub(1) with one value that are passed on as they are. */
const PASSED = {
  app: option.string("Application profile"),
  sla: option.string("Service class"),
  "user-group": option.string("User group that the job counts for"),
  hosts: option.string("Hosts or groups of hosts to use", { placeholder: '"HOST ..."' }),
  reservation: option.string("Advance reservation to use"),
  priority: option.number("Priority among the user's own jobs", { min: 1, integer: true }),
  begin: option.string("Not to start before this time", { placeholder: "[[YEAR:][MONTH:]DAY:]hh:mm" }),
  deadline: option.string("To be ended at this time", { placeholder: "[[YEAR:][MONTH:]DAY:]hh:mm" }),
  "license-project": option.string("Project of the License Scheduler"),
  group: option.string("Job group", { placeholder: "/GROUP" }),
};

/** Their flags. */
const FLAGS: Record<keyof typeof PASSED, string> = {
  app: "-app",
  sla: "-sla",
  "user-group": "-G",
  hosts: "-m",
  reservation: "-U",
  priority: "-sp",
  begin: "-b",
  deadline: "-t",
  "license-project": "-Lp",
  group: "-g",
};

/** Of the MPI that is first on the job's PATH; most learn from LSF where their ranks go. */
const LAUNCHER = "mpiexec -n {ranks}";

/**
 * Submits to IBM Spectrum LSF of 10.1 Fix Pack 2 or later, the first with `bjobs -json` and units of memory in `bsub`.
 * Facts are from the manual of 10.1 (ibm.com/docs/en/spectrum-lsf/10.1.0) and from the records named beside the samples.
 */
export default defineScheduler({
  contract: 1,
  name: "lsf",
  description: "Submits to IBM Spectrum LSF: one native array per job",
  untried: "written from the manual and from recorded output, not yet tried on a real LSF",
  capabilities: { arrays: true, ranks: true, nodes: true, requeue: true, signals: true, dependencies: true },
  // OpenLava and Slurm's wrappers have a bsub as well, and neither has bjdepinfo.
  detect: ["bjdepinfo", "bsub", "bjobs", "bkill"],

  options: {
    queue: option.string("Queue to submit to; --partition wins"),
    project: option.string("Project to charge; --account wins"),
    ...PASSED,
    resources: option.string("More of the resource requirement (-R)", { placeholder: "select[...] ..." }),
    "mem-per": option.choice(
      "What --mem is reserved for, where the site has another rule; since Fix Pack 9",
      ["host", "task", "job"],
    ),
    "mem-limit": option.boolean("End the job where it uses more than --mem (-M)", { default: false }),
    gpu: option.string("More of what is asked of GPUs (-gpu)", { placeholder: "mode=...:mps=..." }),
    exclusive: option.boolean("Share the hosts with no other job (-x)", { default: false }),
    dependency: option.string("LSF's own condition, besides --after (-w)", { placeholder: "done(ID) ..." }),
    launcher: option.string("What starts several ranks; empty starts those of one host without it", {
      default: LAUNCHER,
      placeholder: "COMMAND",
    }),
    extra: option.string("Any other options of bsub, as on its command line", { placeholder: "-FLAG ..." }),
  },

  validate({ options, resources }) {
    if (resources.qos !== undefined) refuse("LSF has no --qos", "Name a service class with -o sla=NAME");
    if (wordsOf(options.launcher ?? LAUNCHER).length === 0 && (resources.nodes ?? 1) > 1) {
      refuse(
        `An empty -o launcher does not go with --nodes ${resources.nodes}`,
        "Ranks on other hosts are started by a launcher: name one, or leave --nodes out",
      );
    }
    for (const word of wordsOf(options.extra)) {
      const instead = RESERVED[word];
      if (instead !== undefined) refuse(`-o extra: ${word} is jobx's own to give`, instead);
    }
  },

  script,
  submit: { argv: bsubArgv, parse: parseSubmitted },
  status: [
    {
      name: "bjobs",
      scope: "ids",
      argv: ({ ids }) => chunks(ids, 1000).map((some) => ["bjobs", "-a", "-json", "-o", FIELDS, ...some]),
      parse: (results) => results.flatMap(parseBjobs),
    },
    {
      // bjobs forgets after CLEAN_PERIOD, an hour by default (lsb.params(5)).
      name: "bacct",
      scope: "ids",
      argv: ({ ids }) => chunks(ids, 100).map((some) => ["bacct", "-l", ...some]),
      parse: (results) => results.flatMap(parseBacct),
    },
  ],
  explain,

  cancel: (targets) => verb(["bkill"], targets),
  hold: (targets) => verb(["bstop"], targets),
  release: (targets) => verb(["bresume"], targets),
  requeue: (targets) => verb(["brequeue"], targets),
  interrupt: (targets, kind) => verb(["bkill", "-s", kind === "timeout" ? "USR1" : "USR2"], targets),
  goneErrors: [
    /Job has already finished/i,
    /No matching job found/i,
    /is not found/i,
    /Job has not started yet/i,
  ],

  limits: {
    argv: ["bparams", "-a"],
    // lsb.params(5), MAX_JOB_ARRAY_SIZE: the largest index, 1000 by default; the first one is 1.
    parse: (stdout) => ({
      cluster: null,
      maxArraySize: Number(/^\s*MAX_JOB_ARRAY_SIZE\s*=\s*(\d+)/m.exec(stdout)?.[1] ?? 1000),
    }),
  },
  find: {
    argv: () => ["bjobs", "-a", "-json", "-o", "jobid jobindex submit_time command"],
    parse: parseFound,
  },

  transientErrors: [
    /LSF is (down|processing)/i,
    /Cannot connect to LSF/i,
    /(batch daemon|mbatchd|LIM|system) (is )?(not responding|down)/i,
    /Failed in sending\/receiving a message/i,
    /Communication time ?out/i,
    /Connection (refused|timed out|reset)/i,
    /Pending job threshold reached/i,
  ],
  uncertainErrors: [
    /Failed in sending\/receiving a message/i,
    /Communication time ?out/i,
    /Connection (timed out|reset)/i,
  ],
  hint: (refusal) => HINTS.find(([pattern]) => pattern.test(refusal))?.[1] ?? null,
  variables: { LSB_BJOBS_FORMAT: undefined, LSB_DISPLAY_YEAR: "Y" },
  keepVariables: ["LSF_ENVDIR", "LSF_SERVERDIR", "LSF_BINDIR", "LSF_LIBDIR"],

  environment: (env) => ({
    element: Number(env.JOBX_ELEMENT ?? Math.max(0, Number(env.LSB_JOBINDEX ?? 0) - 1)),
    rank: Number(env.MPI_RANK ?? 0),
    restarts: 0,
    hostnames: env.LSB_MCPU_HOSTS ? hostsIn(env.LSB_MCPU_HOSTS) : null,
  }),

  states: STATES,
  get samples() {
    return samples();
  },
});

const FIELDS =
  "jobid jobindex stat exit_code exit_reason pend_reason exec_host submit_time finish_time command";

/** What only jobx may say to bsub, and what says it in jobx. */
const RESERVED: Record<string, string> = {
  "-J": "Use --name, and --array, --sweep or --params of jobx submit",
  "-o": "`jobx logs` shows the output",
  "-oo": "`jobx logs` shows the output",
  "-e": "`jobx logs` shows the output",
  "-eo": "`jobx logs` shows the output",
  "-env": "Use --env and --clean-env",
  "-r": "Use --requeue or --no-requeue",
  "-rn": "Use --requeue or --no-requeue",
  "-Q": "Use --retries",
  "-I": "jobx jobs run without a terminal",
  "-Ip": "jobx jobs run without a terminal",
  "-Is": "jobx jobs run without a terminal",
  "-K": "Use jobx submit --wait",
};

/**
 * The script of every element: $1 is the first element of its array and how many there are, $2 the token by which the
 * submission is found again. LSF counts from 1, and 0 is a job that is no array. Its own file of output would hold a
 * report as well, so the script writes where it belongs.
 */
function script(array: NativeArray): string {
  const { spec, worker, resources } = array;
  const lines = [
    "#!/bin/bash",
    `# jobx ${spec.version}, job ${spec.id}: runs element $1 + the array's index - 1.`,
    "trap '' USR1 USR2 TERM",
    "index=${LSB_JOBINDEX:-0}",
    "export JOBX_ELEMENT=$(( ${1%%+*} + (index > 0 ? index - 1 : 0) ))",
    `log=${array.log(() => "$JOBX_ELEMENT", quoted)}`,
    '{ : >>"$log"; } 2>/dev/null && exec >>"$log" 2>&1',
    `cd ${quoted(spec.cwd)} 2>/dev/null`,
    // "node1 8 node2 8", the own host first.
    `hosts=$(echo "\${LSB_MCPU_HOSTS-}" | awk '{ for (i = 1; i <= NF; i += 2) printf "%s%s", (i > 1 ? "," : ""), $i }')`,
    "export JOBX_HOSTLIST=${hosts:-$(uname -n)}",
  ];
  if (resources.timeSeconds !== undefined) {
    lines.push(
      `export JOBX_ELEMENT_SECONDS=${minutesOf(resources.timeSeconds, spec.run.signalDelaySeconds) * 60}`,
    );
  }
  if (spec.run.requeue !== false) {
    lines.push(
      'test "$index" -gt 0 && native="$LSB_JOBID[$index]" || native=$LSB_JOBID',
      `export JOBX_REQUEUE_COMMAND='["brequeue","'"$native"'"]'`,
    );
  }
  lines.push(...mpiRankLines(spec.options.launcher ?? LAUNCHER, spec.resources));
  return [...lines, `exec ${shellWords(worker)}`, ""].join("\n");
}

/** Everything is on the command line. What stands behind bash goes through a shell, joined by spaces. */
function bsubArgv(array: NativeArray, path: string): string[] {
  const { spec, firstElement, elements, isArray, resources } = array;
  const { options, run } = spec;
  const name = jobName(spec.name);
  const argv = ["bsub", "-J", isArray ? name + rangeOf(array) : name, "-o", "/dev/null"];
  argv.push(run.requeue === false ? "-rn" : "-r");
  const slots = slotsOf(array);
  if (slots !== null) argv.push("-n", `${slots.count}`);
  const requirement = [slots?.span, memoryOf(array), options.resources].filter(Boolean).join(" ");
  if (requirement !== "") argv.push("-R", requirement);
  if (resources.memBytes !== undefined && options["mem-limit"] === true)
    argv.push("-M", sizeOf(resources.memBytes));
  const gpu = gpuOf(array);
  if (gpu !== "") argv.push("-gpu", gpu);
  if (resources.timeSeconds !== undefined) {
    argv.push("-W", `${minutesOf(resources.timeSeconds, run.signalDelaySeconds)}`);
  }
  const given: Record<string, unknown> = {
    "-q": resources.partition ?? options.queue,
    "-P": resources.account ?? options.project,
  };
  for (const [option, flag] of Object.entries(FLAGS)) given[flag] = options[option];
  for (const [flag, value] of Object.entries(given)) if (value !== undefined) argv.push(flag, String(value));
  if (options.exclusive === true) argv.push("-x");
  const conditions = [
    ...array.after.map(condition),
    ...(options.dependency ? [`(${options.dependency})`] : []),
  ];
  if (conditions.length > 0) argv.push("-w", conditions.join(" && "), "-ti");
  argv.push(...wordsOf(options.extra));
  return [...argv, "/bin/bash", quoted(path), `${firstElement}+${elements}`, spec.token];
}

/** bsub(1), -J: letters, digits, `.`, `-`, `_`, and 255 characters with the indices. */
function jobName(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, "_").slice(0, 128);
}

function rangeOf({ elements, indices, parallel }: NativeArray): string {
  const list = indices === null ? [`1-${elements}`] : rangesOf(indices.map((index) => index + 1));
  return `[${list.join(",")}]${parallel === null ? "" : `%${parallel}`}`;
}

/** LSF's slots are CPUs here, those of a host side by side; null where nothing was asked for. */
function slotsOf({ resources }: NativeArray): { count: number; span: string | null } | null {
  const { nodes, ranksPerNode, cpus } = resources;
  if (nodes === undefined && ranksPerNode === undefined && cpus === undefined) return null;
  const perHost = (ranksPerNode ?? 1) * (cpus ?? 1);
  const count = (nodes ?? 1) * perHost;
  if (count === 1) return { count, span: null };
  return { count, span: (nodes ?? 1) === 1 ? "span[hosts=1]" : `span[ptile=${perHost}]` };
}

/** Per host, unless RESOURCE_RESERVE_PER_TASK of the site says otherwise (lsb.resources(5)). */
function memoryOf({ resources, spec }: NativeArray): string | null {
  if (resources.memBytes === undefined) return null;
  const per = spec.options["mem-per"];
  return `rusage[mem=${sizeOf(resources.memBytes)}${per === undefined ? "" : `/${per}`}]`;
}

/** With its unit, whatever LSF_UNIT_FOR_LIMITS is; rounded up. */
function sizeOf(bytes: number): string {
  return `${Math.ceil(bytes / 1024)}KB`;
}

/** bsub(1), -gpu: the number is per host. */
function gpuOf({ resources, spec }: NativeArray): string {
  const { gpus } = resources;
  const asked =
    gpus === undefined ? [] : [`num=${gpus.count}`, ...(gpus.type ? [`gmodel=${gpus.type}`] : [])];
  return [...asked, ...(spec.options.gpu === undefined ? [] : [String(spec.options.gpu)])].join(":");
}

/**
 * LSF counts whole minutes. The worker keeps the exact limit, and needs the time of the warning to end by itself: LSF's
 * own, SIGUSR2 at the limit, reaches the tasks as well.
 */
function minutesOf(seconds: number, delaySeconds: number): number {
  return Math.ceil((seconds + Math.max(delaySeconds, LEAST_DELAY_SECONDS)) / 60);
}

const LEAST_DELAY_SECONDS = 20;

const CONDITION = { ok: "done", any: "ended", fail: "exit", each: "done" } as const;

/** bsub(1), -w: an array is done when all of it is, and `[*]` pairs element with element. */
function condition({ kind, natives }: NativeDependency): string {
  const terms = natives.flatMap(({ native, indices }) => {
    const isArray = native.elements > 1;
    if (kind === "each" && isArray) return [`done(${native.id}[*])`];
    if (indices !== null) return indices.map((index) => `${CONDITION[kind]}(${native.id}[${index + 1}])`);
    // Of an array, exit would ask for the failure of all elements.
    if (kind === "fail" && isArray) return [`ended(${native.id})`, `numexit(${native.id}, > 0)`];
    return [`${CONDITION[kind]}(${native.id})`];
  });
  return terms.join(" && ");
}

/** `Job <123> is submitted to queue <normal>.`, whatever stands around it. */
function parseSubmitted(stdout: string): { id: string; cluster: string | null } | null {
  const id = /^\s*Job <(\d+)> is submitted/m.exec(stdout)?.[1];
  return id === undefined ? null : { id, cluster: null };
}

type Bjob = Record<string, string>;

function parseBjobs(result: CommandResult): NativeStatus[] {
  return recordsOf(result).flatMap((job) => {
    const where = placeOf(job);
    const native = job.STAT ?? "";
    if (where === null || native === "") return [];
    const code = /^\d+$/.test(job.EXIT_CODE ?? "") ? Number(job.EXIT_CODE) : null;
    const state = STATES[native] ?? "queued";
    const over = state === "ended";
    const row: NativeStatus = {
      ...where,
      state,
      native,
      reason: given(over ? job.EXIT_REASON : job.PEND_REASON),
      ...exitOf(native === "DONE" ? 0 : code),
      node: hostsIn(job.EXEC_HOST ?? "")[0] ?? null,
      submitted: timeOf(job.SUBMIT_TIME ?? ""),
      startsAt: null,
      endedAt: over ? timeOf(job.FINISH_TIME ?? "") : null,
      command: given(job.COMMAND),
      isVague: false,
    };
    return [native === "EXIT" ? exited(row) : row];
  });
}

/** What bjobs says of each job; a job that it does not know, and none at all, are no failure. */
function recordsOf({ code, stdout, stderr }: CommandResult): Bjob[] {
  const text = stdout.slice(stdout.indexOf("{"), stdout.lastIndexOf("}") + 1);
  const records = text === "" ? null : readRecords(text);
  if (records !== null) return records;
  const wrong = stderr
    .split("\n")
    .find((line) => line.trim() !== "" && !/is not found|No .*job found/i.test(line));
  if (wrong === undefined && (code === 0 || stderr.trim() !== "") && text === "") return [];
  throw new JobxError("UNREACHABLE", wrong ?? `bjobs: exit code ${code}, and no answer that can be read`);
}

function readRecords(text: string): Bjob[] | null {
  try {
    const answer: { RECORDS?: unknown } = JSON.parse(text);
    return Array.isArray(answer.RECORDS) ? answer.RECORDS.map(textsOf) : null;
  } catch {
    return null;
  }
}

/** Its values, which are texts one and all. */
function textsOf(record: unknown): Bjob {
  const entries = Object.entries(Object(record));
  return Object.fromEntries(entries.map(([key, value]) => [key.toUpperCase(), String(value)]));
}

/** The index of a job that is no array is 0. */
function placeOf({ JOBID = "", JOBINDEX = "" }: Bjob): { id: string; indices: string | null } | null {
  const [, id, bracket] = /^(\d+)(?:\[(\d+)\])?$/.exec(JOBID) ?? [];
  if (id === undefined) return null;
  const index = Number(bracket ?? JOBINDEX);
  return { id, indices: index > 0 ? `${index - 1}` : null };
}

/** Above 128 it is a signal's (manual, "Job exit codes"). */
function exitOf(code: number | null): { exitCode: number | null; signal: number | null } {
  return code !== null && code > 128
    ? { exitCode: null, signal: code - 128 }
    : { exitCode: code, signal: null };
}

function exited(row: NativeStatus): NativeStatus {
  const term = /TERM_\w+/.exec(row.reason ?? "")?.[0];
  if (term !== undefined && TERMS[term]) return { ...row, state: TERMS[term].state };
  const neverRan = row.node === null && row.exitCode === null && row.signal === null;
  return { ...row, state: neverRan ? "cancelled" : "failed" };
}

/** Jobs in the long format; a line goes on in the next one behind 21 spaces. */
function parseBacct({ code, stdout, stderr }: CommandResult): NativeStatus[] {
  const isNone = /No matching job|is not found|There are no .*jobs/i.test(`${stdout}${stderr}`);
  if (code !== 0 && !isNone) {
    throw new JobxError("UNREACHABLE", stderr.trim().split("\n")[0] || `bacct: exit code ${code}`);
  }
  const text = stdout.replaceAll(/\n {21}/g, "");
  return text.split(/^(?=Job <)/m).flatMap((block) => {
    const [, id, index] = /^Job <(\d+)(?:\[(\d+)\])?>/.exec(block) ?? [];
    const native = /, Status <(\w+)>/.exec(block)?.[1];
    if (id === undefined || native === undefined) return [];
    const exit = /Exited with exit code (\d+)/.exec(block)?.[1];
    const signal = /Exited by signal (\d+)/.exec(block)?.[1];
    const done = /^\w{3} (\w{3} +\d+ [\d:]+)(?: (\d{4}))?: Completed <\w+>(?:; (.+))?$/m.exec(block);
    const row: NativeStatus = {
      id,
      indices: index === undefined ? null : `${Number(index) - 1}`,
      state: STATES[native] ?? "queued",
      native,
      reason: given(done?.[3]?.replace(/[;.]$/, "")),
      ...exitOf(exit === undefined ? (native === "DONE" ? 0 : null) : Number(exit)),
      ...(signal !== undefined && { signal: Number(signal) }),
      node:
        hostsIn(
          /(?:Started|Dispatched)[^<]*(?:on|to) (?:Host\(s\) |\d+ Hosts\/Processors )?<([^>]+)>/.exec(
            block,
          )?.[1] ?? "",
        )[0] ?? null,
      submitted: null,
      startsAt: null,
      endedAt: done === null ? null : timeOf([done[1], done[2]].filter(Boolean).join(" ")),
      command: /, Command <(.*?)>(?:,|$)/m.exec(block)?.[1] ?? null,
      isVague: false,
    };
    return [native === "EXIT" ? exited(row) : row];
  });
}

/** Submissions whose last word is the token. */
function parseFound(stdout: string, token: string) {
  const found = new Map<string, { id: string; submitted: string; firstElement: number; elements: number }>();
  for (const job of recordsOf({ code: 0, stdout, stderr: "" })) {
    const match = /\s(\d+)\+(\d+)\s(\S+)$/.exec((job.COMMAND ?? "").trimEnd());
    const id = placeOf(job)?.id;
    if (id === undefined || match?.[3] !== token) continue;
    const submitted = timeOf(job.SUBMIT_TIME ?? "") ?? new Date().toISOString();
    found.set(id, { id, submitted, firstElement: Number(match[1]), elements: Number(match[2]) });
  }
  return [...found.values()];
}

/** `node1:node1:node2`, `8*node1:4*node2`, `node1 8 node2 4`: each host once. */
function hostsIn(text: string): string[] {
  const names = text.split(/[:\s]+/).filter((word) => word !== "" && !/^(\d+|-)$/.test(word));
  return [...new Set(names.map((name) => name.replace(/^\d+\*/, "")))];
}

/** `Dec 28 19:56`, with `L` or the like behind a finish; the year only where LSB_DISPLAY_YEAR asks for it. */
function timeOf(text: string): string | null {
  const [, day, clockTime, year] =
    /^(\w{3} +\d+) (\d\d:\d\d(?::\d\d)?)(?: (\d{4}))?(?: [A-Z])?$/.exec(text.trim()) ?? [];
  if (day === undefined) return null;
  const now = new Date();
  const at = (of: number) => Date.parse(`${day} ${of} ${clockTime}`);
  const time = year === undefined ? at(now.getFullYear()) : at(Number(year));
  // What lies ahead was last year.
  const past = year === undefined && time > now.getTime() + DAY_MS ? at(now.getFullYear() - 1) : time;
  return Number.isNaN(past) ? null : new Date(past).toISOString();
}

const DAY_MS = 86_400_000;

function given(text: string | undefined): string | null {
  return text === undefined || ["", "-"].includes(text.trim()) ? null : text.trim();
}

/** Why an element waits or how it ended. */
function explain(status: NativeStatus, job: JobRef): string | null {
  const { state, native, reason, node, signal, exitCode } = status;
  const on = node === null ? "" : ` on ${node}`;
  const term = TERMS[/TERM_\w+/.exec(reason ?? "")?.[0] ?? ""];
  switch (state) {
    case "queued":
      return whyQueued(status, job);
    case "running":
      return RUNNING[native] ?? null;
    case "ended":
      return `LSF says that it ended${on}, and it left no record`;
    case "cancelled":
      if (reason?.startsWith("TERM_ORPHAN_SYSTEM"))
        return `${predecessors(job)} did not end as --after asks for`;
      return term?.words ?? "cancelled outside of jobx";
    case "timeout":
      return `LSF ended it${on}: ${term?.words ?? "it reached its time limit"}`;
    case "failed": {
      if (term !== undefined) return `LSF ended it${on}: ${term.words}`;
      const how =
        signal === null ? (exitCode === null ? "no exit code" : `exit code ${exitCode}`) : `signal ${signal}`;
      return `LSF says ${native}${on} with ${how}${reason === null ? "" : ` (${reason})`}, and it left no record`;
    }
    default:
      return null;
  }
}

const RUNNING: Record<string, string> = {
  USUSP: "suspended; bresume lets it go on",
  SSUSP: "suspended by LSF, for the load of its host or a job of higher priority",
  UNKWN: "its host does not answer LSF",
  ZOMBI: "it was ended, and its host does not answer LSF",
};

/** Manual, "Termination reasons displayed by bacct, bhist, and bjobs". */
const TERMS: Record<string, { state: NativeStatus["state"]; words: string }> = {
  TERM_ADMIN: { state: "cancelled", words: "cancelled by an administrator" },
  TERM_BUCKET_KILL: { state: "cancelled", words: "cancelled outside of jobx" },
  TERM_CHKPNT: { state: "failed", words: "it was checkpointed and ended" },
  TERM_CPULIMIT: { state: "timeout", words: "it used more CPU time than allowed" },
  TERM_CSM_ALLOC: { state: "failed", words: "its allocation failed" },
  TERM_CWD_NOTEXIST: { state: "failed", words: "its working folder is missing there" },
  TERM_DATA: { state: "failed", words: "its data could not be staged" },
  TERM_DEADLINE: { state: "timeout", words: "it reached its deadline" },
  TERM_EXTERNAL_SIGNAL: { state: "failed", words: "a signal from outside of LSF ended it" },
  TERM_FORCE_ADMIN: { state: "cancelled", words: "cancelled by an administrator" },
  TERM_FORCE_OWNER: { state: "cancelled", words: "cancelled outside of jobx" },
  TERM_KUBE: { state: "failed", words: "Kubernetes ended it" },
  TERM_LOAD: { state: "failed", words: "the load of its host was too high" },
  TERM_MC_RECALL: { state: "failed", words: "it was called back from another cluster" },
  TERM_MEMLIMIT: { state: "failed", words: "out of memory; retry with more --mem" },
  TERM_ORPHAN_SYSTEM: { state: "cancelled", words: "what it waits for can never be" },
  TERM_OTHER: { state: "failed", words: "it was ended and queued again elsewhere" },
  TERM_OWNER: { state: "cancelled", words: "cancelled outside of jobx" },
  TERM_PREEMPT: { state: "failed", words: "preempted, and not requeued" },
  TERM_PROCESSLIMIT: { state: "failed", words: "it had more processes than allowed" },
  TERM_RC_RECLAIM: { state: "failed", words: "its host was given back to the cloud" },
  TERM_REMOVE_HUNG_JOB: { state: "failed", words: "its host did not answer for too long" },
  TERM_REQUEUE_ADMIN: { state: "failed", words: "an administrator queued it again" },
  TERM_REQUEUE_OWNER: { state: "failed", words: "it was queued again" },
  TERM_RMS: { state: "failed", words: "it was ended by RMS" },
  TERM_RUNLIMIT: { state: "timeout", words: "it reached its time limit; ask for more with --time" },
  TERM_SWAP: { state: "failed", words: "it used more swap than allowed" },
  TERM_THREADLIMIT: { state: "failed", words: "it had more threads than allowed" },
  TERM_UNKNOWN: { state: "failed", words: "LSF does not know why" },
  TERM_WINDOW: { state: "timeout", words: "its queue's run window closed" },
  TERM_ZOMBIE: { state: "failed", words: "its host did not answer LSF" },
};

function whyQueued({ native, reason }: NativeStatus, job: JobRef): string | null {
  if (STATES[native] === undefined) return `LSF says ${native}, which this jobx does not know`;
  if (native === "PSUSP") return "held; jobx release lets it start";
  if (native === "PROV") return "its host is being made ready";
  if (reason === null) return native === "PEND" ? "LSF has not looked at it yet" : `LSF says ${native}`;
  const plain = reason.replace(/[;.]\s*$/, "");
  if (/dependency condition (is )?(not|never|invalid)/i.test(reason)) {
    return `Dependency: waits for ${predecessors(job)} (${plain})`;
  }
  const words = PENDING.find(([pattern]) => pattern.test(reason))?.[1];
  return words === undefined ? plain : `${plain}: ${words}`;
}

/** Pending reasons (bjobs -p) that need a word. */
const PENDING: [RegExp, string][] = [
  [/New job is waiting for scheduling/i, "LSF has not looked at it yet"],
  [
    /job array has reached its (running element|job slot) limit/i,
    "as many of its tasks run as --parallel allows",
  ],
  [
    /(slot|job|resource|user|project|queue)\b.* limit (is |has been )?reached|has reached .*limit/i,
    "a limit is reached",
  ],
  [/requirements? not satisfied/i, "no host has what it asks for now; bjobs -l tells which"],
  [/(queue|dispatch).*(inactive|closed|window)/i, "the queue takes no jobs now"],
];

/** What to do about refusals. */
const HINTS: [RegExp, string][] = [
  [/No such queue/i, "`bqueues` lists the queues"],
  [
    /Job array index too large|array size/i,
    "Submit fewer tasks at once, or put several into one element with --pack",
  ],
  [/RUNLIMIT|run limit/i, "`bqueues -l QUEUE` shows what the queue allows"],
  [/Bad resource requirement syntax/i, "See -o resources and -o gpu; `bsub -V` shows the version of LSF"],
  [/No matching job found/i, "LSF has forgotten the job that --after names: it ended too long ago"],
  [/illegal option -- *t|-ti/i, "LSF before 9.1.3 has no -ti"],
];

function predecessors(job: JobRef): string {
  return predecessorsOf(job) ?? "what -o dependency names";
}

/** `12`, `12[3]`, `12[1-5,7]`. */
function verb(words: string[], targets: Target[]): string[][] {
  const ids = targets.flatMap(({ native, indices, isArray }) => {
    if (indices === null || !isArray) return [native.id];
    const ranges = rangesOf(indices.map((index) => index + 1));
    return chunks(ranges, MAX_RANGES).map((some) => `${native.id}[${some.join(",")}]`);
  });
  return chunks(ids, 500).map((some) => [...words, ...some]);
}

/** So many ranges keep an argument well below what the system allows. */
const MAX_RANGES = 5_000;

/**
 * Texts of LSF 10.1 from public records: bjobs -json from the tests of eilslabs/BatchEuphoria and of mskcc/beagle, from
 * buildtest's documentation and from balsam; indices from a fork of submitit for LSF; the long format from cctools issue
 * 2479; the table of reasons and the rest from IBM's manual.
 */
function samples(): Sample[] {
  const from = "LSF 10.1, tests of eilslabs/BatchEuphoria";
  const bjobs = (
    native: string,
    state: NativeStatus["state"],
    { pend = "", reason = "", code = "", source = from, is = {} as Partial<NativeStatus> } = {},
  ): Sample => ({
    of: "row",
    stage: "bjobs",
    from: source,
    row: (job) => recordsFor(job, native, state, { pend, reason, code }),
    is: { state, native, ...(pend + reason !== "" && { reason: pend + reason }), ...is },
  });
  const bacct = (
    native: string,
    state: NativeStatus["state"],
    end: string,
    is: Partial<NativeStatus>,
  ): Sample => ({
    of: "row",
    stage: "bacct",
    from: "LSF 10.1, cctools issue 2479 (bjobs -l, whose lines bacct -l has as well)",
    row: (job) => longFormat(job, native, end),
    is: { state, native, ...is },
  });
  const failure = (is: Extract<Sample, { of: "error" }>["is"], source: string, stderr: string): Sample => ({
    of: "error",
    from: source,
    is,
    code: 255,
    stderr,
  });
  const owner = "TERM_OWNER: job killed by owner";
  return [
    {
      of: "submit",
      from: "LSF, equinor/ert issue 7465",
      stdout: ({ id }) => `Job <${id}> is submitted to queue <short>.\n`,
    },
    {
      of: "submit",
      from: "manual of LSF 10.1",
      stdout: "Job <5583> is submitted to default queue <normal>.\n",
      is: { id: "5583" },
    },
    {
      of: "submit",
      from: "a busy LSF, toil issue 3097 and the tests of mskcc/beagle",
      stdout:
        "Cannot connect to LSF. Please wait ...\nCannot connect to LSF. Please wait ...\nJob <12345678> is submitted to queue <normal>.\n",
      is: { id: "12345678" },
    },
    bjobs("PEND", "queued", {
      pend: "New job is waiting for scheduling;",
      source: "LSF 10.1, tests of mskcc/beagle",
    }),
    bjobs("PEND", "queued", {
      pend: "The job array has reached its job slot limit.",
      source: "bjobs(1), -p",
    }),
    bjobs("PSUSP", "queued", { source: "LSF 10.1, buildtest's documentation" }),
    bjobs("WAIT", "queued", { source: "bjobs(1), STAT" }),
    bjobs("PROV", "queued", { source: "bjobs(1), STAT" }),
    bjobs("RUN", "running", { source: "LSF 10.1 on Summit, balsam" }),
    bjobs("USUSP", "running", { source: "bjobs(1), STAT" }),
    bjobs("SSUSP", "running", { source: "bjobs(1), STAT" }),
    bjobs("UNKWN", "running", { source: "bjobs(1), STAT" }),
    bjobs("ZOMBI", "running", { source: "bjobs(1), STAT" }),
    bjobs("DONE", "ended", { is: { exitCode: 0 } }),
    bjobs("EXIT", "failed", { code: "3", is: { exitCode: 3, signal: null } }),
    bjobs("EXIT", "failed", { code: "137", is: { exitCode: null, signal: 9 } }),
    bjobs("EXIT", "cancelled", { reason: owner, source: "LSF 10.1, tests of mskcc/beagle" }),
    bjobs("EXIT", "timeout", {
      code: "140",
      reason: "TERM_RUNLIMIT: job killed after reaching LSF run time limit",
    }),
    bjobs("EXIT", "failed", {
      code: "130",
      reason: "TERM_MEMLIMIT: job killed after reaching LSF memory usage limit",
    }),
    bjobs("EXIT", "failed", { code: "143", reason: "TERM_PREEMPT: job killed after preemption" }),
    {
      of: "document",
      stage: "bjobs",
      from,
      stdout: (rows) =>
        `{\n  "COMMAND":"bjobs",\n  "JOBS":${rows.length},\n  "RECORDS":[\n${rows.join("      ,\n")}  ]\n}\n`,
    },
    {
      of: "status",
      stage: "bjobs",
      from: "a busy LSF 10.1, tests of mskcc/beagle, with an id added",
      stdout: `Cannot connect to LSF. Please wait ...\n{"COMMAND":"bjobs","JOBS":1,"RECORDS":[{"JOBID":"7","JOBINDEX":"0","STAT":"EXIT","EXIT_CODE":"","EXIT_REASON":"${owner}"}]}\n`,
      is: [{ id: "7", indices: null, state: "cancelled", reason: owner }],
    },
    {
      of: "status",
      stage: "bjobs",
      from: "LSF 10.1, as psi-j reads it: one of two jobs is not known",
      code: 255,
      stdout:
        '{"COMMAND":"bjobs","JOBS":2,"RECORDS":[{"JOBID":"301970","JOBINDEX":"1","STAT":"RUN","EXEC_HOST":"48*s06"},{"JOBID":"124","ERROR":"Job <124> is not found"}]}\n',
      is: [{ id: "301970", indices: "0", state: "running", node: "s06" }],
    },
    {
      of: "status",
      stage: "bjobs",
      from: "LSF, galaxy pull request 7007",
      code: 255,
      stderr: "Job <124> is not found\n",
      is: [],
    },
    { of: "status", stage: "bjobs", from: "bjobs(1)", stderr: "No unfinished job found\n", is: [] },
    {
      of: "status",
      stage: "bjobs",
      from: "bjobs of before 10.1 Fix Pack 2",
      code: 255,
      stderr: "bjobs: illegal option -- j\n",
      is: "no answer",
    },
    bacct("DONE", "ended", "Completed <done>.", { exitCode: 0 }),
    bacct(
      "EXIT",
      "failed",
      "Exited with exit code 127. The CPU time used is 0.1 seconds.\nCompleted <exit>.",
      { exitCode: 127 },
    ),
    bacct(
      "EXIT",
      "failed",
      "Completed <exit>; TERM_MEMLIMIT: job killed after reaching LSF memory usage limit.",
      {
        reason: "TERM_MEMLIMIT: job killed after reaching LSF memory usage limit",
      },
    ),
    bacct(
      "EXIT",
      "timeout",
      "Completed <exit>; TERM_RUNLIMIT: job killed after reaching LSF run time limit.",
      {},
    ),
    bacct("EXIT", "cancelled", "Completed <exit>; TERM_OWNER: job killed by owner.", {}),
    { of: "status", stage: "bacct", from: "bacct(1)", code: 255, stderr: "No matching job found\n", is: [] },
    failure("transient", "toil issue 3097", "Cannot connect to LSF. Please wait ...\n"),
    failure("transient", "manual, LSF error messages", "LSF is down. Please wait ...\n"),
    failure("transient", "manual, LSF error messages", "batch daemon not responding ... still trying\n"),
    failure(
      "uncertain",
      "manual, LSF error messages",
      "Failed in sending/receiving a message: Connection reset by peer. Job not submitted.\n",
    ),
    failure("refused", "equinor/ert issue 8774", "rhel7: No such queue. Job not submitted.\n"),
    failure("array", "manual, MAX_JOB_ARRAY_SIZE", "Job array index too large. Job not submitted.\n"),
    failure("gone", "bkill(1)", "Job <123>: Job has already finished\n"),
    failure("gone", "marbl/canu issue 321", "Job <769804[33]>: No matching job found\n"),
    {
      of: "limits",
      from: "bparams(1), -a",
      stdout: ({ maxArraySize }) =>
        `lsb.params configuration at Mon Nov 16 10:11:12 2026\n    DEFAULT_QUEUE = normal\n    MAX_JOB_ARRAY_SIZE = ${maxArraySize}\n    CLEAN_PERIOD = 3600\n`,
    },
    {
      of: "find",
      from,
      stdout: (jobs) =>
        jobs.length === 0
          ? ""
          : `{"COMMAND":"bjobs","JOBS":${jobs.length},"RECORDS":[${jobs.map((job) => recordsFor(job, "PEND", "queued", {})).join(",")}]}`,
    },
    {
      of: "variables",
      from: "manual, Environment variables",
      variables: ({ id, range, hosts }) => ({
        LSB_JOBID: id,
        LSB_JOBINDEX: `${range === null ? 0 : range.first + 1}`,
        LSB_MCPU_HOSTS: hosts.map((host) => `${host} 4`).join(" "),
        LSB_HOSTS: hosts.join(" "),
      }),
      is: { rank: 0, restarts: 0, hostnames: ["node1"] },
    },
  ];
}

/** A job's records as bjobs prints them, one for each element. */
function recordsFor(
  job: SampleJob,
  native: string,
  state: NativeStatus["state"],
  { pend = "", reason = "", code = "" },
): string {
  const { first, last } = job.range ?? { first: -1, last: -1 };
  const hasRun = state !== "queued" && !(state === "cancelled" && code === "" && reason === "");
  return Array.from({ length: last - first + 1 }, (_, at) => {
    const record = {
      JOBID: job.id,
      JOBINDEX: `${first + at + 1}`,
      STAT: native,
      EXIT_CODE: code,
      EXIT_REASON: reason,
      PEND_REASON: pend,
      EXEC_HOST: hasRun ? job.hosts.join(":") : "",
      SUBMIT_TIME: local(job.submitted),
      FINISH_TIME: state === "queued" || state === "running" ? "" : `${local(job.ended)} L`,
      COMMAND: ["/bin/bash", job.script, ...job.arguments].join(" "),
    };
    return `${JSON.stringify(record, null, 6).replaceAll("/", "\\/")}\n`;
  }).join("      ,\n");
}

/** A job as the long format has it, its first line broken after 79 characters. */
function longFormat(job: SampleJob, native: string, end: string): string {
  const index = job.range === null ? "" : `[${job.range.first + 1}]`;
  const command = ["/bin/bash", job.script, ...job.arguments].join(" ");
  const head = `Job <${job.id}${index}>, Job Name <${job.name}${index}>, User <${job.user}>, Project <default>, Status <${native}>, Queue <normal>, Command <${command}>, Share group charged </${job.user}>`;
  const lines = [
    head.slice(0, 79),
    ...(head.slice(79).match(/.{1,58}/g) ?? []).map((part) => " ".repeat(21) + part),
  ];
  const ended = `${job.ended.toDateString().slice(0, 10)} ${job.ended.toTimeString().slice(0, 8)} ${job.ended.getFullYear()}`;
  return [
    "------------------------------------------------------------------------------",
    "",
    ...lines,
    `${ended}: Submitted from host <login1>, CWD <$HOME>, Output File </dev/null>;`,
    `${ended}: Started 1 Task(s) on Host(s) <${job.hosts[0]}>, Allocated 1 Slot(s) on Host(s) <${job.hosts[0]}>;`,
    ...end.split("\n").map((line) => `${ended}: ${line}`),
    "",
    "",
  ].join("\n");
}

/** `Dec 28 19:56`, local time. */
function local(time: Date): string {
  return `${time.toDateString().slice(4, 7)} ${String(time.getDate()).padStart(2)} ${time.toTimeString().slice(0, 5)}`;
}
