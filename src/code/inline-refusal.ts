import { type JobxError, usageError } from "../errors.ts";
import { codeFrame } from "./code-frame.ts";
import type { Use } from "./function-text.ts";
import { anchorAt, placeOfOffset } from "./inline-map.ts";
import type { InlineFunction } from "./inline.ts";
import { anchorsOf } from "./locate.ts";
import { showPath } from "./show-path.ts";

/** Why a function cannot be taken by its text, with the place and the ways out; null when it can. */
export async function whyNotInline(fn: InlineFunction): Promise<JobxError | null> {
  const { free, assumed, problems } = fn.text;
  const [problem] = problems;
  if (problem) return refusal(fn, problem, `${problem.what}, ${WHY[problem.what]}`, []);
  const missing = [
    ...free.filter(({ what }) => !isCarried(fn, what)),
    // They mean the same elsewhere, unless the module has declared them.
    ...assumed.filter(({ what }) => isDeclared(fn, what) && !isCarried(fn, what)),
  ].sort((a, b) => a.offset - b.offset);
  const names = missing.map(({ what }) => what);
  const [first] = missing;
  return first ? refusal(fn, first, `${names.join(", ")}, declared outside of it`, names) : null;
}

function isDeclared({ outer }: InlineFunction, name: string): boolean {
  const kind = outer.get(name)?.kind;
  return kind === "variable" || kind === "function" || kind === "import";
}

/** Whether the name has its meaning wherever the function is. */
function isCarried({ values, outer }: InlineFunction, name: string): boolean {
  const kind = outer.get(name)?.kind;
  return kind === "runtime" || kind === "itself" || (values !== null && Object.hasOwn(values, name));
}

const WHY: Record<string, string> = {
  this: "which it lacks when it is called by itself",
  super: "which it lacks when it is called by itself",
  arguments: "which are those of the function around it",
  "import.meta": "which is its module's",
  "eval()": "which may use anything around it",
};

async function refusal(fn: InlineFunction, use: Use, what: string, names: string[]): Promise<JobxError> {
  const anchors = fn.located ? await anchorsOf(fn.located) : [];
  const anchor = anchorAt(anchors, use.offset);
  const who = fn.name || "The function";
  const source = anchor ? (fn.located?.module.source ?? "") : fn.text.text;
  const { line, column } = anchor ?? placeOfOffset(source, use.offset);
  const place = anchor
    ? `${showPath(fn.file)}:${line + 1}:${column + 1}`
    : `line ${line + 1} of its text in ${showPath(fn.file)}`;
  return usageError(
    `${who} cannot be taken out of its module: it uses ${what} (${place})\n${codeFrame(source, line + 1, column + 1)}`,
    waysOut(fn, names),
  );
}

/** What to do about names: bind values, import what is imported, or export the function. */
function waysOut({ name, values, outer }: InlineFunction, names: string[]): string {
  const imports: string[] = [];
  const bindable = Object.keys(values ?? {});
  for (const each of names) {
    const origin = outer.get(each);
    if (origin?.kind === "import") imports.push(origin.inside);
    else if (origin?.kind !== "function") bindable.push(each);
  }
  const ways: string[] = [];
  if (bindable.length > 0)
    ways.push(`hand over values: submit(bind(${name || "fn"}, { ${bindable.join(", ")} }), …)`);
  if (imports.length > 0) ways.push(`import inside of it: ${imports.join("; ")}`);
  ways.push("export the function from its module, which is then bundled with all that it uses");
  const text = ways.join("; or ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
