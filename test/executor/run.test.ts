import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { JobxError } from "../../src/errors.ts";
import { makeRun, shellWords } from "../../src/executor/run.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";

const dir = tempDir("run");
const env = { PATH: "/usr/bin:/bin", HOME: dir };

function script(name: string, body: string): string {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/bash\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

async function failure(promise: Promise<unknown>): Promise<JobxError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof JobxError) return error;
  throw new Error(`Expected a JobxError, got ${String(error)}`);
}

test("output, errors and the exit code come back without judging them", async () => {
  const run = makeRun({ env });
  expect(await run(["bash", "-c", "echo out; echo err >&2; exit 3"])).toEqual({
    code: 3,
    stdout: "out\n",
    stderr: "err\n",
  });
});

test("what a command says on standard error is heard while it runs", async () => {
  const flag = join(dir, "heard");
  const waits = `echo busy >&2; until [ -e ${flag} ]; do sleep 0.01; done; echo 7`;
  const onError = (stderr: string) => stderr === "busy\n" && writeFileSync(flag, "");
  expect((await makeRun({ env })(["bash", "-c", waits], { onError })).stdout).toBe("7\n");
});

test("a command that a signal ended has 128 plus its number", async () => {
  expect((await makeRun({ env })(["bash", "-c", "kill -TERM $$"])).code).toBe(143);
});

test("standard input is empty, so that a command that asks never waits", async () => {
  expect(await makeRun({ env })(["cat"])).toMatchObject({ code: 0, stdout: "" });
});

test("given input reaches the command, also one that does not read it", async () => {
  const run = makeRun({ env });
  const input = "#!/bin/bash\n".repeat(20_000);
  expect((await run(["wc", "-c"], { input })).stdout.trim()).toBe(String(input.length));
  expect((await run(["true"], { input })).code).toBe(0);
});

test("variables that change what scheduler commands print are dropped", async () => {
  const run = makeRun({
    env: { ...env, SQUEUE_FORMAT: "%i", SACCT_FORMAT: "x", SCANCEL_QUIET: "1", SLURM_TIME_FORMAT: "x" },
  });
  const names = (await run(["env"])).stdout;
  expect(names).not.toMatch(/SQUEUE|SACCT|SCANCEL|SLURM/);
  const replaced = await run(["env"], { env: { ...env, SQUEUE_STATES: "all", SLURM_CONF: "/etc/s.conf" } });
  expect(replaced.stdout).toContain("SLURM_CONF=/etc/s.conf");
  expect(replaced.stdout).not.toContain("SQUEUE");
});

test("a missing command is named", async () => {
  const error = await failure(makeRun({ env })(["squeue-of-nowhere", "--me"]));
  expect(error.code).toBe("UNREACHABLE");
  expect(error.message).toBe("Command not found: squeue-of-nowhere");
  expect(error.hint).toContain("/usr/bin:/bin");
});

test("the PATH of the given environment decides, not that of this process", async () => {
  const path = script("only-here", "echo found");
  expect((await makeRun({ env: { PATH: `${dir}:/bin` } })(["only-here"])).stdout).toBe("found\n");
  expect((await makeRun({ env })([path])).stdout).toBe("found\n");
});

test("a time limit ends the command and what it started, and says so", async () => {
  const pids = join(dir, "pids");
  const command = script("hangs", `sleep 600 & echo "$$ $!" > ${pids}; echo stuck >&2; wait`);
  const error = await failure(makeRun({ env })([command], { timeoutMs: 300 }));
  expect(error.code).toBe("UNREACHABLE");
  expect(error.message).toContain("gave no answer within 0.3 s");
  expect(error.hint).toBe("stuck");
  const started = readFileSync(pids, "utf8").trim().split(" ").map(Number);
  expect(started).toHaveLength(2);
  await eventually(() => started.every((pid) => !alive(pid)));
});

test("a process that a command leaves behind does not keep its answer", async () => {
  const pids = join(dir, "left");
  const run = makeRun({ env });
  const answer = await run(["bash", "-c", `sleep 600 & echo $! > ${pids}; echo answer`]);
  expect(answer).toMatchObject({ code: 0, stdout: "answer\n" });
  process.kill(Number(readFileSync(pids, "utf8")), "SIGKILL");
});

test("the end of a command is not waited for once it has given its answer", async () => {
  const pidFile = join(dir, "answered");
  const body = `echo $$ > ${pidFile}; echo first; echo last; exec sleep 60`;
  const run = makeRun({ env });
  const result = await run(["bash", "-c", body], { isAnswer: (stdout) => stdout.endsWith("last\n") });
  expect(result).toEqual({ code: 0, stdout: "first\nlast\n", stderr: "" });
  const pid = Number(readFileSync(pidFile, "utf8"));
  expect(alive(pid)).toBe(true);
  process.kill(pid);
  await eventually(() => !alive(pid));
});

test("a command that ends without the answer has its own exit code", async () => {
  const run = makeRun({ env });
  const result = await run(["bash", "-c", "echo no; exit 4"], { isAnswer: (stdout) => stdout === "yes\n" });
  expect(result).toMatchObject({ code: 4, stdout: "no\n" });
});

test("every command is logged with its outcome and duration", async () => {
  const lines: string[] = [];
  const run = makeRun({ env, log: (line) => lines.push(line) });
  await run(["bash", "-c", "exit 2"]);
  await failure(run(["sleep", "600"], { timeoutMs: 50 }));
  expect(lines[0]).toMatch(/^bash -c 'exit 2' \(exit 2, \d+\.\d\d s\)$/);
  expect(lines[1]).toMatch(/^sleep 600 \(sleep gave no answer within 0\.05 s and was stopped, /);
});

test("a folder that is gone is not taken for a missing command", async () => {
  const missing = join(dir, "gone");
  expect(existsSync(missing)).toBe(false);
  const error = await failure(makeRun({ env })(["true"], { cwd: missing }));
  expect(error.message).toStartWith("true cannot be started");
});

test("logged words can be pasted into a shell", () => {
  expect(shellWords(["a", "it's", "", "--x=$Y"])).toBe(`a 'it'\\''s' '' '--x=$Y'`);
});
