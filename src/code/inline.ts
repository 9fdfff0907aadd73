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
import { showPath } from "./show-path.ts";
import { copyFiles, type SnapshotFiles } from "./snapshot-files.ts";
import { FROM_VALUES, snapshotOf } from "./snapshot.ts";
import { isFunctionNode, walkSyntax } from "./syntax.ts";

/** A function that is taken by its text. */
export type InlineFunction = {
  /** Empty where it has none. */
  name: string;
  text: FunctionText;
  /** Values for names that its text uses; null without `bind`. */
  values: Record<string, unknown> | null;
  /** Where its text stands, if that is known. */
  located: Located | null;
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
  // Asking for the type of what is declared nowhere is no mistake.
  const asked = typeofs.filter(({ what }) => isDeclared(fn.located, what));
  const missing = [...free, ...asked]
    .filter(({ what }) => fn.values === null || !Object.hasOwn(fn.values, what))
    .sort((a, b) => a.offset - b.offset);
  const names = missing.map(({ what }) => what);
  const [first] = missing;
  return first ? refusal(fn, first, `${names.join(", ")}, declared outside of it`, names) : null;
}

/** The function as a module of its own, with what it imports. Throws USAGE when that does not build. */
export async function captureInline(fn: InlineFunction): Promise<CapturedFunction> {
  const { name, file, text, values, located } = fn;
  const anchors = located ? await anchorsOf(located) : [];
  const given = Object.entries(values ?? {});
  const used = given.filter(([key]) => text.outer.has(key));
  const copied = copyFiles(file, fn.snapshot);
  const names = used.map(([key]) => key);
  const before = constants(fn, copied?.root ?? null) + beginning(fn, names);
  const whole = `${before}${text.text}${text.after});\n${fn.values ? "" : `export{${nameIn(fn)} as ${exportName(fn)}};`}`;
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

/** What stands before a function's text in the module that is made of it. */
function beginning(fn: InlineFunction, names: string[]): string {
  if (fn.values) return `export const ${FROM_VALUES}=({${names.join(",")}})=>(${fn.text.before}`;
  return `const ${nameIn(fn)}=(${fn.text.before}`;
}

/** Its own name, for stacks and messages, where that cannot be taken for another's. */
function exportName({ name, text }: InlineFunction): string {
  const fits = /^[A-Za-z_$][\w$]*$/.test(name) && !text.outer.has(name) && !RESERVED.has(name);
  return fits ? name : "default";
}

function nameIn(fn: InlineFunction): string {
  const name = exportName(fn);
  return name === "default" ? "inline" : name;
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

/** Whether the module declares the name anywhere. */
function isDeclared(located: Located | null, name: string): boolean {
  let found = false;
  if (!located) return false;
  walkSyntax(located.module.program, (node, parent) => {
    const declares =
      (parent?.type === "VariableDeclarator" && parent.id === node) ||
      (parent && isFunctionNode(parent) && parent.body !== node) ||
      parent?.type.startsWith("Import") ||
      parent?.type === "ClassDeclaration" ||
      parent?.type.endsWith("Pattern");
    if (declares && node.type === "Identifier" && node.name === name) found = true;
    return !found;
  });
  return found;
}
