/**
 * Timings of the compiled binary. Machines are noisy, so what can be compared is run in pairs, A B A B,
 * each with a fresh home, and the medians of the pairs' ratios are shown; peers that are not installed
 * are left out by name. `--runs N` (9 by default) pairs; `--only WORD` runs the rows whose name has it;
 * `--binary FILE` measures another one than dist/jobx.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { noCounts } from "../src/model/states.ts";
import { allocateJob, readSpec, writeNative, writeSpec, writeSummary } from "../src/store/jobs.ts";
import { jobDir } from "../src/store/layout.ts";
import {
  copiesOf,
  emptyProgram,
  inPairs,
  measure,
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
  },
});
const RUNS = Number(values.runs);
const jobx = values.binary;
const work = mkdtempSync(join(tmpdir(), "jobx-bench-"));

/** Verbs that take every job and never run it: what is measured is jobx. */
const ACCEPTING = `
  affinity: () => ({ score: 0, why: "for measuring" }),
  submit: ({ spec, elements }) => {
    const submitted = new Date().toISOString();
    return Promise.resolve({ natives: [{ id: String(spec.id), cluster: null, submitted, firstElement: 0, elements }] });
  },
  status: (jobs) =>
    Promise.resolve(
      jobs.flatMap(({ id, spec }) =>
        Array.from({ length: spec.tasks }, (_, element) => ({ job: id, element, state: "queued", native: "PENDING", reason: "it never starts", node: null })),
      ),
    ),
  cancel: () => Promise.resolve(),
  environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
`;

const ACCEPTING_EXECUTOR = `
import { defineExecutor } from "jobx/plugin";
export default defineExecutor({
  name: "accept",
  description: "Accepts every job and runs none",
  capabilities: { arrays: true },
  ${ACCEPTING}
});
`;

/** Prints seconds, seconds and megabytes. */
const ROWS_SCRIPT = `
import { createExecutor } from "jobx";
export function double(x: number): number { return x * 2; }
if (import.meta.main) {
  const rows = Array.from({ length: 10_000 }, (_, index) => index);
  const began = performance.now();
  await (await createExecutor({ executor: "accept" })).map(double, rows);
  const mapped = performance.now();
  const job = await (await createExecutor({ executor: "local" })).map(double, rows);
  await Promise.all(job.tasks.map((task) => task.result()));
  const ended = performance.now();
  console.log((mapped - began) / 1000, (ended - mapped) / 1000, process.resourceUsage().maxRSS / 1024);
}
`;

let rows: Row[] = [];
let homes = 0;

