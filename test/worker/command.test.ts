import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startCommand } from "../../src/worker/command.ts";
import { logNames, openLogs } from "../../src/worker/logs.ts";
import { withValue } from "../../src/worker/rank.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import {
  againsOf,
  isAlive,
  type JobInput,
  logOf,
  makeJob,
  resultOf,
  resultsOf,
  runJob,
  startWorker,
} from "./job.ts";

describe("a command", () => {
  test("leaves its streams in two logs and its record in a segment", async () => {
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", "echo out; echo err >&2"] });
    expect(await runJob(dir)).toBe(0);
    expect(logOf(dir)).toBe("out\n");
    expect(logOf(dir, 0, "err")).toBe("err\n");
    expect(resultOf(dir)).toMatchObject({
      status: "succeeded",
      exitCode: 0,
      signal: null,
      reason: null,
      attempt: 0,
    });
  });

  test("puts both streams into one log when they are merged", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "echo out; echo err >&2"],
      run: { mergeOutput: true },
    });
    await runJob(dir);
    expect(logOf(dir)).toBe("out\nerr\n");
  });

  test("gets its arguments unchanged", async () => {
    const awkward = ["'\"", "a\nb", "$HOME `x`", "–ünïcode 𝄞", "--flag", "", "*", "\\"];
    const dir = makeJob(tempDir(), { argv: ["printf", "%s\\0", ...awkward] });
    expect(await runJob(dir)).toBe(0);
    expect(logOf(dir).split("\0").slice(0, -1)).toEqual(awkward);
  });

  test("runs each task's own words where its job has none, after the launcher's", async () => {
    const tasks = [{ args: ["echo", "one  two"] }, { args: ["sh", "-c", "exit 3"] }];
    const dir = makeJob(tempDir(), { argv: [], tasks, run: { launcher: ["env", "X=1"] } });
    expect(await runJob(dir)).toBe(1);
    expect(logOf(dir, 0, "out", 2)).toBe("one  two\n");
    expect(resultsOf(dir).map(({ exitCode }) => exitCode)).toEqual([0, 3]);
  });

  test("takes 1 MiB of arguments", async () => {
    const words = Array.from({ length: 16 }, () => "x".repeat(65_536));
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", 'echo "$*" | wc -c', "sh", ...words] });
    expect(await runJob(dir)).toBe(0);
    expect(Number(logOf(dir))).toBe(16 * 65_536 + 16);
  });

  test("with an argument or a variable that the system does not take fails with its name and size", async () => {
    const long = { templated: true, tasks: [{ params: { text: "x".repeat(1 << 20) } }] };
    const word = makeJob(tempDir(), { argv: ["echo", "-n", "{text}"], ...long });
    const variable = makeJob(tempDir(), { argv: ["true"], run: { env: { BIG: "{text}" } }, ...long });
    expect([await runJob(word), await runJob(variable)]).toEqual([1, 1]);
    expect(resultOf(word)).toMatchObject({ exitCode: 126, status: "failed" });
    expect(resultOf(word).reason).toMatch(/^argument 2 is too long: it has 1048576 bytes.*JOBX_PARAMS_FILE/);
    expect(resultOf(variable).reason).toMatch(/^BIG is too long: it has 1048580 bytes.*JOBX_PARAMS_FILE/);
  });

  test("keeps output without a final newline and bytes that are no UTF-8 in its log", async () => {
    const dir = makeJob(tempDir(), { argv: ["printf", "\\377\\376no newline"] });
    await runJob(dir);
    expect([...Buffer.from(logOfBytes(dir))].slice(0, 3)).toEqual([0xff, 0xfe, 0x6e]);
  });

  test("that does not exist fails with 127", async () => {
    const dir = makeJob(tempDir(), { argv: ["no-such-command-here"] });
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir)).toMatchObject({
      status: "failed",
      exitCode: 127,
      reason: "command not found: no-such-command-here",
    });
  });

  test("that is not executable fails with 126", async () => {
    const home = tempDir();
    writeFileSync(join(home, "script"), "true\n");
    const dir = makeJob(home, { argv: ["./script"] });
    await runJob(dir);
    expect(resultOf(dir)).toMatchObject({ status: "failed", exitCode: 126 });
    expect(resultOf(dir).reason).toContain("not executable");
  });

  test("without a first line that names an interpreter is run by the shell", async () => {
    const home = tempDir();
    writeFileSync(join(home, "script"), 'echo "hi $1"\n');
    chmodSync(join(home, "script"), 0o755);
    const dir = makeJob(home, { argv: ["./script", "you"] });
    expect(await runJob(dir)).toBe(0);
    expect(logOf(dir)).toBe("hi you\n");
  });

  test("in a folder that does not exist says so", async () => {
    const dir = makeJob(tempDir(), { cwd: "/no/such/folder" });
    await runJob(dir);
    expect(resultOf(dir)).toMatchObject({ status: "failed", exitCode: null });
    expect(resultOf(dir).reason).toContain("/no/such/folder does not exist");
  });

  test("killed by a signal has the signal's name in its record", async () => {
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", "kill -SEGV $$"] });
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "failed", signal: "SIGSEGV", reason: "killed by SIGSEGV" });
  });

  test("sees its task's variables, the job's environment and the user's", async () => {
    const dir = makeJob(tempDir(), {
      argv: [
        "sh",
        "-c",
        'echo "$JOBX_JOB.$JOBX_TASK/$JOBX_NUM_TASKS $JOBX_PARAMS $FROM_SUBMIT $FROM_RUN"; test -d "$JOBX_CHECKPOINT_DIR"',
      ],
      environment: { FROM_SUBMIT: "a", JOBX_TASK: "99" },
      run: { env: { FROM_RUN: "b" } },
    });
    expect(await runJob(dir)).toBe(0);
    expect(logOf(dir)).toBe("1.0/1 {} a b\n");
  });

  test("of an array sees its index as sbatch gives it", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "echo $SLURM_ARRAY_TASK_ID"],
      array: true,
      templated: true,
      tasks: [{ params: { index: 7 } }],
    });
    await runJob(dir);
    expect(logOf(dir)).toBe("7\n");
  });

  test("has its placeholders filled per task, in arguments and variables", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", 'echo "$0 $RATE"', "{lr}-{index}"],
      templated: true,
      tasks: [{ params: { lr: 0.1 } }, { params: { lr: "big" } }],
      run: { env: { RATE: "r={lr}" } },
    });
    expect(await runJob(dir)).toBe(0);
    expect(logOf(dir, 0, "out", 2)).toBe("0.1-0 r=0.1\n");
    expect(logOf(dir, 1, "out", 2)).toBe("big-1 r=big\n");
  });

  test("is started by the launcher's words", async () => {
    const dir = makeJob(tempDir(), { argv: ["echo", "hi"], run: { launcher: ["env", "A=b"] } });
    expect(await runJob(dir)).toBe(0);
    expect(logOf(dir)).toBe("hi\n");
  });
});

