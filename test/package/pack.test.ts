import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { TestJobx } from "../helpers/jobx.ts";
import { serveRegistry } from "../helpers/registry.ts";
import { tempDir } from "../helpers/temp.ts";

const root = resolve(import.meta.dir, "../..");
const folder = tempDir("pack");
const tarball = join(folder, "jobx.tgz");
const project = join(folder, "project");
mkdirSync(project);
/** Its home and queue; the package in the project is what runs. */
const jobx = new TestJobx();

async function bun(argv: string[], cwd = project, env: Record<string, string> = {}) {
  const PATH = `${join(project, "node_modules", ".bin")}:${join(root, "node_modules", ".bin")}:${jobx.env["PATH"]}`;
  const child = Bun.spawn([process.execPath, ...argv], {
    cwd,
    env: { ...jobx.env, PATH, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

beforeAll(async () => {
  expect(await bun(["pm", "pack", "--filename", tarball], root)).toMatchObject({ code: 0 });
});

describe("the package", () => {
  test("holds the sources, the built-in plugins and the types, and nothing that only this project needs", async () => {
    const archive = new Bun.Archive(await Bun.file(tarball).bytes());
    const names = [...(await archive.files()).keys()].map((name) => name.replace(/^package\//, ""));
    const tops = new Set(names.map((name) => name.split("/")[0]));
    expect([...tops].sort()).toEqual(
      ["CHANGELOG.md", "LICENSE", "README.md", "package.json", "plugins", "src", "types"].sort(),
    );
    for (const file of [
      "src/cli/main.ts",
      "src/index.ts",
      "types/index.d.ts",
      "types/plugin.d.ts",
      "types/plugin-test.d.ts",
    ]) {
      expect(names).toContain(file);
    }
    expect(names.filter((name) => /\.test\.|fixture|(^|\/)\./.test(name))).toEqual([]);
  });
});

describe("a project that has the package", () => {
  beforeAll(async () => {
    const { url } = serveRegistry({ jobx: { tarball } });
    writeFileSync(join(project, "package.json"), `{ "name": "study", "type": "module" }\n`);
    const added = await bun(["add", "jobx"], project, {
      BUN_CONFIG_REGISTRY: url,
      BUN_INSTALL_CACHE_DIR: join(folder, "cache"),
    });
    if (added.code !== 0) throw new Error(added.out + added.err);
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          target: "esnext",
          module: "preserve",
          lib: ["esnext", "dom"],
          strict: true,
          noEmit: true,
        },
      }),
    );
    writeFileSync(
      join(project, "sweep.ts"),
      `import { createExecutor } from "jobx";
       import { cube } from "./cube";

       const executor = await createExecutor({ executor: "local" });
       const job = await executor.map(cube, [1, 2, 3]);
       const values: number[] = await job.results();
       console.log(values.join(" "));\n`,
    );
    writeFileSync(
      join(project, "cube.ts"),
      `import { jobContext } from "jobx";
       export const cube = (n: number) => (jobContext().numTasks === 3 ? n ** 3 : Number.NaN);\n`,
    );
  });

  test("runs a script that submits, under plain bun", async () => {
    expect(await bun(["sweep.ts"])).toMatchObject({ code: 0, out: "1 8 27\n" });
  });

  test("has the command line beside it", async () => {
    const ran = await bun(["x", "--no-install", "jobx", "run", "sweep.ts"]);
    expect(ran).toMatchObject({ code: 0, out: "1 8 27\n" });
  });

  test("has the right types for its doors, and is told of a wrong use", async () => {
    writeFileSync(
      join(project, "plugin.ts"),
      `import { defineExecutor, type Resources } from "jobx/plugin";
       export const cpus = (resources: Resources) => resources.cpus;
       export { defineExecutor };\n`,
    );
    writeFileSync(
      join(project, "kit.ts"),
      `import { type Report, testPlugin } from "jobx/plugin/test";
       import type { Executor } from "jobx/plugin";
       export const tried = (plugin: Executor): Promise<Report> => testPlugin(plugin, { levels: ["pure"] });\n`,
    );
    expect(await bun(["check"])).toMatchObject({ code: 0 });
    writeFileSync(
      join(project, "wrong.ts"),
      `import { createExecutor } from "jobx";
       await createExecutor({ cpus: "many", tiem: 3 });\n`,
    );
    writeFileSync(
      join(project, "wrong-kit.ts"),
      `import { testPlugin } from "jobx/plugin/test";\nawait testPlugin("mysite");\n`,
    );
    const { code, out, err } = await bun(["check"]);
    expect(code).toBe(1);
    expect(out + err).toContain("wrong.ts(2,");
    expect(out + err).toContain("wrong-kit.ts(2,");
  });
});