try {
  rows = await measureAll(
    {
      "start: jobx --version": benchVersion,
      "start: jobx run": benchRun,
      "list of 1,000 jobs": benchList,
      "list with ten plugins": benchPlugins,
      "1,000 x true, 2 slots": benchCommands,
      "1,000 functions, 2 slots": benchFunctions,
      "one function, submit to result": benchOne,
      "submit 100,000 tasks": benchHuge,
      "API: 10,000 rows": benchRows,
      "idle processes": benchIdle,
    },
    values.only,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
printTable(rows);

async function benchVersion(): Promise<Row[]> {
  const empties = copiesOf(await emptyProgram(work), work);
  const ours = copiesOf(jobx, work);
  const pairs = await inPairs(
    RUNS * 3,
    (pair) => time([pick(ours, pair), "--version"]),
    (pair) => time([pick(empties, pair)]),
  );
  const ratio = median(pairs.map(([a, b]) => a / b));
  return [
    {
      what: "jobx --version / empty compiled Bun program",
      measured: `${ratio.toFixed(2)} x (${ms(median(pairs.map(([a]) => a)))} / ${ms(median(pairs.map(([, b]) => b)))})`,
      target: "at most 1.3 x",
      holds: ratio <= 1.3,
    },
  ];
}

async function benchRun(): Promise<Row[]> {
  const script = join(work, "hello.ts");
  writeFileSync(script, "console.log('hello' as string);\n");
  const pairs = await inPairs(
    RUNS * 3,
    () => time([jobx, "run", script]),
    () => time([process.execPath, script]),
  );
  const more = median(pairs.map(([a, b]) => a - b));
  return [
    {
      what: "jobx run hello.ts beside bun hello.ts",
      measured: `${ms(more)} more (${ms(median(pairs.map(([a]) => a)))} / ${ms(median(pairs.map(([, b]) => b)))})`,
      target: "at most 10 ms more",
      holds: more <= 0.01,
    },
  ];
}

async function benchList(): Promise<Row[]> {
  const env = freshHome();
  await run([jobx, "submit", "--wait", "--", "true"], env);
  const home = String(env["JOBX_HOME"]);
  const spec = readSpec(jobDir(home, 1));
  const counts = { ...noCounts(), succeeded: 1 };
  const now = new Date().toISOString();
  for (let made = 1; made < 1000; made++) {
    const { id, dir } = allocateJob(home);
    writeSpec(dir, { ...spec, id });
    writeNative(dir, { natives: [] });
    writeSummary(dir, { counts, startedAt: now, endedAt: now, seconds: 0.1 });
  }
  const seconds: number[] = [];
  for (let i = 0; i < RUNS; i++) seconds.push(await time([jobx, "list", "--json"], env));
  const middle = median(seconds);
  return [
    { what: "jobx list, 1,000 jobs", measured: ms(middle), target: "at most 100 ms", holds: middle <= 0.1 },
  ];
}

/**
 * What loading ten plugins costs, each as `jobx plugins new` writes it: nothing where no job of theirs has to be asked
 * for; where one of each has to, beside as many jobs of one of them, so that the jobs are the same work.
 */
async function benchPlugins(): Promise<Row[]> {
  const plugins = join(work, "ten");
  mkdirSync(plugins, { mode: 0o700 });
  const names = Array.from({ length: 10 }, (_, index) => `site${index}`);
  for (const name of names) {
    const file = join(plugins, `${name}.ts`);
    await run([jobx, "plugins", "new", name, "--dir", plugins], freshHome());
    const scaffold = readFileSync(file, "utf8").replace("export default ", "const site = ");
    writeFileSync(file, `${scaffold}\nexport default { ...site, ${ACCEPTING} };\n`);
  }
  const [ended, ofOne, ofTen] = [freshHome(), freshHome(), freshHome()];
  for (const home of [ended, ofOne, ofTen]) home["JOBX_PLUGIN_PATH"] = plugins;
  for (const name of names) {
    await run([jobx, "submit", "--wait", "--", "true"], ended);
    await run([jobx, "submit", "-e", "site0", "--", "true"], ofOne);
    await run([jobx, "submit", "-e", name, "--", "true"], ofTen);
  }
  const list = (home: Record<string, string>) => time([jobx, "list"], home);
  const compared = async (what: string, a: Record<string, string>, b: Record<string, string>) => {
    const pairs = await inPairs(
      RUNS * 3,
      () => list(a),
      () => list(b),
    );
    const more = median(pairs.map(([ours, other]) => ours - other));
    return {
      what: `jobx list, ${what}`,
      measured: `${ms(more)} more (${ms(median(pairs.map(([ours]) => ours)))} / ${ms(median(pairs.map(([, other]) => other)))})`,
      target: "at most 10 ms more",
      holds: more <= 0.01,
    };
  };
  return [
    await compared("ten plugins without a job / none", ended, { ...ended, JOBX_PLUGIN_PATH: "" }),
    await compared("ten plugins with a queued job each / one with ten", ofTen, ofOne),
  ];
}

async function benchCommands(): Promise<Row[]> {
  const submit = ["submit", "-q", "--array", "0-999", "--wait", "--", "true"];
  const ours = async () => await warm(async (env) => await time([jobx, ...submit], env));
  const shell = (line: string) => async () => await time(["sh", "-c", line]);
  const pairs = await inPairs(RUNS, ours, shell("seq 1000 | xargs -P2 -n1 true"));
  const ratio = median(pairs.map(([a, b]) => a / b));
  const found: Row[] = [
    {
      what: "1,000 x true: jobx submit --wait / xargs -P2 -n1",
      measured: `${ratio.toFixed(2)} x (${ms(median(pairs.map(([a]) => a)))} / ${ms(median(pairs.map(([, b]) => b)))})`,
      target: "at most 1 x",
      holds: ratio <= 1,
    },
  ];
  if (Bun.which("parallel")) {
    const few = await inPairs(3, ours, shell("seq 1000 | parallel -j2 true {}"));
    const other = median(few.map(([a, b]) => a / b));
    found.push({
      what: "1,000 x true: jobx / GNU parallel -j2",
      measured: `${other.toFixed(2)} x`,
      target: "",
      holds: true,
    });
  }
  return found;
}

async function benchFunctions(): Promise<Row[]> {
  const file = join(work, "square.ts");
  writeFileSync(file, "export default ({ index }: { index: number }) => index * index;\n");
  const seconds: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    seconds.push(await warm((env) => time([jobx, "submit", "-q", "--array", "0-999", "--wait", file], env)));
  }
  const rate = 1000 / median(seconds);
  return [
    {
      what: "1,000 functions as one array, submit to all records",
      measured: `${Math.round(rate)} tasks/s`,
      target: "at least 500/s",
      holds: rate >= 500,
    },
  ];
}

async function benchOne(): Promise<Row[]> {
  const file = join(work, "one.ts");
  writeFileSync(file, "export default () => 42;\n");
  const seconds: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    seconds.push(
      await warm(async (env) => {
        const began = performance.now();
        await run([jobx, "submit", "-q", file], env);
        const results = join(String(env["JOBX_HOME"]), "jobs", "2", "results", "0", "0.0.0.seg");
        while (!(existsSync(results) && readFileSync(results).includes("succeeded"))) await Bun.sleep(1);
        return (performance.now() - began) / 1000;
      }),
    );
  }
  const middle = median(seconds);
  return [
    {
      what: "one function, submit to result on disk",
      measured: ms(middle),
      target: "at most 100 ms",
      holds: middle <= 0.1,
    },
  ];
}