describe("the value of a command", () => {
  test("is its standard output with --capture, which is in the log too", async () => {
    const dir = makeJob(tempDir(), { argv: ["echo", "42"], run: { capture: true } });
    await runJob(dir);
    expect(resultOf(dir).value).toEqual({ kind: "inline", value: "42" });
    expect(logOf(dir)).toBe("42\n");
  });

  test("is bytes when the captured output is no UTF-8", async () => {
    const dir = makeJob(tempDir(), { argv: ["printf", "\\377"], run: { capture: true } });
    await runJob(dir);
    expect(resultOf(dir).value).toEqual({ kind: "inline", value: new Uint8Array([0xff]) });
  });

  test("is what it wrote to JOBX_RESULT", async () => {
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", `echo '{"loss": 0.5}' > $JOBX_RESULT`] });
    expect(await runJob(dir)).toBe(0);
    expect(resultOf(dir).value).toEqual({ kind: "inline", value: { loss: 0.5 } });
  });

  test("that is no JSON fails the task with the reason", async () => {
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", "echo '{oops' > $JOBX_RESULT"] });
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "failed", exitCode: 0, value: null });
    expect(resultOf(dir).reason).toContain("JOBX_RESULT is not JSON");
  });

  test("that is no JSON and begins with an emoji fails that task alone", async () => {
    const script = 'test $JOBX_TASK = 1 || echo "😀 done" > $JOBX_RESULT';
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", script], tasks: [{}, {}] });
    expect(await runJob(dir)).toBe(1);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["failed", "succeeded"]);
    expect(resultsOf(dir)[0]?.reason).toContain("JOBX_RESULT is not JSON");
  });
});

