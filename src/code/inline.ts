import { basename } from "node:path";

import { type JobxError, usageError } from "../errors.ts";
import { recordFileBytes } from "../store/files.ts";
import { bundleModule } from "./bundle.ts";
import type { CapturedFunction } from "./capture.ts";
import { codeFrame } from "./code-frame.ts";
import type { SourceMapFile } from "./computed-imports.ts";
import type { FunctionText, Use } from "./function-text.ts";
import { anchorAt, mapToOrigin } from "./inline-map.ts";
import { anchorsOf, lineStarts, type Located } from "./locate.ts";
import { constantsOf } from "./original-paths.ts";
import type { OuterName } from "./outer-names.ts";
import { showPath } from "./show-path.ts";
import { copyFiles, type SnapshotFiles } from "./snapshot-files.ts";
import { FROM_VALUES, snapshotOf } from "./snapshot.ts";

/** A function that is taken by its text. */
export type InlineFunction = {
  /** Empty where it has none. */
  name: string;
  text: FunctionText;
  /** Values for names that its text uses; null without `bind`. */
  values: Record<string, unknown> | null;
  /** Where its text stands, if that is known, and what the names are there that it takes from around it. */
  located: Located | null;
  outer: ReadonlyMap<string, OuterName>;
  /** Its file, or else one beside which its imports are looked for. */
  file: string;
  /** Files to copy into its snapshot, relative to `file`'s folder. */
  snapshot: boolean | SnapshotFiles;
};

/** Why a function cannot be taken by its text, with the place and the ways out; null when it can. */
export async function whyNotInline(fn: InlineFunction): Promise<JobxError | null> {
  const { free, typeofs, problems } = fn.text;
  const [problem] = problems;
  if (problem) return refusal(fn, problem, `${problem.what}, ${WHY[problem.what]}`, []);
  const missing = [
    ...free.filter(({ what }) => !isCarried(fn, what)),
    // Asking for the type of what is declared nowhere is no mistake.
    ...typeofs.filter(({ what }) => fn.outer.get(what)?.kind === "declared" && !isCarried(fn, what)),
  ].sort((a, b) => a.offset - b.offset);
  const names = missing.map(({ what }) => what);
  const [first] = missing;
  return first ? refusal(fn, first, `${names.join(", ")}, declared outside of it`, names) : null;
}

/** Whether the name has its meaning wherever the function is. */
function isCarried({ values, outer }: InlineFunction, name: string): boolean {
  const kind = outer.get(name)?.kind;
  return kind === "runtime" || kind === "itself" || (values !== null && Object.hasOwn(values, name));
}

/** The function as a module of its own, with what it imports. Throws USAGE when that does not build. */
export async function captureInline(fn: InlineFunction): Promise<CapturedFunction> {
  const { name, file, text, values, located } = fn;
  const anchors = located ? await anchorsOf(located) : [];
  const given = Object.entries(values ?? {});
  const used = given.filter(([key]) => text.outer.has(key));
  const copied = copyFiles(file, fn.snapshot);
  const [opening, closing] = around(
    fn,
    used.map(([key]) => key),
  );
  const before = imports(fn) + constants(fn, copied?.root ?? null) + opening;
  const whole = before + text.text + closing;
  const origin = {
    file: `${file}#inline.js`,
    text: whole,
    begin: before.length,
    anchors,
    source: file,
    content: located?.module.source ?? "",
  };
  const inline = { text: whole, mapBack: (map: SourceMapFile) => mapToOrigin(map, origin) };
  const bundle = await bundleModule(origin.file, { copied: copied?.root, inline });
  const stored = values && recordFileBytes(Object.fromEntries(used));
  const unused = given.filter(([key]) => !text.outer.has(key));
  const warnings = unused.map(([key]) => `bind.${key} is not used by ${name || "the function"}`);
  const [first] = anchors;
  return {
    file: first ? `${file}:${first.line + 1}` : file,
    export: exportName(fn),
    name: name || basename(file).replace(/\.[^.]+$/, ""),
    snapshot: snapshotOf({ ...bundle, warnings: [...warnings, ...bundle.warnings] }, copied, stored),
  };
}

const WHY: Record<string, string> = {
  this: "which it lacks when it is called by itself",
  super: "which it lacks when it is called by itself",
  arguments: "which are those of the function around it",
  "import.meta": "which is its module's",
  "eval()": "which may use anything around it",
};

function constants({ text, file }: InlineFunction, copied: string | null): string {
  return text.outer.has("__dirname") || text.outer.has("__filename") ? constantsOf(file, copied) : "";
}

function imports({ outer, values }: InlineFunction): string {
  const statements = [...outer].flatMap(([name, origin]) =>
    origin.kind === "runtime" && !Object.hasOwn(values ?? {}, name) ? [origin.statement] : [],
  );
  return statements.join("");
}

/** What stands around a function's text in the module that is made of it. */
function around(fn: InlineFunction, names: string[]): [opening: string, closing: string] {
  const { text, values } = fn;
  const own = exportName(fn);
  const free = (name: string) => !text.outer.has(name) && !names.includes(name);
  const name = own === "default" ? (["inline", "__jobx_inline"].find(free) ?? "__jobx_function") : own;
  const [opening, closing] = [`const ${name}=(${text.before}`, `${text.after});`];
  if (!values) return [opening, `${closing}\nexport{${name} as ${own}};`];
  return [`export const ${FROM_VALUES}=({${names.join(",")}})=>{${opening}`, `${closing}\nreturn ${name}};`];
}

/** Its own name, for stacks and messages, where that cannot be taken for another's. */
function exportName({ name, text, outer, values }: InlineFunction): string {
  const fits = /^[A-Za-z_$][\w$]*$/.test(name) && !RESERVED.has(name) && !Object.hasOwn(values ?? {}, name);
  return fits && (!text.outer.has(name) || outer.get(name)?.kind === "itself") ? name : "default";
}

const RESERVED = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false " +
    "finally for function if implements import in instanceof interface let new null package private protected public " +
    "return static super switch this throw true try typeof var void while with yield"
  ).split(" "),
);

async function refusal(fn: InlineFunction, use: Use, what: string, names: string[]): Promise<JobxError> {
  const anchors = fn.located ? await anchorsOf(fn.located) : [];
  const anchor = anchorAt(anchors, use.offset);
  const who = fn.name || "The function";
  const source = anchor ? (fn.located?.module.source ?? "") : fn.text.text;
  const { line, column } = anchor ?? placeIn(source, use.offset);
  const place = anchor
    ? `${showPath(fn.file)}:${line + 1}:${column + 1}`
    : `line ${line + 1} of its text in ${showPath(fn.file)}`;
  const all = [...Object.keys(fn.values ?? {}), ...names].join(", ");
  const bound =
    names.length > 0 ? `Hand over the values: submit(bind(${fn.name || "fn"}, { ${all} }), …); or e` : "E";
  return usageError(
    `${who} cannot be taken out of its module: it uses ${what} (${place})\n${codeFrame(source, line + 1, column + 1)}`,
    `${bound}xport the function from its module, which is then bundled with all that it uses`,
  );
}

function placeIn(text: string, offset: number): { line: number; column: number } {
  const starts = lineStarts(text);
  const line = starts.findLastIndex((start) => start <= offset);
  return { line, column: offset - (starts[line] ?? 0) };
}
