import { type DirectiveWord, readDirectiveWords } from "./directive-lines.ts";
import { nearest } from "./nearest.ts";

/**
 * What a script's `#SBATCH` lines ask for, in jobx's words.
 *
 * `flags` are jobx's own flags by name, with their values as text, for the same checks as on the command
 * line (`true` for a flag without a value). `options` are sbatch's words that only the slurm executor
 * could understand, by their long names.
 */
export type Directives = {
  /** How many options there are; 0 where the script has no `#SBATCH` lines. */
  count: number;
  flags: Record<string, string | true>;
  options: Record<string, string | true>;
  /** What was left out or means something else under jobx, for the person at the terminal. */
  notes: string[];
  /** What sbatch itself does not know, or what cannot be carried over, each with its line. */
  unknown: string[];
};

/** sbatch(1), "OPTIONS": short names. */
const SHORT: Record<string, string> = {
  A: "account",
  a: "array",
  b: "begin",
  C: "constraint",
  c: "cpus-per-task",
  D: "chdir",
  d: "dependency",
  e: "error",
  F: "nodefile",
  G: "gpus",
  H: "hold",
  i: "input",
  J: "job-name",
  k: "no-kill",
  L: "licenses",
  M: "clusters",
  m: "distribution",
  N: "nodes",
  n: "ntasks",
  O: "overcommit",
  o: "output",
  p: "partition",
  Q: "quiet",
  q: "qos",
  S: "core-spec",
  s: "oversubscribe",
  t: "time",
  v: "verbose",
  W: "wait",
  w: "nodelist",
  x: "exclude",
};

/** Those that mean the same in both, by sbatch's name. */
const SAME: Record<string, string> = {
  account: "account",
  partition: "partition",
  qos: "qos",
  "job-name": "name",
  "cpus-per-task": "cpus",
  mem: "mem",
  chdir: "chdir",
  workdir: "chdir",
  "ntasks-per-node": "ranks-per-node",
};

const IGNORED: Record<string, string> = {
  output: "jobx keeps the output itself: `jobx logs` shows it",
  error: "jobx keeps the output itself: `jobx logs` shows it",
  "open-mode": "jobx always appends to its logs",
  input: "jobx tasks have no standard input",
  parsable: "use `jobx submit -q`",
  quiet: "use `jobx submit -q`",
  verbose: "use `jobx submit -v`",
  wait: "use `jobx submit --wait`",
};

/** Without a value; the rest of sbatch's options have one. */
const SWITCHES = new Set(
  "contiguous exclusive hold ignore-pbs no-kill no-requeue overcommit oversubscribe parsable quiet reboot requeue spread-job use-min-nodes verbose wait".split(
    " ",
  ),
);

/** Handled one by one below. */
const TRANSLATED = "array export gpus gpus-per-node gres nodes ntasks signal time requeue no-requeue".split(
  " ",
);

/** Understood by sbatch alone. */
const SLURM_ONLY =
  "acctg-freq batch bb bbf begin cluster-constraint clusters comment constraint container contiguous core-spec cores-per-socket cpu-freq deadline delay-boot dependency distribution exclude exclusive extra-node-info get-user-env gpu-bind gpu-freq gpus-per-socket gpus-per-task gres-flags hint hold kill-on-invalid-dep licenses mail-type mail-user mcs-label mem-bind mem-per-cpu mem-per-gpu mincpus network nice no-kill nodefile nodelist ntasks-per-core ntasks-per-gpu ntasks-per-socket overcommit oversubscribe power prefer priority profile propagate reboot reservation sockets-per-node spread-job switches thread-spec threads-per-core time-min tmp uid use-min-nodes wckey".split(
    " ",
  );

const KNOWN = [...Object.keys(SAME), ...Object.keys(IGNORED), ...TRANSLATED, ...SLURM_ONLY];

/**
 * Reads the `#SBATCH` lines of a script, from its beginning to its first command. A later line beats an
 * earlier one. Values are not checked here. Throws USAGE for a quote that never ends.
 */
export function parseDirectives(script: string): Directives {
  const words = readDirectiveWords(script, (name) => !SWITCHES.has(SHORT[name] ?? name));
  const found: Directives = { count: words.length, flags: {}, options: {}, notes: [], unknown: [] };
  const given = new Map<string, DirectiveWord>();
  for (const word of words) {
    const name = SHORT[word.name] ?? word.name;
    if (!KNOWN.includes(name)) found.unknown.push(unknownWord(word));
    else if (word.value === null && !SWITCHES.has(name))
      found.unknown.push(`line ${word.line}: ${word.text} has no value`);
    else given.set(name, word);
  }
  for (const [name, word] of given) translate(name, word.value, found);
  translateShape(given, found);
  return found;
}