async function benchHuge(): Promise<Row[]> {
  const env = freshHome();
  const plugins = join(work, "plugins");
  mkdirSync(plugins, { mode: 0o700 });
  writeFileSync(join(plugins, "accept.ts"), ACCEPTING_EXECUTOR);
  env["JOBX_PLUGIN_PATH"] = plugins;
  await run([jobx, "submit", "--wait", "--", "true"], env);
  const submits: number[] = [];
  const statuses: number[] = [];
  const sizes: number[] = [];
  let files = 0;
  for (let i = 0; i < Math.min(RUNS, 5); i++) {
    const { seconds, maxRss } = await measure(
      [jobx, "submit", "-q", "-e", "accept", "--array", "0-99999", "--", "true"],
      env,
    );
    submits.push(seconds);
    sizes.push(maxRss);
    const dir = jobDir(String(env["JOBX_HOME"]), 2 + i);
    files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ).length;
    statuses.push(await time([jobx, "status", String(2 + i)], env));
  }
  const rss = Math.max(...sizes) / 1e6;
  return [
    {
      what: "submit 100,000 tasks",
      measured: ms(median(submits)),
      target: "at most 3 s",
      holds: median(submits) <= 3,
    },
    { what: "… files", measured: String(files), target: "at most 10", holds: files <= 10 },
    { what: "… peak memory", measured: `${rss.toFixed(0)} MB`, target: "at most 250 MB", holds: rss <= 250 },
    {
      what: "… status of it",
      measured: ms(median(statuses)),
      target: "at most 1 s",
      holds: median(statuses) <= 1,
    },
  ];
}

