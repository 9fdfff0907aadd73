import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { JOBX, TestJobx } from "../helpers/jobx.ts";
import { type Block, blocksOf, commandsOf, listedCommands, patternOf } from "./blocks.ts";

/**
 * How the documents' blocks are tried, each document in a folder and a home of its own, from top to bottom:
 *
 * - A block whose first line is a comment that names a file is that file. Every `ts` block is one.
 *   A test (`x.test.ts`) is run, where the package is installed.
 * - A `console` block is run as it is typed after `$ `. What is shown below a command is its output, both streams;
 *   `…` stands for anything. A command that shows nothing must succeed. With the word `fresh` after `console` it has
 *   a home of its own, and beside it what is in scripts/demo.
 * - Each line of a `commands` block is one, and what it does; it may end with 1, since job 12 has not succeeded.
 * - A `sh` block is run as a script, on the debug executor, so that it may ask for more than this machine has.
 *   The programs that it starts are stubs; job 12 is there. With the word `read` after `sh` or `commands`, its
 *   commands are only read: every one must be known, with its options.
 *   With the word `repository` it names scripts of this repository, which others try (they run these tests, too).
 * - A `toml` block without a name is a configuration, which must be accepted.
 * - `text` and `tree` are pictures; those that can be false are tried in pictures.test.ts. Nothing else is allowed.
 */
const root = resolve(import.meta.dir, "../..");
const documents = ["README.md", "src/cli/help/*.md", "plugins/*.md"]
  .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(root)])
  .sort();

