import { basename } from "node:path";

import { recordFileBytes } from "../store/files.ts";
import { bundleModule } from "./bundle.ts";
import type { CapturedFunction } from "./capture.ts";
import type { SourceMapFile } from "./computed-imports.ts";
import type { FunctionText } from "./function-text.ts";
import { mapToOrigin, placeInOrigin } from "./inline-map.ts";
import { anchorsOf, type Located } from "./locate.ts";
import { constantsOf } from "./original-paths.ts";
import type { OuterName } from "./outer-names.ts";
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
  const inline = {
    text: whole,
    mapBack: (map: SourceMapFile) => mapToOrigin(map, origin),
    placeOf: (line: number, column: number) => placeInOrigin(line, column, origin),
  };
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