// Nobody, not even root, may make files in /sys.
describe.skipIf(process.platform !== "linux")("a large value that the disk refuses for now", () => {
  function makeRefusing(input: JobInput) {
    const dir = makeJob(tempDir(), input);
    const values = join(dir, "values");
    symlinkSync("/sys/kernel", values);
    const refused = () =>
      eventually(() => logOf(dir, 0, "err", input.tasks?.length).includes("is tried again"));
    return { dir, refused, makeRoom: () => rmSync(values) };
  }

  test("keeps no other task waiting, and is stored when there is room", async () => {
    const go = join(tempDir(), "go");
    const { dir, refused, makeRoom } = makeRefusing({
      argv: [
        "sh",
        "-c",
        `if test $JOBX_TASK = 0; then ${LARGE}; else until test -e ${go}; do sleep 0.01; done; fi`,
      ],
      tasks: [{}, {}],
      run: { capture: true },
    });
    const worker = startWorker(dir);
    await refused();
    writeFileSync(go, "");
    await eventually(() => resultsOf(dir).some(({ task }) => task === 1));
    expect(resultsOf(dir)).toHaveLength(1);
    makeRoom();
    expect(await worker.ended).toBe(0);
    expect(resultsOf(dir)[0]?.value).toMatchObject({ kind: "file" });
  });

  test("is stored all the same when the worker is asked to end meanwhile: its command has succeeded", async () => {
    const { dir, refused, makeRoom } = makeRefusing({ argv: ["sh", "-c", LARGE], run: { capture: true } });
    const worker = startWorker(dir);
    await refused();
    worker.signal("SIGTERM");
    makeRoom();
    expect(await worker.ended).toBe(0);
    expect(resultOf(dir)).toMatchObject({ status: "succeeded", value: { kind: "file" } });
  });

  test("is told of in the task's own log, also without --capture", async () => {
    const { dir, refused, makeRoom } = makeRefusing({});
    const resultPath = join(dir, "result.json");
    const names = logNames(dir, 1, 0, 0, false);
    const started = startCommand({
      argv: ["sh", "-c", `printf '"%s"' "$(${LARGE} | tr -d '\\n')" > ${resultPath}`],
      cwd: dir,
      env: { PATH: process.env.PATH ?? "" },
      names,
      logs: openLogs(names),
      cgroup: null,
      captureBytes: null,
      resultPath,
      dir,
      valueName: "0.0.0.bin",
      sampledPeakBytes: () => 0,
    });
    if (!("pid" in started)) throw new Error(`It did not start: ${started.reason}`);
    const end = withValue(await started.ended);
    await refused();
    makeRoom();
    expect(await end).toMatchObject({ ok: true, value: { kind: "file" } });
  });
});

/** Prints more than a record holds. */
const LARGE = "yes jobx | head -c 2000000";

describe("attempts", () => {
  test("a failed task is run again, with a line between its attempts in the logs", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", 'printf "attempt $JOBX_ATTEMPT"; test $JOBX_ATTEMPT = 2'],
      run: { retries: 2 },
    });
    expect(await runJob(dir)).toBe(0);
    expect(resultOf(dir)).toMatchObject({ status: "succeeded", attempt: 2 });
    expect(againsOf(dir).map((record) => [record.attempt, record.why, record.reason])).toEqual([
      [0, "failed", "exit code 1"],
      [1, "failed", "exit code 1"],
    ]);
    expect(logOf(dir)).toMatch(
      /^attempt 0\n--- jobx: attempt 1 on .* ---\nattempt 1\n--- jobx: attempt 2 .* ---\nattempt 2$/,
    );
  });

  test("exit code 85 asks for another run, which finds the checkpoint of the one before", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "test -e $JOBX_CHECKPOINT_DIR/x && exit 0; touch $JOBX_CHECKPOINT_DIR/x; exit 85"],
    });
    expect(await runJob(dir)).toBe(0);
    expect(againsOf(dir)).toMatchObject([{ why: "timeout", exitCode: 85 }]);
    expect(resultOf(dir)).toMatchObject({ status: "succeeded", attempt: 1 });
  });

  test("captured output is that of the attempt which succeeded", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "echo $JOBX_ATTEMPT; test $JOBX_ATTEMPT = 1"],
      run: { retries: 1, capture: true },
    });
    await runJob(dir);
    expect(resultOf(dir).value).toEqual({ kind: "inline", value: "1" });
  });
});

