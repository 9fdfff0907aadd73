/**
 * Timings on a live Slurm cluster, beside its own commands in the same run: sbatch, and submitit where python3 can
 * import it: `--submitit FOLDER` names its source, which needs python3-cloudpickle and python3-typing-extensions.
 * `--runs N` (9 by default) pairs; `--only WORD` runs the rows whose name has it; `--binary FILE` measures another one
 * than dist/jobx.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { jobDir } from "../src/store/layout.ts";
import { JobTail } from "../src/store/segment-tail.ts";
import {
  copiesOf,
  emptyProgram,
  inPairs,
  measureAll,
  median,
  ms,
  pick,
  printTable,
  type Row,
  run,
  time,
} from "./lib/measure.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "9" },
    only: { type: "string", default: "" },
    binary: { type: "string", default: join(dirname(import.meta.dir), "dist", "jobx") },
    submitit: { type: "string", default: process.env["PYTHONPATH"] ?? "" },
  },
});
const RUNS = Number(values.runs);
const jobx = values.binary;
/** Functions and commands of one array, and how many of them at once. */
const TASKS = 200;
const AT_ONCE = 24;
const PACKED = 2000;
/** What waits for its time is accepted, and never runs. */
const LATER = "now+1hour";

/** Maps a function of nothing, and waits for all values, as its manual shows it. */
const SUBMITIT = `
import sys, time, submitit
folder, count, parallel = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
executor = submitit.AutoExecutor(folder=folder, cluster="slurm")
executor.update_parameters(slurm_array_parallelism=parallel, timeout_min=5)
began = time.time()
jobs = executor.map_array(abs, range(count))
[job.result() for job in jobs]
print(time.time() - began)
`;

const work = mkdtempSync(join(tmpdir(), "jobx-bench-"));
const env: Record<string, string> = {
  PATH: "/usr/bin:/bin",
  HOME: work,
  USER: process.env["USER"] ?? "root",
  JOBX_HOME: join(work, "home"),
  JOBX_EXECUTOR: "slurm",
};
let rows: Row[] = [];
let folders = 0;

