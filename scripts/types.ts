/**
 * Writes the declarations of the public doors, from the sources: `types/` for projects that have the package,
 * and what `jobx init` writes where only the binary is there. `--check` writes nothing and fails where they differ.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";

import { flatten } from "./lib/declarations.ts";

const root = dirname(import.meta.dir);
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const HEAD = `// Written by \`jobx init\`, for editors: what \`import ... from "jobx"\` gives inside the binary.
// Run \`jobx init\` again after replacing jobx; changes made here are lost.
`;
const GENERATED = "// Made by scripts/types from the sources; changes made here are lost.\n";

const emitted = mkdtempSync(join(tmpdir(), "jobx-types-"));
try {
  await emit();
  const door = join(emitted, "src", "index.d.ts");
  const index = await formatted("index.d.ts", flatten(door));
  const pluginDoor = join(emitted, "src", "plugin.d.ts");
  const plugin = await formatted("plugin.d.ts", flatten(pluginDoor, { specifier: "jobx", file: door }));
  const pluginTest = await formatted(
    "plugin-test.d.ts",
    flatten(join(emitted, "src", "plugin-test.d.ts"), { specifier: "jobx/plugin", file: pluginDoor }),
  );
  const stale = await Promise.all([
    put("types/index.d.ts", `${GENERATED}\n${index}`),
    put("types/plugin.d.ts", `${GENERATED}\n${plugin}`),
    put("types/plugin-test.d.ts", `${GENERATED}\n${pluginTest}`),
    put(
      "src/cli/init/jobx.d.ts.txt",
      [
        HEAD,
        ambient("jobx", index),
        ambient("jobx/plugin", plugin),
        ambient("jobx/plugin/test", pluginTest),
        await runtimeGlobals(),
      ].join("\n"),
    ),
  ]);
  process.exitCode = stale.includes(true) ? 1 : 0;
} finally {
  rmSync(emitted, { recursive: true, force: true });
}

/** Lets TypeScript write the declarations of every source file. Types are checked elsewhere. */
async function emit(): Promise<void> {
  const options = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: root,
      outDir: emitted,
      typeRoots: [join(root, "node_modules")],
    },
    include: [],
    files: ["src/index.ts", "src/plugin.ts", "src/plugin-test.ts", "src/cli/completions/text.d.ts"].map(
      (file) => join(root, file),
    ),
  };
  const config = join(emitted, "tsconfig.json");
  await Bun.write(config, JSON.stringify(options));
  const tsc = join(root, "node_modules", ".bin", "tsc");
  const child = Bun.spawn([tsc, "-p", config], { cwd: root, stdout: "pipe", stderr: "inherit" });
  const [text, code] = await Promise.all([child.stdout.text(), child.exited]);
  if (code !== 0) throw new Error(`TypeScript could not write the declarations\n${text}`);
}

/** The text as `bun fmt` writes it, by the settings of this project. */
async function formatted(name: string, declarations: string): Promise<string> {
  const file = join(emitted, name);
  await Bun.write(file, declarations);
  await Bun.write(join(emitted, "bunfig.toml"), Bun.file(join(root, "bunfig.toml")));
  const child = Bun.spawn([process.execPath, "fmt", file], {
    cwd: emitted,
    stdout: "ignore",
    stderr: "pipe",
  });
  const [text, code] = await Promise.all([child.stderr.text(), child.exited]);
  if (code !== 0)
    throw new Error(`${name} could not be formatted
${text}`);
  return Bun.file(file).text();
}

/** A door as a module that is declared where no package of its name is installed. */
function ambient(name: string, text: string): string {
  const inside = text.replace(/^(export )?declare /gm, "$1").replace(/^(?=.)/gm, "  ");
  return `declare module "${name}" {\n${inside}}\n`;
}

/** What a script uses besides, where no other package declares it. */
async function runtimeGlobals(): Promise<string> {
  return Bun.file(join(root, "src", "cli", "init", "globals.d.ts.txt")).text();
}

/** Writes a file, or only compares; true where it differed. */
async function put(name: string, text: string): Promise<boolean> {
  const path = join(root, name);
  const before = await Bun.file(path)
    .text()
    .catch(() => null);
  if (before === text) return false;
  if (!values.check) await Bun.write(path, text);
  console.log(`${relative(root, path)} ${values.check ? "is out of date: run scripts/types" : "written"}`);
  return values.check;
}