describe("ranks", () => {
  const ranks = { ranksPerNode: 3 };

  test("run together, each with its log, its record and its variables", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", 'echo "$JOBX_RANK $RANK/$WORLD_SIZE $LOCAL_RANK $MASTER_ADDR"'],
      resources: ranks,
      run: { distributed: true },
    });
    expect(await runJob(dir)).toBe(0);
    expect(resultsOf(dir).map(({ rank, status }) => [rank, status])).toEqual([
      [0, "succeeded"],
      [1, "succeeded"],
      [2, "succeeded"],
    ]);
    expect(logOf(dir, 0, "out", 1, 2)).toBe("2 2/3 2 127.0.0.1\n");
  });

  test("end together when one fails", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "test $JOBX_RANK = 1 && exit 7; exec sleep 60"],
      resources: ranks,
    });
    expect(await runJob(dir)).toBe(1);
    const results = resultsOf(dir);
    expect(results.map(({ status }) => status)).toEqual(["failed", "failed", "failed"]);
    expect(results[1]?.reason).toBe("exit code 7");
    expect(results[0]?.reason).toBe("ended because rank 1 failed (exit code 7)");
  });
});

describe("what a task leaves behind", () => {
  test("a background process in its group is ended with it", async () => {
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", "sleep 300 & echo $!"] });
    expect(await runJob(dir)).toBe(0);
    expect(isAlive(Number(logOf(dir)))).toBe(false);
  });

  test("a process that left its session is ended with it", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "setsid sh -c 'sleep 300 & echo $$ $!; wait' & sleep 0.2"],
    });
    expect(await runJob(dir)).toBe(0);
    const pids = logOf(dir).trim().split(" ").map(Number);
    expect(pids).toHaveLength(2);
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  test("a daemon that hides its environment is ended with it", async () => {
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", "(env -i setsid sleep 300 & echo $!); sleep 0.1"] });
    expect(await runJob(dir)).toBe(0);
    expect(isAlive(Number(logOf(dir)))).toBe(false);
  });
});

describe("setup and teardown", () => {
  test("give their environment and folder to every task, and run once", async () => {
    const home = tempDir();
    mkdirSync(join(home, "sub"));
    const dir = makeJob(home, {
      argv: ["sh", "-c", 'echo "$A" && pwd'],
      tasks: [{}, {}],
      run: {
        setup: [`echo ran >> ${home}/setup.txt`, "export A='x y'; cd sub"],
        teardown: [`echo down >> ${home}/setup.txt`],
      },
    });
    expect(await runJob(dir)).toBe(0);
    expect(logOf(dir, 1, "out", 2)).toBe(`x y\n${home}/sub\n`);
    expect(readFileSync(join(home, "setup.txt"), "utf8")).toBe("ran\ndown\n");
  });

  test("what the setup leaves running serves the tasks and ends with the last", async () => {
    const home = tempDir();
    const dir = makeJob(home, {
      argv: ["sh", "-c", `kill -0 $(cat ${home}/pid)`],
      tasks: [{}, {}, {}],
      run: { setup: [`sleep 300 & echo $! > ${home}/pid`] },
    });
    expect(await runJob(dir)).toBe(0);
    const pid = Number(readFileSync(join(home, "pid"), "utf8"));
    await eventually(() => !isAlive(pid));
  });

  test("need no TMPDIR that is there: that of the shell which started the queue may be gone", async () => {
    const dir = makeJob(tempDir(), { run: { setup: ["true"] } });
    expect(await runJob(dir, { TMPDIR: "/no/such/folder" })).toBe(0);
  });

  test("a failing line fails the tasks and is named", async () => {
    const dir = makeJob(tempDir(), {
      tasks: [{}, {}],
      run: { setup: ["true", "load_module nothing", "true"] },
    });
    expect(await runJob(dir)).toBe(1);
    expect(resultsOf(dir).map(({ status, reason }) => [status, reason])).toEqual([
      ["failed", 'setup line "load_module nothing" failed with exit code 127'],
      ["failed", 'setup line "load_module nothing" failed with exit code 127'],
    ]);
  });

  test("a line that hangs fails the tasks at the time limit and is named", async () => {
    const dir = makeJob(tempDir(), {
      tasks: [{}],
      resources: { timeSeconds: 1 },
      run: { setup: ["true", "sleep 300"] },
    });
    expect(await runJob(dir)).toBe(1);
    expect(resultsOf(dir).map(({ status, reason }) => [status, reason])).toEqual([
      ["failed", 'setup line "sleep 300" did not end within --time (1 s)'],
    ]);
  });

  test("a teardown that hangs ends at the time limit", async () => {
    const dir = makeJob(tempDir(), { resources: { timeSeconds: 1 }, run: { teardown: ["sleep 300"] } });
    expect(await runJob(dir)).toBe(0);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["succeeded"]);
  });
});

function logOfBytes(dir: string): Uint8Array {
  return readFileSync(join(dir, "logs", "0.out"));
}
