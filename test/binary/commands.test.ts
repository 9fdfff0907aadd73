import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

/** Writes its arguments, NUL-separated, to the file named first. */
const showArgs = ["sh", "-c", 'f=$1; shift; printf "%s\\0" "$@" > "$f"', "show"];

async function argumentsOf(argv: string[]): Promise<string[]> {
  const file = join(jobx.cwd, `args-${crypto.randomUUID()}`);
  await jobx.ok(["submit", "--wait", "-q", "--", ...showArgs, file, ...argv]);
  return readFileSync(file, "utf8").split("\0").slice(0, -1);
}

describe("commands", () => {
  test("awkward arguments reach the command unchanged", async () => {
    const awkward = [
      "",
      " ",
      "it's",
      '"quoted"',
      "two\nlines",
      "tab\there",
      "$HOME",
      "${HOME}",
      "$(id)",
      "`id`",
      "\\",
      "*",
      "-n",
      "--help",
      "--",
      "{}",
      "{x}",
      "{ print $1 }",
      "ünïcödé 日本 🦊",
      "%s %d",
    ];
    expect(await argumentsOf(awkward)).toEqual(awkward);
  });

  test("a value of 1 MiB reaches the command unchanged", async () => {
    const params = { text: `{x}$'"\n`.repeat(131_072), n: 1 };
    const id = await jobx.submit(
      ["--wait", "--params", "-", "--", "sh", "-c", 'cp "$JOBX_PARAMS_FILE" "$JOBX_RESULT"'],
      { input: JSON.stringify(params) },
    );
    expect(await jobx.json<unknown>(["result", id])).toEqual(params);
  });

  test("a value that is too long for a word fails with a reason that names the way", async () => {
    const input = JSON.stringify({ text: "x".repeat(1_048_576) });
    const ran = await jobx.run(["submit", "--wait", "--params", "-", "--", "echo", "{text}"], { input });
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("argument 1 is too long: it has 1048576 bytes");
    expect(ran.err).toContain("JOBX_PARAMS_FILE");
  });

  test("a missing command is named, with exit code 127", async () => {
    const ran = await jobx.run(["submit", "--wait", "--", "no-such-command-here"]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("command not found: no-such-command-here");
    const status = await jobx.json<{ tasks: { exitCode: number; state: string }[] }>([
      "status",
      "--tasks",
      "last",
    ]);
    expect(status.tasks[0]).toMatchObject({ state: "failed", exitCode: 127 });
  });

  test("a command that is not executable is named, with exit code 126", async () => {
    const file = await jobx.file("plain.txt", "#!/bin/sh\n");
    chmodSync(file, 0o644);
    const ran = await jobx.run(["submit", "--wait", "--", file]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("plain.txt");
    const status = await jobx.json<{ tasks: { exitCode: number }[] }>(["status", "--tasks", "last"]);
    expect(status.tasks[0]?.exitCode).toBe(126);
  });

  test("a command killed by a signal names the signal", async () => {
    const ran = await jobx.run(["submit", "--wait", "--", "sh", "-c", "kill -SEGV $$"]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("SIGSEGV");
    const status = await jobx.json<{ tasks: { signal: string }[] }>(["status", "--tasks", "last"]);
    expect(status.tasks[0]?.signal).toBe("SIGSEGV");
  });

  test("output keeps its bytes: no final newline, invalid UTF-8", async () => {
    const id = await jobx.submit(["--wait", "--", "printf", "a\\377\\376b"]);
    const child = Bun.spawn(
      ["sh", "-c", 'exec "$@"', "sh", ...(await commandLine()), "logs", "--stdout", id],
      {
        env: jobx.env,
        stdout: "pipe",
      },
    );
    expect(await child.stdout.bytes()).toEqual(new Uint8Array([97, 255, 254, 98]));
  });

  test("the exit code and a result file come back as they were", async () => {
    const id = await jobx.submit(["--wait", "--", "sh", "-c", `echo '{"loss": 0.5}' > "$JOBX_RESULT"`]);
    expect(await jobx.json<unknown>(["result", id])).toEqual({ loss: 0.5 });
    const failed = await jobx.run(["submit", "--wait", "--", "sh", "-c", "exit 7"]);
    expect(failed.code).toBe(1);
    const status = await jobx.json<{ tasks: { exitCode: number }[] }>(["status", "--tasks", "last"]);
    expect(status.tasks[0]?.exitCode).toBe(7);
  });

  test("captured output is the value", async () => {
    const id = await jobx.submit(["--wait", "--capture", "--", "echo", "forty two"]);
    expect(await jobx.json<unknown>(["result", id])).toBe("forty two");
  });

  test("job names may hold slashes and spaces", async () => {
    const id = await jobx.submit(["--wait", "-J", "a/b c ü", "--", "true"]);
    expect((await jobx.json<{ name: string }>(["status", id])).name).toBe("a/b c ü");
  });

  test("a task sees who it is", async () => {
    const id = await jobx.submit([
      "--wait",
      "--capture",
      "--sweep",
      "lr=0.1,1e-3",
      "--",
      "sh",
      "-c",
      'echo "$JOBX_JOB $JOBX_TASK $JOBX_RANK $JOBX_ATTEMPT $JOBX_NUM_TASKS $JOBX_PARAMS {lr}"; test -d "$JOBX_CHECKPOINT_DIR"',
    ]);
    expect(await jobx.json<unknown>(["result", id])).toEqual([
      `${id} 0 0 0 2 {"lr":0.1} 0.1`,
      expect.stringMatching(new RegExp(`^${id} 1 0 0 2 .* 1e-3$`)),
    ]);
  });

  test("nothing of a finished task's process group is left", async () => {
    const file = join(jobx.cwd, "pid");
    await jobx.ok(["submit", "--wait", "--", "sh", "-c", `sleep 1000 & echo $! > ${file}`]);
    const pid = readFileSync(file, "utf8").trim();
    expect(
      existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[2] !== "Z",
    ).toBe(false);
  });
});

async function commandLine(): Promise<string[]> {
  const { JOBX } = await import("../helpers/jobx.ts");
  return JOBX;
}
