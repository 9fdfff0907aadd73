import { describe, expect, test } from "bun:test";

import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

const values = async (argv: string[], input?: string): Promise<unknown> => {
  const id = await jobx.submit(["--wait", "--capture", ...argv], { input });
  return await jobx.json<unknown>(["result", id]);
};

describe("sweeps and parameters", () => {
  test("sweeps make their cartesian product, and texts reach the command as they were written", async () => {
    expect(await values(["--sweep", "lr=1e-3,0.10", "--sweep", "n=1..3", "--", "echo", "{lr}/{n}"])).toEqual([
      "1e-3/1",
      "1e-3/2",
      "1e-3/3",
      "0.10/1",
      "0.10/2",
      "0.10/3",
    ]);
  });

  test("steps are exact", async () => {
    expect(await values(["--sweep", "x=0..0.3/0.1", "--", "echo", "{x}"])).toEqual([
      "0",
      "0.1",
      "0.2",
      "0.3",
    ]);
  });

  test("a CSV file gives a task per row", async () => {
    const file = await jobx.file("rows.csv", 'name,note\na,"two\nlines"\nb,"say ""hi"""\n');
    expect(await values(["--params", file, "--", "printf", "%s|%s", "{name}", "{note}"])).toEqual([
      "a|two\nlines",
      'b|say "hi"',
    ]);
  });

  test("lines from standard input stand for {}", async () => {
    expect(await values(["--params", "-", "--", "echo", "<{}>"], "one\ntwo words\n")).toEqual([
      "<one>",
      "<two words>",
    ]);
  });

  test("JSON lines from standard input give named parameters, and environment values hold placeholders", async () => {
    expect(
      await values(
        ["--params", "-", "--env", "WHO={who}", "--", "sh", "-c", "echo $WHO"],
        '{"who":"a"}\n{"who":"b"}\n',
      ),
    ).toEqual(["a", "b"]);
  });

  test("an sbatch array sees its indices", async () => {
    expect(
      await values(["--array", "1-7:3%2", "--", "sh", "-c", "echo $SLURM_ARRAY_TASK_ID {index}"]),
    ).toEqual(["1 1", "4 4", "7 7"]);
  });

  test("other braces stay as they are", async () => {
    expect(
      await values([
        "--sweep",
        "k=1",
        "--",
        "sh",
        "-c",
        "echo '{ \"a\": {k} } {{k}}' ${HOME:+x} | awk '{ print $0 }'",
      ]),
    ).toBe('{ "a": 1 } {k} x');
  });

  test("10,000 rows with quoted newlines are 10,000 tasks", async () => {
    const rows = Array.from({ length: 10_000 }, (_, row) => `${row},"line one\nline ${row}"`);
    const file = await jobx.file("many.csv", `id,text\n${rows.join("\n")}\n`);
    const gate = await jobx.submit(["--", "sleep", "1000"]);
    const answer = await jobx.json<{ id: number; tasks: number }>([
      "submit",
      "--after",
      gate,
      "--params",
      file,
      "--",
      "echo",
      "{text}",
    ]);
    expect(answer.tasks).toBe(10_000);
    await jobx.ok(["cancel", String(answer.id), gate]);
  });

  test("a script with #SBATCH lines is refused until one says what to do with them", async () => {
    const script = await jobx.file(
      "job.sh",
      "#!/bin/bash\n#SBATCH --job-name=fit\n#SBATCH --time=5\n#SBATCH --array=0-1\necho task $SLURM_ARRAY_TASK_ID\n",
    );
    await Bun.spawn(["chmod", "+x", script]).exited;
    const refused = await jobx.run(["submit", "--", script]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("--use-directives");
    expect(refused.err).toContain("--ignore-directives");
    const elsewhere = await jobx.run(["submit", "--chdir", jobx.cwd, "--", "./job.sh"], { cwd: "/" });
    expect(elsewhere.err).toContain("--use-directives");
    expect(await values(["--use-directives", "--", script])).toEqual(["task 0", "task 1"]);
    expect(await values(["--ignore-directives", "--", script])).toBe("task");
  });
});
