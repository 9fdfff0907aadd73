/**
 * Checks that imports go only downwards between the rooms: a file may import from its own room and
 * from those listed after it. Plugins and the public doors have rules of their own.
 */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = dirname(import.meta.dir);

const ROOMS = [
  "src/cli/",
  "src/index.ts",
  "src/plugin-test.ts",
  "src/client/",
  "src/own-modules.ts",
  "src/config/",
  "src/kit/",
  "src/orchestrator/",
  "src/registry.ts",
  "src/registry/",
  "plugins/",
  "src/plugin.ts",
  "src/worker/",
  "src/queue/",
  "src/code/",
  "src/executor/",
  "src/store/",
  "src/model/",
  "src/errors.ts",
];

/** What they hand to users' files, and load only then. */
const HANDED_OUT: Record<string, string[]> = {
  "src/own-modules.ts": ["src/index.ts", "src/plugin.ts", "src/plugin-test.ts"],
};

const problems: string[] = [];
const transpiler = new Bun.Transpiler({ loader: "ts" });
let files = 0;
for (const folder of ["src", "plugins"]) {
  for (const name of new Bun.Glob(`${folder}/**/*.ts`).scanSync(root)) {
    files++;
    check(name);
  }
}
for (const problem of problems) console.error(problem);
console.log(`${files} files, ${problems.length} imports against the direction`);
process.exit(problems.length === 0 ? 0 : 1);

function check(file: string): void {
  const own = roomOf(file);
  const text = readFileSync(join(root, file), "utf8").replace(/^#!.*/, "");
  if (own < 0) problems.push(`${file}: stands in no room`);
  for (const specifier of specifiersIn(text)) {
    if (!specifier.startsWith(".")) continue;
    const target = relative(root, join(root, dirname(file), specifier));
    if (target === "package.json" || target.endsWith(".md")) continue;
    if (!/\.[a-z]+$/.test(target)) problems.push(`${file}: ${specifier} has no file ending`);
    if (file.startsWith("plugins/") && target !== "src/plugin.ts") {
      problems.push(`${file}: a plugin imports ${target}; only src/plugin.ts is open to it`);
    }
    if (HANDED_OUT[file]?.includes(target)) continue;
    if (roomOf(target) < own) problems.push(`${file}: imports ${target}, which stands above it`);
  }
}

/** Imports of values and of types: the transpiler drops the latter, so they are read from the text. */
function specifiersIn(text: string): Set<string> {
  const found = new Set(transpiler.scanImports(text).map((entry) => entry.path));
  for (const match of text.matchAll(/^(?:import|export) type [^;]*? from "([^"]+)";/gm)) {
    if (match[1]) found.add(match[1]);
  }
  return found;
}

function roomOf(file: string): number {
  return ROOMS.findIndex((room) => (room.endsWith("/") ? file.startsWith(room) : file === room));
}