function translate(name: string, value: string | null, found: Directives): void {
  const same = SAME[name];
  if (same !== undefined) {
    if (name === "mem" && value === "0") found.options.mem = "0";
    else found.flags[same] = value ?? true;
  } else if (IGNORED[name] !== undefined) {
    found.notes.push(`--${name} is ignored: ${IGNORED[name]}`);
  } else if (name === "time") {
    if (/^(?:0|infinite|unlimited)$/i.test(value ?? ""))
      found.notes.push(`--time=${value} is ignored: no limit`);
    else found.flags.time = value ?? true;
  } else if (name === "array") {
    // sbatch means the one task 10 by a bare 10, which jobx would refuse as ambiguous.
    found.flags.array = (value ?? "").replace(/^(\d+)(?=%|$)/, "$1-$1");
  } else if (name === "requeue" || name === "no-requeue") {
    delete found.flags[name === "requeue" ? "no-requeue" : "requeue"];
    found.flags[name] = true;
  } else if (name === "signal") {
    translateSignal(value ?? "", found);
  } else if (name === "export") {
    translateExport(value ?? "", found);
  } else if (SLURM_ONLY.includes(name)) {
    found.options[name] = value ?? true;
  }
}

/** Nodes, ranks and GPUs, which depend on each other: jobx counts ranks and GPUs per node. */
function translateShape(given: Map<string, DirectiveWord>, found: Directives): void {
  const value = (name: string) => given.get(name)?.value ?? undefined;
  const drop = (name: string, why: string) =>
    found.unknown.push(`line ${given.get(name)?.line}: --${name}=${value(name)} ${why}`);
  const range = /^(\d+)(?:-(\d+))?$/.exec(value("nodes") ?? "1");
  let nodes = range && (range[2] === undefined || range[2] === range[1]) ? Number(range[1]) : null;
  if (nodes === null) drop("nodes", "is no fixed number of nodes: write one");
  else if (given.has("nodes")) found.flags.nodes = String(nodes);
  const perNode = Number(value("ntasks-per-node") ?? 0);
  if (given.has("ntasks")) {
    const ranks = Number(value("ntasks"));
    if (perNode > 0 && !given.has("nodes") && ranks % perNode === 0) {
      nodes = ranks / perNode;
      found.flags.nodes = String(nodes);
    } else if (perNode === 0 && nodes !== null && Number.isInteger(ranks / nodes) && ranks > 0) {
      if (ranks > 1) found.flags["ranks-per-node"] = String(ranks / nodes);
    } else if (ranks !== perNode * (nodes ?? Number.NaN)) {
      drop("ntasks", "does not divide into equal nodes: write --nodes and --ntasks-per-node");
    }
  }
  const ranks = Number(found.flags["ranks-per-node"] ?? 1) * (nodes ?? 1);
  if (ranks > 1) {
    found.notes.push(`jobx starts the script once per rank (${ranks} times), where sbatch starts it once`);
  }
  translateGpus(value, nodes ?? 1, found, drop);
}

function translateGpus(
  value: (name: string) => string | undefined,
  nodes: number,
  found: Directives,
  drop: (name: string, why: string) => void,
): void {
  const gres = value("gres")?.split(",") ?? [];
  const others = gres.filter((item) => !/^(?:gres[:/])?gpu(?::|$)/.test(item));
  if (others.length > 0) found.options.gres = others.join(",");
  const fromGres = gres.find((item) => !others.includes(item))?.replace(/^(?:gres[:/])?gpu:?/, "");
  const perNode = value("gpus-per-node") ?? fromGres;
  const perJob = /^(?:(.+):)?(\d+)$/.exec(value("gpus") ?? "");
  if (perNode !== undefined) {
    // "gpu" and "gpu:a100" are one of them.
    found.flags.gpus = perNode === "" ? "1" : /(?:^|:)\d+$/.test(perNode) ? perNode : `${perNode}:1`;
  } else if (perJob && Number(perJob[2]) % nodes === 0) {
    found.flags.gpus = `${perJob[1] === undefined ? "" : `${perJob[1]}:`}${Number(perJob[2]) / nodes}`;
  } else if (value("gpus") !== undefined) {
    drop("gpus", "does not divide into equal nodes: write --gpus-per-node");
  }
}

/** `[{R|B}:]SIG[@SECONDS]`, 60 seconds by default. */
function translateSignal(value: string, found: Directives): void {
  const seconds = /@(\d+)$/.exec(value)?.[1] ?? "60";
  found.flags["signal-delay"] = `${seconds}s`;
  found.notes.push(`--signal=${value}: jobx warns the task ${seconds} s before its limit with SIGUSR2`);
}

function translateExport(value: string, found: Directives): void {
  if (value === "ALL") return;
  if (value === "NONE" || value === "NIL") {
    found.flags["clean-env"] = true;
    return;
  }
  found.unknown.push(
    `--export=${value}: write --env NAME=VALUE, with --clean-env where nothing else shall pass`,
  );
}

function unknownWord(word: DirectiveWord): string {
  const near = nearest(word.name, KNOWN);
  return `line ${word.line}: ${word.text} is no option of sbatch${near === null ? "" : ` (did you mean --${near}?)`}`;
}
