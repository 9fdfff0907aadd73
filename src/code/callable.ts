import { isMarkedTask } from "./task-mark.ts";

/**
 * Why a value cannot be a task's function, as the end of a sentence ("is a class; ..."); null when it
 * can. Async functions are fine, and so is what `defineTask` made; generators, classes and everything that is no
 * function are not.
 */
export function whyNotCallable(value: unknown): string | null {
  if (isMarkedTask(value)) return whyNotCallable(value.run);
  if (typeof value !== "function") return `is ${describe(value)}, not a function`;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind === "GeneratorFunction" || kind === "AsyncGeneratorFunction") return GENERATOR;
  if (/^class\b/.test(Function.prototype.toString.call(value))) return CLASS;
  return null;
}

/**
 * The same judgement from bundled code alone, without running it: null also where only running can
 * tell, such as a name that is declared in several scopes. `code` is the whitespace-minified bundle.
 */
export function whyNotCallableInCode(code: string, exportName: string): string | null {
  const local = localName(code, exportName);
  if (!local) return null;
  const declarations = [...code.matchAll(declarationOf(local.replace(/\$/g, "\\$")))];
  const [start] = declarations.map((match) => match.groups?.["kind"] ?? match.groups?.["value"]);
  if (declarations.length !== 1 || !start) return null;
  if (start === "class") return CLASS;
  if (start.endsWith("function*")) return GENERATOR;
  return `is ${LITERALS[start] ?? "a number"}, not a function`;
}

/**
 * Anything that may declare or set the name. Where it shows a generator, a class or a literal, that is in
 * `kind` or `value`.
 */
function declarationOf(name: string): RegExp {
  const declared = `(?:(?<kind>function\\*|class) ?|function )${name}(?=[({ ])`;
  const assigned = `${name}=(?!=)(?<value>class\\b|(?:async )?function\\*|["'\`{[]|-?\\d)?`;
  const destructured = `(?:var|let|const) ?[{[][^=]*?(?<![\\w$])${name}(?=[,}\\]])`;
  return new RegExp(`(?<![\\w$.])(?:${declared}|${assigned}|${destructured})`, "g");
}

/** What a value is, by the sign that its text begins with. */
const LITERALS: Record<string, string> = {
  '"': "a string",
  "'": "a string",
  "`": "a string",
  "{": "an object",
  "[": "an array",
};

const GENERATOR =
  "is a generator function, which has no single result; write a function that returns its values";
const CLASS = "is a class; export a function that makes and uses it";

/** The name inside the bundle of what it exports, from its last `export{a as b,c}`. */
function localName(code: string, exportName: string): string | null {
  const list = /export\{([^{}]*)\};?\s*$/.exec(code)?.[1];
  for (const item of list?.split(",") ?? []) {
    const [local, exported] = item.trim().split(" as ");
    if (local && (exported ?? local) === exportName) return local;
  }
  return null;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
