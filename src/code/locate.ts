import { SourceMap } from "node:module";

import type { AnyNode, Program } from "acorn";

import type { SourceMapFile } from "./computed-imports.ts";
import { readRuntimeText, type RuntimeText } from "./runtime-text.ts";
import { isFunctionNode, parseModule, walkSyntax } from "./syntax.ts";

/** A name in a function's text, or its beginning, and its place in its file; line and column count from 0. */
export type Anchor = { offset: number; line: number; column: number };

/** A function in a program, from where its own text begins. */
export type FunctionPlace = { start: number; end: number; node: AnyNode };

export type Located = {
  module: RuntimeText;
  /** More than one where the module has the same text several times. */
  places: FunctionPlace[];
};

/** The first of these modules that has a function with this text; null where none has. */
export function locateFunction(text: string, files: Iterable<string>): Located | null {
  for (const file of files) {
    const module = readRuntimeText(file);
    if (!module?.text.includes(text)) continue;
    const places = functionsIn(module.program).filter(
      ({ start, end }) => module.text.slice(start, end) === text,
    );
    if (places.length > 0) return { module, places };
  }
  return null;
}

/**
 * The places of a function's beginning and names in its own file, in order. The runtime does not tell where code comes from, so
 * the module is also built with a source map, and the function with the same names is looked for there. Empty where
 * that gives no single answer.
 */
export async function anchorsOf({ module, places }: Located): Promise<Anchor[]> {
  const [place] = places;
  const built = places.length === 1 ? await builtOf(module) : null;
  if (!place || !built) return [];
  const names = namesIn(place);
  const match = counterpart(place, names, module.program, built.program);
  if (!match) return [];
  const lines = lineStarts(built.text);
  const anchor = (from: number, to: number): Anchor[] => {
    const line = lines.findLastIndex((begin) => begin <= to);
    const entry = built.map.findEntry(line, to - (lines[line] ?? 0));
    if (!("originalLine" in entry)) return [];
    return [{ offset: from - place.start, line: entry.originalLine, column: entry.originalColumn }];
  };
  const pairs = pairsOf(names, namesIn(match)).map(([here, there]) => anchor(here.start, there.start));
  return [anchor(place.start, match.start), ...pairs].flat();
}

/**
 * The same function in another program: by its place among those with the same names, else among those with most
 * of them, since the bundler drops names that the runtime keeps. Null where the programs differ in their number.
 */
function counterpart(
  { node }: FunctionPlace,
  names: Name[],
  here: Program,
  there: Program,
): FunctionPlace | null {
  const [own, others] = [functionsIn(here), functionsIn(there)];
  for (const isLike of [sameNames, mostNames]) {
    const like = (each: FunctionPlace) => isLike(namesIn(each), names);
    const some = own.filter(like);
    const same = others.filter(like);
    const match = same[some.findIndex((each) => each.node === node)];
    if (match && some.length === same.length) return match;
  }
  return null;
}

/** All functions of a program, in the order of their text. */
function functionsIn(program: Program): FunctionPlace[] {
  const found: FunctionPlace[] = [];
  walkSyntax(program, (node, parent) => {
    if (isFunctionNode(node)) found.push({ start: startOf(node, parent), end: node.end, node });
  });
  return found.sort((a, b) => a.start - b.start);
}

/** A method's text begins with its name. */
function startOf(node: AnyNode, parent: AnyNode | null): number {
  if (parent?.type === "Property" && (parent.method || parent.kind !== "init")) return parent.start;
  if (parent?.type !== "MethodDefinition") return node.start;
  return parent.static ? parent.key.start : parent.start;
}

type Name = { name: string; start: number };

/** The names in a function, in the order of its text. */
function namesIn({ node }: FunctionPlace): Name[] {
  const byStart = new Map<number, Name>();
  walkSyntax(node, (each) => {
    const name = each.type === "Identifier" ? each.name : WORDS[each.type];
    if (name !== undefined) byStart.set(each.start, { name, start: each.start });
  });
  return [...byStart.values()].sort((a, b) => a.start - b.start);
}

/** What is looked for by its place as names are. */
const WORDS: Partial<Record<AnyNode["type"], string>> = { ThisExpression: "this", Super: "super" };

function sameNames(some: Name[], others: Name[]): boolean {
  return some.length === others.length && some.every((name, at) => plainName(name) === plainName(others[at]));
}

/** Whether at least three in four are in both. */
function mostNames(some: Name[], others: Name[]): boolean {
  const theirs = Map.groupBy(others, plainName);
  const all = [...Map.groupBy(some, plainName)];
  const shared = all.reduce(
    (sum, [name, own]) => sum + Math.min(own.length, theirs.get(name)?.length ?? 0),
    0,
  );
  return shared * 4 >= Math.max(some.length, others.length) * 3;
}

/** Names that two versions of a function have equally often, each with its counterpart, in order. */
function pairsOf(some: Name[], others: Name[]): [Name, Name][] {
  const theirs = Map.groupBy(others, plainName);
  const pairs = [...Map.groupBy(some, plainName)].flatMap(([name, own]): [Name, Name][] => {
    const same = theirs.get(name) ?? [];
    return own.length === same.length ? own.flatMap((each, at) => (same[at] ? [[each, same[at]]] : [])) : [];
  });
  return pairs.sort(([a], [b]) => a.start - b.start);
}

/** The bundler may rename: `require` to `__require`, a second `x` to `x2`. */
function plainName(name: Name | undefined): string | undefined {
  return name?.name.replace(/^__|\d+$/g, "");
}

const builds = new WeakMap<RuntimeText, Promise<Built | null>>();

function builtOf(module: RuntimeText): Promise<Built | null> {
  const built = builds.get(module) ?? buildWithMap(module.file);
  builds.set(module, built);
  return built;
}

type Built = { text: string; program: Program; map: SourceMap };

/** The module alone, its imports left out; the code comes close to the runtime's. Null where it does not build. */
async function buildWithMap(file: string): Promise<Built | null> {
  try {
    const { outputs } = await Bun.build({
      entrypoints: [file],
      target: "bun",
      sourcemap: "external",
      minify: { syntax: true },
      env: "disable",
      define: { "process.env.NODE_ENV": "process.env.NODE_ENV" },
      plugins: [{ name: "jobx-nothing-else", setup: leaveOthersOut }],
    });
    const code = outputs.find(({ kind }) => kind === "entry-point");
    const map = outputs.find(({ kind }) => kind === "sourcemap");
    if (!code || !map) return null;
    const text = await code.text();
    const parsed: SourceMapFile = JSON.parse(await map.text());
    return {
      text,
      program: parseModule(text),
      map: new SourceMap({ ...parsed, file: "", sourceRoot: "", sourcesContent: [] }),
    };
  } catch {
    return null;
  }
}

function leaveOthersOut(build: Bun.PluginBuilder): void {
  build.onResolve({ filter: /.*/ }, ({ path, kind }) =>
    kind.startsWith("entry-point") ? undefined : { path, external: true },
  );
}

/** Where each line begins. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
