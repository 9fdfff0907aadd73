import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { TestJobx } from "../helpers/jobx.ts";

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