/** A script that maps a function over 10,000 rows: how long that takes, and what waiting for all of them takes. */
async function benchRows(): Promise<Row[]> {
  const env = freshHome();
  const plugins = join(work, "api-plugins");
  mkdirSync(plugins, { mode: 0o700 });
  writeFileSync(join(plugins, "accept.ts"), ACCEPTING_EXECUTOR);
  env["JOBX_PLUGIN_PATH"] = plugins;
  const script = join(work, "rows.ts");
  writeFileSync(script, ROWS_SCRIPT);
  const [mapped, waited]: [number[], number[]] = [[], []];
  let memory = 0;
  for (let i = 0; i < Math.min(RUNS, 5); i++) {
    const { stdout } = Bun.spawnSync([jobx, "run", script], { env, stderr: "inherit" });
    const [map = Number.NaN, wait = Number.NaN, peak = Number.NaN] = stdout.toString().split(" ").map(Number);
    mapped.push(map);
    waited.push(wait);
    memory = Math.max(memory, peak);
  }
  const files = readdirSync(jobDir(String(env["JOBX_HOME"]), 1)).length;
  const seconds = median(mapped);
  return [
    { what: "executor.map, 10,000 rows", measured: ms(seconds), target: "at most 1 s", holds: seconds <= 1 },
    { what: "… files", measured: String(files), target: "at most 10", holds: files <= 10 },
    { what: "… run here, all results", measured: ms(median(waited)), target: "", holds: true },
    {
      what: "… peak memory of the script",
      measured: `${memory.toFixed(0)} MB`,
      target: "at most 200 MB",
      holds: memory <= 200,
    },
  ];
}

async function benchIdle(): Promise<Row[]> {
  const env = freshHome();
  await run([jobx, "submit", "-q", "--parallel", "1", "--array", "0-9999", "--", "sleep", "1000"], env);
  const found: Row[] = [];
  const deadline = performance.now() + 10_000;
  let worker = 0;
  let queue = 0;
  while (performance.now() < deadline && !(worker && queue)) {
    worker = rssOf("_worker", env);
    queue = rssOf("_queue", env);
    await Bun.sleep(50);
  }
  await Bun.sleep(1000);
  worker = rssOf("_worker", env) / 1e6;
  queue = rssOf("_queue", env) / 1e6;
  await run([jobx, "cancel", "last"], env);
  found.push({
    what: "idle supervisor of a command",
    measured: `${worker.toFixed(0)} MB`,
    target: "at most 60 MB",
    holds: worker > 0 && worker <= 60,
  });
  found.push({
    what: "queue with 10,000 queued tasks",
    measured: `${queue.toFixed(0)} MB`,
    target: "at most 80 MB",
    holds: queue > 0 && queue <= 80,
  });
  return found;
}

/** RSS in bytes of the process of this home that was started with the given word; 0 without one. */
function rssOf(word: string, env: Record<string, string>): number {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (!argv.includes(word)) continue;
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(String(env["JOBX_RUNTIME_DIR"]))) continue;
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
    } catch {
      // It ended while it was looked at.
    }
  }
  return 0;
}

/** Runs `bench` in a fresh home whose queue and pinned binary are already there. */
async function warm(bench: (env: Record<string, string>) => Promise<number>): Promise<number> {
  const env = freshHome();
  await run([jobx, "submit", "-q", "--wait", "--", "true"], env);
  // Removed with all others at the end: ext4 makes files more slowly for seconds after many were removed.
  return await bench(env);
}

function freshHome(): Record<string, string> {
  const base = join(work, String(homes++));
  const runtime = join(base, "run");
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  return {
    PATH: "/usr/bin:/bin",
    HOME: base,
    JOBX_HOME: join(base, "home"),
    JOBX_RUNTIME_DIR: runtime,
    JOBX_EXECUTOR: "local",
    JOBX_QUEUE_IDLE_MS: "2000",
  };
}
