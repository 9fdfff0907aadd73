import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { JOBX, TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();
await jobx.file("vars.env", "# settings\nexport NOVALUE\nA=1\n");

/** Words, the exit code they must end with, and what the message must name. */
const CASES: [argv: string[], code: number, names: string[]][] = [
  [["sumbit", "--", "true"], 2, ["sumbit", "submit"]],
  [["submit", "--tmie", "5", "--", "true"], 2, ["--tmie", "--time"]],
  [["submit", "--time", "soon", "--", "true"], 2, ["soon", "1h30m"]],
  [["submit", "--mem", "lots", "--", "true"], 2, ["lots", "4G"]],
  [["submit", "-c", "0", "--", "true"], 2, ["0"]],
  [["submit", "-c", "two", "--", "true"], 2, ["two"]],
  [["submit", "-c", "100000", "--", "true"], 3, ["100000"]],
  [["submit", "--nodes", "2", "--", "true"], 2, ["2"]],
  [["submit", "true"], 2, ["true", "--"]],
  [["submit", "python", "fit.py"], 2, ["-- python fit.py"]],
  [["submit", "fit.ts", "3"], 2, ["jobx submit fit.ts --arg 3"]],
  [["submit"], 2, ["--"]],
  [["submit", "--"], 2, ["--"]],
  [["submit", "-o", "run.log", "--", "true"], 2, ["jobx logs"]],
  [["submit", "-e", "run.log", "--", "true"], 2, ["jobx logs"]],
  [["submit", "-e", "lcoal", "--", "true"], 4, ["lcoal", "local"]],
  [["submit", "--array", "10", "--", "true"], 2, ["0-9"]],
  [["submit", "--array", "5-1", "--", "true"], 2, ["5-1"]],
  [["submit", "--sweep", "x", "--", "true"], 2, ["x"]],
  [["submit", "--sweep", "x=1,2", "--", "echo", "{y}"], 2, ["{y}", "{x}"]],
  [["submit", "--sweep", "x=1", "--sweep", "x=2", "--", "true"], 2, ["x"]],
  [["submit", "--params", "missing.csv", "--", "true"], 4, ["missing.csv"]],
  [["submit", "--after", "99", "--", "true"], 4, ["99"]],
  [["submit", "--after", "99:done", "--", "true"], 2, ["done", "99:any"]],
  [["submit", "--inspect", "--", "true"], 2, ["debug executor", "-e debug"]],
  [["submit", "--chdir", "/no/such/folder", "--", "true"], 4, ["/no/such/folder"]],
  [["submit", "--env", "NOVALUE", "--", "true"], 2, ["NOVALUE"]],
  [["submit", "--env-file", "vars.env", "--", "true"], 2, ["vars.env:2"]],
  [["submit", "--args", "[1,", "f.ts"], 2, ["[1,"]],
  [["submit", "nothing.ts"], 4, ["nothing.ts", "current folder"]],
  [["submit", "--pack", "0", "--", "true"], 2, ["0"]],
  [["submit", "--retries", "-1", "--", "true"], 2, ["-1"]],
  [["--home", "/dev/null", "submit", "--", "true"], 3, ["/dev/null", "a file, not a folder"]],
  [["version"], 2, ["jobx --version"]],
  [["status", "99"], 4, ["99"]],
  [["status", "twelve"], 2, ["twelve"]],
  [["status", "lst"], 2, ["lst", "Did you mean last?"]],
  [["submit", ""], 2, ['""', "--"]],
  [["status", "last"], 4, ["jobx submit"]],
  [["logs"], 2, ["last"]],
  [["result", "1.x"], 2, ["1.x"]],
  [["list", "--state", "sleeping"], 2, ["sleeping", "running"]],
  [["help", "swepes"], 4, ["swepes", "sweeps"]],
  [["completions", "tcsh"], 2, ["tcsh", "bash"]],
];

describe("bad input", () => {
  test.each(CASES)("jobx %j ends with %i and names what is wrong", async (argv, code, names) => {
    const ran = await jobx.run(argv);
    expect({ code: ran.code, err: ran.err }).toMatchObject({ code });
    for (const name of names) expect(ran.err).toContain(name);
    expect(ran.err).not.toContain("    at ");
    expect(ran.out).toBe("");
  });

  test("none of it leaves a half-made job behind", () => {
    const jobs = join(jobx.home, "jobs");
    expect(existsSync(jobs) ? readdirSync(jobs) : []).toEqual([]);
  });
});

describe("text that is not UTF-8", () => {
  const jobx = new TestJobx();
  /** Two rows, the second with a byte of Latin-1. */
  const ROWS = Buffer.from("a\nM\xfcller\n", "latin1");

  test("is refused in a file and on standard input, with its line", async () => {
    await Bun.write(join(jobx.cwd, "rows.csv"), ROWS);
    const file = await jobx.run(["submit", "--params", "rows.csv", "--", "echo", "{}"]);
    expect(file).toMatchObject({ code: 2, err: expect.stringContaining("rows.csv:2 is not UTF-8") });
    const stdin = await jobx.run(["submit", "--params", "-", "--", "echo", "{}"], { input: ROWS });
    expect(stdin).toMatchObject({ code: 2, err: expect.stringContaining("standard input:2 is not UTF-8") });
    await Bun.write(join(jobx.cwd, "bad.env"), ROWS);
    expect((await jobx.run(["submit", "--env-file", "bad.env", "--", "true"])).err).toContain("bad.env:2");
  });

  test("is refused among the words of the command line, and what only stands for it is not", async () => {
    const bad = await shell('exec "$@" submit -- touch "$(printf "bad\\377")"');
    expect(bad.code).toBe(2);
    expect(bad.err).toContain('The word "bad\uFFFD" is not UTF-8');
    expect(await shell('exec "$@" submit -q -- echo "\uFFFD"')).toMatchObject({ code: 0, err: "" });
  });

  test("is left out of the job's environment, with a note", async () => {
    const ran = await shell('NAME="$(printf "M\\374ller")" exec "$@" submit --follow -- printenv NAME');
    expect(ran.err).toContain("Left out of the job's environment, since it is not UTF-8: NAME");
    expect(ran.code).toBe(1);
  });

  /** Runs a script whose words are those that start jobx: only so are there bytes that are no text. */
  async function shell(script: string) {
    const child = Bun.spawn(["sh", "-c", script, "sh", ...JOBX], {
      cwd: jobx.cwd,
      env: jobx.env,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    return { err: await child.stderr.text(), code: await child.exited };
  }
});
