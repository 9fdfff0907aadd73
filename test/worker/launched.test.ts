import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { loadValue } from "../../src/store/values.ts";
import { readRankEnd } from "../../src/worker/rank-script.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import { againsOf, type JobInput, logOf, makeJob, resultsOf, runJob, startWorker } from "./job.ts";

/**
 * Stands for a scheduler's launcher: starts its words as ranks, two per host, passes USR1 and USR2 on, and ends the
 * others when one fails, as srun --kill-on-bad-exit=1 does.
 */
const LAUNCHER = `
const [count, ...words] = process.argv.slice(2);
const ranks = Array.from({ length: Number(count) }, (_, rank) =>
  Bun.spawn(words, {
    env: { ...process.env, FAKE_RANK: String(rank), FAKE_LOCAL: String(rank % 2) },
    stdio: ["ignore", "inherit", "inherit"],
  }),
);
for (const signal of ["SIGUSR1", "SIGUSR2"]) process.on(signal, () => ranks.forEach((rank) => rank.kill(signal)));
process.on("SIGTERM", () => ranks.forEach((rank) => rank.kill("SIGKILL")));
let worst = 0;
await Promise.all(ranks.map(async (rank) => {
  const code = await rank.exited;
  worst = Math.max(worst, code);
  if (code !== 0) ranks.forEach((other) => other.kill("SIGTERM"));
}));
process.exit(worst);
`;

function makeLaunched(input: JobInput): { dir: string; home: string; env: Record<string, string> } {
  const home = tempDir();
  const launcher = join(home, "launcher.ts");
  writeFileSync(launcher, LAUNCHER);
  const resources = { nodes: 2, ranksPerNode: 2, ...input.resources };
  const dir = makeJob(home, { ...input, resources });
  const words = [process.execPath, "--no-install", launcher, "4"];
  const env = {
    JOBX_ELEMENT: "0",
    JOBX_HOSTLIST: "tux[1-2]",
    JOBX_RANK_COMMAND: JSON.stringify(words),
    JOBX_RANK_VARIABLES: "FAKE_RANK FAKE_LOCAL",
    JOBX_REQUEUE_COMMAND: JSON.stringify(["touch", join(home, "requeue")]),
  };
  return { dir, home, env };
}

const logsOf = (dir: string, stream: "out" | "err" = "out") =>
  [0, 1, 2, 3].map((rank) => logOf(dir, 0, stream, 1, rank).trim());

