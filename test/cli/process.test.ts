import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { version } from "../../package.json";
import { tempDir } from "../helpers/temp.ts";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");
const folder = tempDir("cli-process");
const env = {
  HOME: folder,
  JOBX_EXECUTOR: "local",
  PATH: `${folder}:${process.env.PATH}`,
  TERM: "dumb",
  TMPDIR: folder,
};

async function run(argv: string[], extra: Record<string, string> = {}) {
  const child = Bun.spawn(argv, {
    cwd: folder,
    env: { ...env, ...extra },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}

const jobx = (...argv: string[]) => run([process.execPath, MAIN, ...argv]);

// The completion scripts start `jobx` by its name.
beforeAll(() => {
  const path = join(folder, "jobx");
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(path, 0o700);
});

describe("jobx", () => {
  test("prints its version, for people and for programs", async () => {
    expect(await jobx("--version")).toEqual({ out: `${version}\n`, err: "", code: 0 });
    expect(JSON.parse((await jobx("--json", "--version")).out)).toEqual({ version });
  });

  test("tells an error in two lines on standard error, with exit code 2 and no stack", async () => {
    const { out, err, code } = await jobx("config", "--jsn");
    expect({ out, err, code }).toEqual({
      out: "",
      err: "error: Unknown option --jsn\n  Did you mean --json?\n",
      code: 2,
    });
  });

  test("says that the current folder is gone, and still tells its version and help", async () => {
    const inRemoved = (...argv: string[]) => {
      const words = [
        'mkdir gone && cd gone && rmdir ../gone && exec "$@"',
        "sh",
        process.execPath,
        MAIN,
        ...argv,
      ];
      return run(["/bin/sh", "-c", ...words]);
    };
    expect(await inRemoved("list")).toEqual({
      out: "",
      err: "error: The current folder is gone: it was removed\n  Go to another one, e.g. cd ~\n",
      code: 2,
    });
    expect((await inRemoved("--version")).code).toBe(0);
    expect((await inRemoved("list", "--help")).code).toBe(0);
  });

  test("shows the stack with -v", async () => {
    expect((await jobx("-v", "config", "--jsn")).err).toContain("strict.ts");
  });

  test("refuses a submission without leaving anything behind", async () => {
    const home = join(folder, "untouched");
    const { err, code } = await jobx("--home", home, "submit", "--time", "soon", "--", "true");
    expect(code).toBe(2);
    expect(err).toContain('--time: Bad time "soon"');
    expect(existsSync(home)).toBe(false);
  });

  test("is silent when its reader goes away", async () => {
    const { err, code } = await run(["bash", "-c", "set -o pipefail; jobx help submitting | true"]);
    expect(err).toBe("");
    expect([0, 141]).toContain(code);
  });

  test("gives the configuration as JSON", async () => {
    const { out } = await run([process.execPath, MAIN, "config", "--json"], { JOBX_TIME: "1h" });
    expect(JSON.parse(out).values.time).toEqual({ value: "1h", origin: "JOBX_TIME" });
  });

  test("colours only where it is asked to", async () => {
    expect((await jobx("--help")).out).not.toContain("\u001b[");
    expect((await jobx("--color", "--help")).out).toContain("\u001b[1m");
  });
});

describe("completion", () => {
  /** What bash would offer for a line, its last word being typed. */
  async function bash(line: string[]): Promise<string[]> {
    const script = `source <(jobx completions bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _jobx jobx; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { out, err } = await run(["bash", "--norc", "-c", script, "bash", ...line]);
    expect(err).toBe("");
    return out.split("\n").filter(Boolean);
  }

  test.each([
    [["jobx", "sub"], ["submit"]],
    [["jobx", "--json", "sub"], ["submit"]],
    [
      ["jobx", "submit", "--max"],
      ["--max-payload", "--max-timeouts"],
    ],
    [["jobx", "submit", "--no-s"], ["--no-snapshot"]],
    [["jobx", "submit", "-e", "de"], ["debug"]],
    [["jobx", "submit", "--executor", "=", "au"], ["auto"]],
    [["jobx", "completions", "z"], ["zsh"]],
    [["jobx", "help", "swe"], ["sweeps"]],
    [["jobx", "nonsense", ""], []],
  ])("in bash offers %j %j", async (line, expected) => {
    expect((await bash(line)).toSorted()).toEqual(expected);
  });

  test("in bash offers the job ids, newest first, with last", async () => {
    await jobx("submit", "-e", "debug", "--", "true");
    await jobx("submit", "-e", "debug", "--", "true");
    expect(await bash(["jobx", "wait", ""])).toEqual(["2", "1", "last"]);
  });

  test("in bash offers programs and files behind --", async () => {
    expect(await bash(["jobx", "submit", "--", "printenv"])).toContain("printenv");
    expect(await bash(["jobx", "submit", "--", "cat", "job"])).toContain("jobx");
  });

  for (const shell of ["zsh", "fish"]) {
    const path = Bun.which(shell);
    if (!path) console.warn(`${shell} is not installed: its completion script is not tried`);
    test.skipIf(!path)(`in ${shell} is a script that the shell can read`, async () => {
      writeFileSync(join(folder, `completion.${shell}`), (await jobx("completions", shell)).out);
      expect(await run([shell, "-n", `completion.${shell}`])).toEqual({ out: "", err: "", code: 0 });
    });
  }
});
