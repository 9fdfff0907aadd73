import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { JOBX, TestJobx } from "../helpers/jobx.ts";
import { type Block, blocksOf, commandsOf, patternOf } from "./blocks.ts";

/**
 * How the documents' blocks are tried, each document in a folder and a home of its own, from top to bottom:
 *
 * - A block whose first line is a comment that names a file is that file. Every `ts` block is one.
 * - A `console` block is run as it is typed after `$ `. What is shown below a command is its output, both streams;
 *   `…` stands for anything. A command that shows nothing must succeed.
 * - A `sh` block is run as a script, on the debug executor, so that it may ask for more than this machine has.
 *   The programs that it starts are stubs; job 12 is there. With the word `cluster` after `sh`, its commands are only
 *   read: every one must be known, with its options.
 * - A block without a language is an illustration.
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
      (block) => !blocks.some((other) => other !== block && other.text.includes(block.file ?? "")),
    );
    expect(unused.map(place)).toEqual([]);
  });

  const runnable = blocks.filter((block) => block.file || block.language === "console" || isScript(block));
  if (runnable.length === 0) return;
  const jobx = new TestJobx();

  test("shows what works", async () => {
    const bin = prepare(jobx);
    const env = { PATH: `${bin}:${jobx.env["PATH"]}` };
    if (runnable.some(isScript)) await twelveJobs(jobx);
    for (const block of runnable) {
      if (block.file) writeIn(jobx.cwd, block.file, block.text);
      else if (block.language === "sh") {
        const text = block.note === "cluster" ? ONLY_READ + block.text : block.text;
        const ran = await shell(text, jobx, { ...env, JOBX_EXECUTOR: "debug" });
        expect({ place: place(block), ...ran }).toMatchObject({ place: place(block), code: 0 });
      } else {
        for (const { words, shown } of commandsOf(block.text)) {
          const { out, code } = await shell(words, jobx, env);
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
  for (const name of ["train.sh", "simulate", "sbatch-style.sh", "flaky.sh"]) writeIn(jobx.cwd, name, STUB);
  writeIn(jobx.cwd, "runs.csv", "file\na\nb\n");
  writeIn(jobx.cwd, "plot.png", "");
  return bin;
}

/** Examples speak of job 12: it has several tasks, one of which failed. */
async function twelveJobs(jobx: TestJobx): Promise<void> {
  for (let id = 1; id < 12; id++) await jobx.submit(["-e", "debug", "--", "true"]);
  await jobx.run(["submit", "-e", "debug", "--array", "0-5", "--", "test", "{index}", "!=", "3"]);
}

/** Lets jobx read its words and do nothing. */
const ONLY_READ = 'jobx() { command jobx "$1" --help "${@:2}" > /dev/null; }\n';

const STUB = "#!/bin/sh\n[ -p /dev/stdin ] && cat > /dev/null\nexit 0\n";

function writeIn(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  if (text.startsWith("#!") || basename(path) === "jobx") chmodSync(path, 0o755);
}