describe("a command of several ranks that a scheduler's launcher starts", () => {
  test("has a log, a value and a record per rank, and knows its place", async () => {
    const { dir, env } = makeLaunched({
      argv: [
        "sh",
        "-c",
        'echo "$JOBX_RANK $JOBX_LOCAL_RANK $JOBX_NUM_RANKS $JOBX_HOSTNAMES $MASTER_ADDR $RANK $LOCAL_RANK $WORLD_SIZE $LOCAL_WORLD_SIZE"; echo err >&2; echo $((JOBX_RANK * 10)) > $JOBX_RESULT',
      ],
      run: { distributed: true },
    });
    expect(await runJob(dir, env)).toBe(0);
    expect(logsOf(dir)).toEqual([
      "0 0 4 tux1,tux2 tux1 0 0 4 2",
      "1 1 4 tux1,tux2 tux1 1 1 4 2",
      "2 0 4 tux1,tux2 tux1 2 0 4 2",
      "3 1 4 tux1,tux2 tux1 3 1 4 2",
    ]);
    expect(logsOf(dir, "err")).toEqual(["err", "err", "err", "err"]);
    expect(resultsOf(dir).map(({ value }) => value && loadValue(dir, value))).toEqual([0, 10, 20, 30]);
    expect(readdirSync(join(dir, "values"))).toEqual([]);
  });

  test("keeps the output of each rank with --capture, and both streams in one log with --merge-output", async () => {
    const { dir, env } = makeLaunched({
      argv: ["sh", "-c", "echo out $JOBX_RANK; echo err >&2"],
      run: { capture: true, mergeOutput: true },
    });
    expect(await runJob(dir, env)).toBe(0);
    const values = resultsOf(dir).map(({ value }) => value && loadValue(dir, value));
    expect(values).toEqual([0, 1, 2, 3].map((rank) => `out ${rank}\nerr`));
    expect(existsSync(join(dir, "logs/0.1.err"))).toBe(false);
  });

  test("fails as a whole when one rank does, and says which", async () => {
    const { dir, env } = makeLaunched({
      argv: ["sh", "-c", "test $JOBX_RANK = 2 && exit 7; exec sleep 300"],
    });
    expect(await runJob(dir, env)).toBe(1);
    const results = resultsOf(dir);
    expect(results.map(({ status }) => status)).toEqual(["failed", "failed", "failed", "failed"]);
    expect(results[2]).toMatchObject({ exitCode: 7, reason: "exit code 7" });
    expect(results[0]?.reason).toBe("ended because rank 2 failed (exit code 7)");
  });

  test("names the signal that killed a rank", async () => {
    const { dir, env } = makeLaunched({
      argv: ["sh", "-c", "test $JOBX_RANK = 1 && kill -KILL $$; exec sleep 300"],
    });
    expect(await runJob(dir, env)).toBe(1);
    const results = resultsOf(dir);
    expect(results[1]).toMatchObject({ exitCode: null, signal: "SIGKILL" });
    expect(results[0]?.reason).toStartWith("ended because rank 1 failed (killed by SIGKILL");
  });

  test("is warned where it listens, and may ask to be run again", async () => {
    const listening = "trap 'exit 85' USR2; echo ready; while :; do sleep 0.05; done";
    const { dir, env, home } = makeLaunched({
      argv: ["sh", "-c", `test $JOBX_ATTEMPT -gt 0 && exit 0; ${listening}`],
    });
    const worker = startWorker(dir, env);
    await eventually(() => logsOf(dir).every((log) => log === "ready"));
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(75);
    expect(againsOf(dir)).toHaveLength(4);
    expect(existsSync(join(home, "requeue"))).toBe(true);
    expect(await runJob(dir, env)).toBe(0);
    expect(resultsOf(dir).map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
  });

  test("is not hurt by a warning to which it does not listen, and is ended at its limit", async () => {
    const { dir, env } = makeLaunched({
      argv: ["sh", "-c", "sleep 0.6; echo survived; sleep 300"],
      resources: { timeSeconds: 1.2 },
      run: { signalDelaySeconds: 1 },
    });
    expect(await runJob(dir, env)).toBe(1);
    expect(logsOf(dir)).toEqual(["survived", "survived", "survived", "survived"]);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["timeout", "timeout", "timeout", "timeout"]);
  });

  test("says that the launcher failed where no rank ever ran", async () => {
    const { dir, env } = makeLaunched({ argv: ["true"] });
    const words = JSON.stringify(["sh", "-c", "echo no such nodes >&2; exit 3"]);
    expect(await runJob(dir, { ...env, JOBX_RANK_COMMAND: words })).toBe(1);
    expect(resultsOf(dir)[3]?.reason).toBe("sh ended with exit code 3, and the rank left no exit code");
    expect(logOf(dir, 0, "err")).toBe("no such nodes\n");
  });

  test("fails where the disk is too full for the ranks to leave their exit codes", async () => {
    const { dir, env } = makeLaunched({ argv: ["sh", "-c", "exit 3"] });
    const launcher: string[] = JSON.parse(env["JOBX_RANK_COMMAND"] ?? "");
    const words = [...launcher, "sh", "-c", `trap '' XFSZ; ulimit -f 0; exec "$@"`, "sh"];
    expect(await runJob(dir, { ...env, JOBX_RANK_COMMAND: JSON.stringify(words) })).toBe(1);
    for (const { status, reason } of resultsOf(dir)) {
      expect(status).toBe("failed");
      expect(reason).toEndWith("and the rank left no exit code");
    }
    expect(readdirSync(join(dir, "values"))).toEqual([]);
  });
});