try {
  // The runtime is pinned and the cluster's limits are known from a home's first job on.
  await run([jobx, "submit", "-q", "--wait", "--", "true"], env);
  rows = await measureAll(
    {
      "submit of 1,000 tasks": benchSubmit,
      "one command": benchOne,
      arrays: benchArrays,
    },
    values.only,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
printTable(rows);

/** What submitting costs, with a program of Bun's that does nothing as the least that jobx can cost. */
async function benchSubmit(): Promise<Row[]> {
  const empties = copiesOf(await emptyProgram(join(work, "empty")), work);
  const ours = copiesOf(jobx, work);
  const script = batchScript("true");
  const mark = basename(work);
  const bare = [
    "sbatch",
    "--parsable",
    `--begin=${LATER}`,
    "--array=0-999",
    "-J",
    mark,
    "-o",
    "/dev/null",
    script,
  ];
  const found: Row[] = [];
  const ways = [
    ["-e slurm", env],
    ["the executor found by itself", { ...env, JOBX_EXECUTOR: "auto" }],
  ] as const;
  for (const [way, own] of ways) {
    const words = ["submit", "-q", "-o", `begin=${LATER}`, "--name", mark, "--array", "0-999", "--", "true"];
    const starts: number[] = [];
    const each = { ours: [] as number[], bare: [] as number[] };
    for (let round = -1; round < RUNS; round++) {
      // Whichever comes first finds a controller that is busy with what was cancelled.
      for (const which of round % 2 === 0 ? (["ours", "bare"] as const) : (["bare", "ours"] as const)) {
        const start = await time([pick(empties, round + 1)], env);
        const argv = which === "ours" ? [pick(ours, round + 1), ...words] : bare;
        const seconds = await time(argv, which === "ours" ? own : env);
        if (round < 0) continue; // the first of each does not count
        starts.push(start);
        each[which].push(seconds);
      }
      // So that they do not fill the queue.
      await run(["scancel", `--name=${mark}`], env);
    }
    const [least, mine, theirs] = [median(starts), median(each.ours), median(each.bare)];
    const allowed = 1.5 * theirs + least;
    found.push({
      what: `submit of 1,000 tasks, ${way}`,
      measured: `${ms(mine)} (sbatch ${ms(theirs)}, empty Bun program ${ms(least)})`,
      target: `at most 1.5 x sbatch + 1 Bun: ${ms(allowed)}`,
      holds: mine <= allowed,
    });
  }
  return found;
}

/** Slurm starts jobs once a second, so both of a pair are submitted at the same part of a second. */
async function benchOne(): Promise<Row[]> {
  let phase = 0;
  const pairs = await inPairs(
    RUNS,
    async () => {
      phase = Math.random() * 1000;
      await untilPhase(phase);
      return await oursToRecords(["--", "true"], 1);
    },
    async () => {
      await untilPhase(phase);
      return await bareToFiles([], 1);
    },
  );
  const more = median(pairs.map(([a, b]) => a - b));
  return [
    {
      what: "one command, submit to record, more than sbatch to its file",
      measured: `${ms(more)} (${ms(median(pairs.map(([a]) => a)))} - ${ms(median(pairs.map(([, b]) => b)))})`,
      target: "at most 120 ms",
      holds: more <= 0.12,
    },
  ];
}

async function benchArrays(): Promise<Row[]> {
  const file = join(work, "nothing.ts");
  writeFileSync(file, "export default ({ index }: { index: number }) => index;\n");
  const array = ["--array", `0-${TASKS - 1}%${AT_ONCE}`];
  const [bare, commands, functions, packed, pythons]: number[][] = [[], [], [], [], []];
  const hasSubmitit = await canImportSubmitit();
  for (let i = 0; i < Math.min(RUNS, 3); i++) {
    bare?.push(await bareToFiles([`--array=0-${TASKS - 1}%${AT_ONCE}`], TASKS));
    commands?.push(await oursToRecords([...array, "--", "true"], TASKS));
    functions?.push(await oursToRecords([...array, file], TASKS));
    packed?.push(await oursToRecords(["--array", `0-${PACKED - 1}`, "--pack", "100", "--", "true"], PACKED));
    if (hasSubmitit && i === 0) pythons?.push(await submititSeconds());
  }
  const [base, ours, calls, packs] = [bare, commands, functions, packed].map((each) => median(each ?? []));
  const ratio = (what: string, seconds = Number.NaN, most: number): Row => ({
    what: `${TASKS} trivial ${what}, ${AT_ONCE} at once / sbatch`,
    measured: `${(seconds / (base ?? 0)).toFixed(2)} x (${ms(seconds)} / ${ms(base ?? 0)})`,
    target: `at most ${most} x`,
    holds: seconds <= most * (base ?? 0),
  });
  const gain = PACKED / (packs ?? 0) / (TASKS / (ours ?? 0));
  return [
    ratio("commands", ours, 2),
    ratio("functions", calls, 3),
    submititRow(pythons ?? [], calls ?? 0),
    {
      what: `${PACKED} commands with --pack 100 / unpacked, tasks per second`,
      measured: `${gain.toFixed(1)} x (${Math.round(PACKED / (packs ?? 0))}/s / ${Math.round(TASKS / (ours ?? 0))}/s)`,
      target: "at least 10 x",
      holds: gain >= 10,
    },
  ];
}

function submititRow([seconds]: number[], ours: number): Row {
  const what = `${TASKS} trivial functions: submitit / jobx`;
  if (seconds === undefined)
    return {
      what,
      measured: "left out: python3 imports no submitit (--submitit FOLDER)",
      target: "",
      holds: true,
    };
  const ratio = seconds / ours;
  const measured = `${ratio.toFixed(1)} x (${ms(seconds)} / ${ms(ours)})`;
  return { what, measured, target: "at least 3 x", holds: ratio >= 3 };
}

/** Seconds from `jobx submit` to the last of its records on disk. */
async function oursToRecords(words: string[], count: number): Promise<number> {
  const began = performance.now();
  const child = Bun.spawn([jobx, "submit", "-q", ...words], { env, stdin: "ignore", stdout: "pipe" });
  const id = Number(await child.stdout.text());
  const tail = new JobTail(jobDir(join(work, "home"), id));
  for (let ended = 0; ended < count; await Bun.sleep(count === 1 ? 1 : 20)) {
    for (const record of tail.poll().records) if (record.kind === "result") ended++;
  }
  return (performance.now() - began) / 1000;
}

/** Seconds from `sbatch` to the last of the files that its tasks make. */
async function bareToFiles(words: string[], count: number): Promise<number> {
  const folder = join(work, `bare-${folders++}`);
  mkdirSync(folder);
  const script = batchScript(`touch ${folder}/\${SLURM_ARRAY_TASK_ID:-0}`);
  const began = performance.now();
  await run(["sbatch", "--parsable", "-o", "/dev/null", ...words, script], env);
  while (readdirSync(folder).length < count) await Bun.sleep(count === 1 ? 1 : 20);
  return (performance.now() - began) / 1000;
}

function batchScript(line: string): string {
  const path = join(work, `script-${folders++}.sh`);
  writeFileSync(path, `#!/bin/sh\n${line}\n`);
  return path;
}

async function canImportSubmitit(): Promise<boolean> {
  if (Bun.which("python3") === null) return false;
  const child = Bun.spawn(["python3", "-c", "import submitit"], { env: pythonEnv(), stderr: "ignore" });
  return (await child.exited) === 0;
}

async function submititSeconds(): Promise<number> {
  const script = join(work, "many.py");
  writeFileSync(script, SUBMITIT);
  const words = [join(work, "submitit"), String(TASKS), String(AT_ONCE)];
  const child = Bun.spawn(["python3", script, ...words], { env: pythonEnv(), stdout: "pipe" });
  return Number(await child.stdout.text());
}

function pythonEnv(): Record<string, string> {
  return { ...env, PYTHONPATH: values.submitit };
}

async function untilPhase(phase: number): Promise<void> {
  await Bun.sleep((phase - (Date.now() % 1000) + 1000) % 1000);
}
