import { beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import executor from "../../src/cli/plugins/executor.ts.txt" with { type: "text" };
import { TestJobx } from "../helpers/jobx.ts";

/** Two plugins that write their names down when they are loaded; job 1 of `one` has ended, job 2 waits. */
const jobx = new TestJobx();
const loaded = join(jobx.root, "loaded");

beforeAll(async () => {
  const folder = join(jobx.root, ".config", "jobx", "plugins");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of ["one", "other"]) {
    const text = executor
      .replaceAll("mysite", name)
      .replace("export default", `appendFileSync(${JSON.stringify(loaded)}, "${name} ");\nexport default`)
      .replace("import { closeSync,", "import { appendFileSync, closeSync,");
    writeFileSync(join(folder, `${name}.ts`), text, { mode: 0o644 });
  }
  await jobx.file("answer.ts", "export default () => 42;\n");
  await jobx.ok(["submit", "-e", "one", "--wait", "-q", "answer.ts"]);
  await jobx.submit(["-e", "one", "--", "sleep", "600"]);
});

/** The plugins that a command loads, by name. */
async function loadedBy(words: string[]): Promise<string[]> {
  rmSync(loaded, { force: true });
  await jobx.run(words);
  return existsSync(loaded) ? readFileSync(loaded, "utf8").trim().split(" ") : [];
}

test("commands that need no executor load no plugin, and neither does what has ended", async () => {
  for (const line of [
    "--version",
    "help",
    "help plugins",
    "submit --help",
    "config",
    "completions bash",
    "logs 1",
    "result 1",
    "show 1",
    "status 1",
    "wait 1",
    "list --name nothing",
    "submit -e local --dry-run -- true",
  ]) {
    expect({ line, loaded: await loadedBy(line.split(" ")) }).toEqual({ line, loaded: [] });
  }
});

test("what has not ended loads its own plugin alone", async () => {
  for (const line of ["list", "status 2", "show 2", "submit -e one --dry-run -- true", "retry 1"]) {
    expect({ line, loaded: await loadedBy(line.split(" ")) }).toEqual({ line, loaded: ["one"] });
  }
  await jobx.ok(["cancel", "2"]);
});