describe.each(documents)("%s", (document) => {
  const blocks = blocksOf(readFileSync(join(root, document), "utf8"));
  const place = (block: Block) => `${document}:${block.line}`;

  test("names the file of every TypeScript block, and uses each of them", () => {
    const scripts = blocks.filter((block) => block.language === "ts");
    expect(scripts.filter((block) => block.file === null).map(place)).toEqual([]);
    const unused = scripts.filter(
      (block) =>
        !isTest(block) && !blocks.some((other) => other !== block && other.text.includes(block.file ?? "")),
    );
    expect(unused.map(place)).toEqual([]);
  });

  test("says of every block what it is", () => {
    const unknown = blocks.filter(({ language, note }) => !KINDS.includes(`${language} ${note}`.trim()));
    expect(unknown.map(place)).toEqual([]);
    const idle = blocks.filter((block) => block.language === "sh" && !block.file && !isScript(block));
    const outer = idle.filter((block) => block.note === "repository");
    expect(idle.map(place)).toEqual(outer.map(place));
    for (const script of outer.flatMap(({ text }) => listedCommands(text.replace(/#.*/g, "")))) {
      expect(statSync(join(root, script)).mode & 0o111).not.toBe(0);
    }
  });

  const runnable = blocks.filter((block) => block.file || isTried(block));
  if (runnable.length === 0) return;
  const jobx = new TestJobx();

  test("shows what works", async () => {
    const bin = prepare(jobx);
    const env = { PATH: `${bin}:${jobx.env["PATH"]}` };
    if (runnable.some((block) => isScript(block) || block.language === "commands")) await twelveJobs(jobx);
    for (const block of runnable) {
      if (block.file) writeIn(jobx.cwd, block.file, block.text);
      if (isTest(block)) {
        beInstalled(jobx);
        const ran = await shell(`'${process.execPath}' test ${block.file}`, jobx, env);
        expect({ place: place(block), ...ran }).toMatchObject({ place: place(block), code: 0 });
      } else if (block.file) continue;
      else if (block.language === "toml") await accept(block, jobx);
      else if (block.language === "commands") {
        for (const words of listedCommands(block.text)) {
          const text = block.note === "read" ? ONLY_READ + words : words;
          const { out, code } = await shell(text, jobx, { ...env, JOBX_EXECUTOR: "debug" });
          if (block.note === "read" ? code !== 0 : code > 1)
            expect({ place: place(block), words, out, code }).toBeNull();
        }
      } else if (block.language === "sh") {
        const text = block.note === "read" ? ONLY_READ + block.text : block.text;
        const ran = await shell(text, jobx, { ...env, JOBX_EXECUTOR: "debug" });
        expect({ place: place(block), ...ran }).toMatchObject({ place: place(block), code: 0 });
      } else {
        const own = block.note === "fresh" ? { ...env, JOBX_HOME: freshHome(jobx) } : env;
        for (const { words, shown } of commandsOf(block.text)) {
          // A reader takes longer to type it than the jobs to end.
          if (words.startsWith("jobx status")) await shell("jobx wait last", jobx, own);
          const { out, code } = await shell(words, jobx, own);
          if (shown === "") expect({ words, out, code }).toEqual({ words, out, code: 0 });
          else expect(`$ ${words}\n${out.trimEnd()}`).toMatch(patternOf(`$ ${words}\n${shown}`));
        }
      }
    }
  }, 60_000);

  test("has TypeScript without type errors", async () => {
    if (!runnable.some((block) => block.file?.endsWith(".ts"))) return;
    await jobx.ok(["init"]);
    const config = JSON.parse(readFileSync(join(jobx.cwd, "tsconfig.json"), "utf8"));
    config.compilerOptions.types = [join(root, "node_modules", "bun-types")];
    writeFileSync(join(jobx.cwd, "tsconfig.json"), JSON.stringify(config));
    expect(await shell(`'${process.execPath}' check`, jobx)).toMatchObject({ code: 0 });
  });
});

/** The languages of blocks, with the words after them. */
const KINDS = [
  "ts",
  "console",
  "console fresh",
  "commands",
  "commands read",
  "sh",
  "sh read",
  "sh repository",
  "toml",
  "text",
  "tree",
];

/** Whether a block that is no file is tried. */
function isTried(block: Block): boolean {
  return ["console", "commands", "toml"].includes(block.language) || isScript(block);
}

/** Whether a block is a test, which is run where the package is installed. */
function isTest(block: Block): boolean {
  return block.file?.endsWith(".test.ts") ?? false;
}

function beInstalled(jobx: TestJobx): void {
  mkdirSync(join(jobx.cwd, "node_modules"));
  symlinkSync(root, join(jobx.cwd, "node_modules", "jobx"));
}

/** Whether a block is a script of jobx commands. */
function isScript(block: Block): boolean {
  return block.language === "sh" && block.file === null && /^(?:[^#\n]*\| )?jobx /m.test(block.text);
}

async function shell(text: string, jobx: TestJobx, env: Record<string, string> = {}) {
  const child = Bun.spawn(["bash", "-e", "-o", "pipefail", "-c", `{ ${text}\n} 2>&1`], {
    cwd: jobx.cwd,
    env: { ...jobx.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const [out, code] = await Promise.all([child.stdout.text(), child.exited]);
  // Said where the machine that the tests run on has a scheduler.
  return { out: out.replace(/^This host has a scheduler .*\n/m, ""), code };
}

/** A folder for PATH with jobx and stubs of the programs that examples start, and the files that they name. */
function prepare(jobx: TestJobx): string {
  const bin = join(jobx.root, "bin");
  const words = JOBX.map((word) => `'${word}'`).join(" ");
  writeIn(bin, "jobx", `#!/bin/sh\nexec ${words} "$@"\n`);
  for (const name of ["python", "convert", "jq", "make"]) writeIn(bin, name, STUB);
  for (const name of PROGRAMS) writeIn(jobx.cwd, name, STUB);
  writeIn(jobx.cwd, "runs.csv", "file\na\nb\n");
  writeIn(jobx.cwd, "cases.csv", "name,size\na,1\nb,2\n");
  writeIn(jobx.cwd, "notes.txt", "a\n");
  writeIn(
    jobx.cwd,
    "fit.ts",
    "export const train = (...args: unknown[]) => args.length;\nexport default train;\n",
  );
  writeIn(jobx.cwd, "plot.png", "");
  return bin;
}

/** Examples speak of job 12: it has several tasks, one of which failed, and would not again. */
async function twelveJobs(jobx: TestJobx): Promise<void> {
  for (let id = 1; id < 12; id++) await jobx.submit(["-e", "debug", "--", "true"]);
  await jobx.run(["submit", "-e", "debug", "--array", "0-9", "--", "sh", "-c", FAILS_ONCE]);
}

const FAILS_ONCE = "test {index} != 3 || ! mkdir .has-failed 2> /dev/null";

/** A home without jobs, and the demonstration's files in the working folder and below it. */
function freshHome(jobx: TestJobx): string {
  for (const to of [".", "scripts/demo"]) {
    cpSync(join(root, "scripts", "demo"), join(jobx.cwd, to), { recursive: true });
  }
  return mkdtempSync(join(jobx.root, "fresh-"));
}

/** A configuration has no key and no option that jobx does not know. */
async function accept(block: Block, jobx: TestJobx): Promise<void> {
  const path = join(jobx.root, `config-${block.line}`);
  writeIn(join(path, "jobx"), "config.toml", block.text);
  chmodSync(join(path, "jobx", "config.toml"), 0o600);
  const env = { XDG_CONFIG_HOME: path };
  const executor = Object.keys(Bun.TOML.parse(block.text)).includes("sge") ? "sge" : "local";
  const { code, err } = await jobx.run(["submit", "--dry-run", "-e", executor, "--", "true"], { env });
  // Said where the machine that the tests run on does not have that scheduler.
  const rest = err.replace(/^sge is not on this machine: .*\n/m, "");
  expect({ code, err: rest }).toEqual({ code: 0, err: "" });
}

const PROGRAMS =
  "train.sh simulate sbatch-style.sh flaky.sh long.sh next.sh tidy.sh alarm.sh second.sh fit case chunk".split(
    " ",
  );

/** Lets jobx read its words and do nothing. */
const ONLY_READ = 'jobx() { command jobx "$1" --help "${@:2}" > /dev/null; }\n';

const STUB = "#!/bin/sh\n[ -p /dev/stdin ] && cat > /dev/null\nexit 0\n";

function writeIn(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  if (text.startsWith("#!") || basename(path) === "jobx") chmodSync(path, 0o755);
}
