/**
 * Checks that imports go only downwards between the rooms: a file may import from its own room and
 * from those listed after it. Plugins and the public doors have rules of their own. No file imports itself by way of
 * others, types included; what `import()` loads later is left out. And what a submission loads stays quick to load.
 */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = dirname(import.meta.dir);

const ROOMS = [
  "src/cli/",
  "src/index.ts",
  "src/plugin-test.ts",
  "src/client/",
  "src/config/",
  "src/kit/",
  "src/orchestrator/",
  "src/registry.ts",
  "src/registry/",
  "plugins/",
  "src/plugin.ts",
  "src/worker/",
  "src/queue/",
  "src/own-modules.ts",
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

/** What `jobx submit` loads, with all that these import; a millisecond there is a twentieth of the whole. */
const QUICK = ["src/cli/run.ts", "src/cli/commands/submit.ts", "plugins/slurm.ts"];
/** Takes a millisecond to load; where it is needed after all, `process.getBuiltinModule` has it. */
const SLOW = "node:util";

const problems: string[] = [];
/** The files that import it. */
const slow = new Set<string>();
const transpiler = new Bun.Transpiler({ loader: "ts" });
/** What each file imports when it is loaded, types included. */
const imports = new Map<string, string[]>();
for (const folder of ["src", "plugins"]) {
  for (const name of new Bun.Glob(`${folder}/**/*.ts`).scanSync(root)) {
    check(name);
  }
}
refuseCircles();
refuseSlow();
for (const problem of problems) console.error(problem);
console.log(`${imports.size} files, ${problems.length} imports that must not be`);
process.exit(problems.length === 0 ? 0 : 1);

function check(file: string): void {
  const own = roomOf(file);
  const text = readFileSync(join(root, file), "utf8").replace(/^#!.*/, "");
  if (own < 0) problems.push(`${file}: stands in no room`);
  const targets: string[] = [];
  imports.set(file, targets);
  for (const [specifier, isLate] of specifiersIn(text)) {
    if (specifier === SLOW && !isLate) slow.add(file);
    if (!specifier.startsWith(".")) continue;
    const target = relative(root, join(root, dirname(file), specifier));
    if (!isLate) targets.push(target);
    if (target === "package.json" || target.endsWith(".md")) continue;
    if (!/\.[a-z]+$/.test(target)) problems.push(`${file}: ${specifier} has no file ending`);
    if (file.startsWith("plugins/") && target !== "src/plugin.ts") {
      problems.push(`${file}: a plugin imports ${target}; only src/plugin.ts is open to it`);
    }
    if (HANDED_OUT[file]?.includes(target)) continue;
    if (roomOf(target) < own) problems.push(`${file}: imports ${target}, which stands above it`);
  }
}

function refuseSlow(): void {
  const reached = new Set(QUICK);
  for (const file of reached) {
    for (const target of imports.get(file) ?? []) reached.add(target);
    if (slow.has(file)) problems.push(`${file}: imports ${SLOW}, which every submission would have to load`);
  }
}

/** Takes away, again and again, what imports nothing that is left; what then remains goes round, or leads to it. */
function refuseCircles(): void {
  const left = new Map(imports);
  const hasMore = () => {
    const leaves = [...left].filter(([, targets]) => !targets.some((target) => left.has(target)));
    for (const [file] of leaves) left.delete(file);
    return leaves.length > 0;
  };
  while (hasMore());
  const [first] = left.keys();
  const way: string[] = [];
  for (let file = first; file !== undefined; file = left.get(file)?.find((target) => left.has(target))) {
    if (way.includes(file)) {
      problems.push(`A circle: ${[...way.slice(way.indexOf(file)), file].join(" imports ")}`);
      return;
    }
    way.push(file);
  }
}

/** Imports of values and of types, and whether they come late: the transpiler drops types, so the text is read for those. */
function specifiersIn(text: string): Map<string, boolean> {
  const found = new Map<string, boolean>();
  for (const { path, kind } of transpiler.scanImports(text)) {
    found.set(path, kind === "dynamic-import" && found.get(path) !== false);
  }
  for (const match of text.matchAll(/^(?:import|export) [^;"]*?from "([^"]+)";/gm)) {
    if (match[1]) found.set(match[1], false);
  }
  return found;
}

function roomOf(file: string): number {
  return ROOMS.findIndex((room) => (room.endsWith("/") ? file.startsWith(room) : file === room));
}