describe("a function of several ranks that a scheduler's launcher starts", () => {
  test("runs in a process per rank, and each rank's value is kept", async () => {
    const file = join(tempDir(), "ranks.ts");
    writeFileSync(
      file,
      `export default () => {
        console.log("rank", process.env.JOBX_RANK);
        return [process.env.JOBX_RANK, process.env.JOBX_LOCAL_RANK, process.env.WORLD_SIZE, process.env.JOBX_HOSTNAMES];
      };`,
    );
    const { dir, env } = makeLaunched({
      entry: { kind: "function", file, export: "default", code: null },
      run: { distributed: true },
    });
    expect(await runJob(dir, env)).toBe(0);
    expect(resultsOf(dir).map(({ value }) => value && loadValue(dir, value))).toEqual([
      ["0", "0", "4", "tux1,tux2"],
      ["1", "1", "4", "tux1,tux2"],
      ["2", "0", "4", "tux1,tux2"],
      ["3", "1", "4", "tux1,tux2"],
    ]);
    expect(logsOf(dir)).toEqual(["rank 0", "rank 1", "rank 2", "rank 3"]);
  });

  test("fails with the error of the rank that threw", async () => {
    const file = join(tempDir(), "throws.ts");
    writeFileSync(
      file,
      `export default async () => {
        if (process.env.JOBX_RANK === "1") throw new Error("one is wrong");
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      };`,
    );
    const { dir, env } = makeLaunched({ entry: { kind: "function", file, export: "default", code: null } });
    expect(await runJob(dir, env)).toBe(1);
    const results = resultsOf(dir);
    expect(results[1]?.error?.message).toBe("one is wrong");
    expect(results.map(({ status }) => status)).toEqual(["failed", "failed", "failed", "failed"]);
  });

  test("has the first asked for its state while the others wait, and goes on from it on all of them", async () => {
    const file = join(tempDir(), "ranked.ts");
    writeFileSync(
      file,
      `import { defineTask } from "jobx";
      export default defineTask({
        async run(ctx) {
          if (ctx.restored) return ctx.restored;
          console.log("waits");
          for (;; await Bun.sleep(5)) ctx.signal.throwIfAborted();
        },
        checkpoint: async (ctx) => (await Bun.sleep(300), ctx.signal.reason.kind + " at rank " + ctx.rank),
      });`,
    );
    for (const [signal, why] of [
      ["SIGUSR1", "timeout"],
      ["SIGUSR2", "preempted"],
      ["SIGTERM", "preempted"],
    ] as const) {
      const entry = { kind: "function" as const, file, export: "default", code: null };
      const { dir, home, env } = makeLaunched({ entry });
      const worker = startWorker(dir, env);
      await eventually(() => logsOf(dir).every((log) => log.includes("waits")));
      worker.signal(signal);
      expect(await worker.ended).toBe(75);
      // After SIGTERM the scheduler decides whether it is run again.
      expect(existsSync(join(home, "requeue"))).toBe(signal !== "SIGTERM");
      expect(againsOf(dir)).toMatchObject([0, 1, 2, 3].map((rank) => ({ rank, why })));
      expect(await runJob(dir, { ...env, JOBX_RESTARTS: "1" })).toBe(0);
      expect(resultsOf(dir).map(({ value }) => value && loadValue(dir, value))).toEqual(
        Array.from({ length: 4 }, () => `${why} at rank 0`),
      );
    }
  }, 30_000);

  test("that does nothing about a warning, or blocks, is ended where the first has a state", async () => {
    for (const waiting of ["await Bun.sleep(1e8)", "while (true)"]) {
      const file = join(tempDir(), "deaf.ts");
      writeFileSync(
        file,
        `import { defineTask } from "jobx";
        export default defineTask({
          async run(ctx) {
            if (ctx.restored) return ctx.restored;
            await ctx.save("by rank " + ctx.rank);
            console.log("waits");
            ${waiting};
          },
        });`,
      );
      const entry = { kind: "function" as const, file, export: "default", code: null };
      const { dir, env } = makeLaunched({ entry, run: { signalDelaySeconds: 2 } });
      const worker = startWorker(dir, env);
      await eventually(() => logsOf(dir).every((log) => log.includes("waits")));
      worker.signal("SIGUSR2");
      expect(await worker.ended).toBe(75);
      expect(againsOf(dir)).toMatchObject([0, 1, 2, 3].map((rank) => ({ rank, why: "preempted" })));
      expect(logOf(dir).includes("blocks its event loop")).toBe(waiting === "while (true)");
      expect(await runJob(dir, { ...env, JOBX_RESTARTS: "1" })).toBe(0);
      expect(resultsOf(dir).map(({ value }) => value && loadValue(dir, value))).toEqual(
        Array.from({ length: 4 }, () => "by rank 0"),
      );
    }
  }, 30_000);
});

test("what a rank's script left is read as dash and bash write it, and without a control group of its own", () => {
  const dash = readRankEnd("0\n0m0.000000s 0m0.010000s\n1m2.500000s 0m0.250000s\n4096\n");
  expect(dash).toEqual({
    code: 0,
    usage: { maxRssBytes: 4096, maxRssIsUpperBound: true, userSeconds: 62.5, systemSeconds: 0.25 },
  });
  expect(readRankEnd("137\n0m0.001s 0m0.002s\n0m0.003s 0m0.004s\n\n")).toEqual({ code: 137, usage: null });
  expect(readRankEnd("3\n")).toEqual({ code: 3, usage: null });
  expect(["", "\n", "13"].map(readRankEnd)).toEqual([null, null, null]);
});
