import type { AnyNode, Program } from "acorn";

import { GLOBAL_NAMES } from "./globals.ts";
import { analyzeScopes, type FunctionNode, isFunctionNode, parseModule, walkSyntax } from "./syntax.ts";

/** A name or construct in a function's text; `offset` counts from the text's beginning. */
export type Use = { what: string; offset: number };

/** What a function's text says of it. */
export type FunctionText = {
  text: string;
  /** An expression whose value is the function, as what stands before and after its text. */
  before: string;
  after: string;
  /** Names that are declared outside of it and are no globals, each where it is first used. */
  free: Use[];
  /** Names that may be declared nowhere: globals, and those of which only the type is asked. Each where it is first used. */
  assumed: Use[];
  /** All names that are not its own, globals included. */
  outer: ReadonlySet<string>;
  /** Why it cannot be taken out of its place, whatever its names. */
  problems: Use[];
};

/**
 * Reads a function's text as `fn.toString()` gives it: an arrow function, a function or a method. Gives the
 * reason as a text where it is none that can be moved: native or bound, an accessor, or unparsable.
 */
export function readFunctionText(text: string): FunctionText | string {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) return NATIVE;
  let best = { at: -1, message: "" };
  for (const [before, after] of WRAPPERS) {
    try {
      const program = parseModule(`${before}${text}${after}`);
      const found = functionIn(program);
      return typeof found === "string" ? found : judge(text, before, after, program, found);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const at = Number(Reflect.get(error, "pos")) - before.length;
      if (at > best.at) best = { at, message: error.message.replace(/ \(\d+:\d+\)$/, "") };
    }
  }
  return `cannot be read from its text: ${best.message}`;
}

const NATIVE = "is built in, or was made by bind(): it has no text";
/** As an expression, and as a method. A line comment at the end of the text must not swallow what follows. */
const WRAPPERS = [
  ["(\n", "\n)"],
  ["(o=>o[Reflect.ownKeys(o)[0]])({\n", "\n})"],
] as const;

function functionIn(program: Program): FunctionNode | string {
  const [statement] = program.body;
  const value = statement?.type === "ExpressionStatement" ? statement.expression : null;
  if (value && isFunctionNode(value)) return value;
  const object = value?.type === "CallExpression" ? value.arguments[0] : null;
  const property = object?.type === "ObjectExpression" ? object.properties[0] : null;
  if (property?.type !== "Property") return "is no function";
  if (property.kind !== "init") return "is an accessor; write a function that uses it";
  return isFunctionNode(property.value) ? property.value : "is no function";
}

function judge(
  text: string,
  before: string,
  after: string,
  program: Program,
  fn: FunctionNode,
): FunctionText {
  const use = (what: string, node: { start: number }): Use => ({ what, offset: node.start - before.length });
  const problems = [...boundTo(fn), ...anywhere(fn)].map(([what, node]) => use(what, node));
  const names = outerNames(program);
  const free: Use[] = [];
  const assumed: Use[] = [];
  for (const [name, all] of names) {
    // The wrapper has names as well.
    const uses = all.filter(({ start }) => start >= before.length);
    if (name === "arguments") problems.push(...uses.map((at) => use(name, at)));
    if (MODULE_NAMES.has(name) || name === "arguments") continue;
    const first = GLOBAL_NAMES.has(name) ? undefined : uses.find(({ isTypeof }) => !isTypeof);
    const [any] = uses;
    if (first) free.push(use(name, first));
    else if (any) assumed.push(use(name, any));
  }
  return { text, before, after, free, assumed, outer: new Set(names.keys()), problems };
}

/** What every module has besides globals; the bundler makes them right. */
const MODULE_NAMES = new Set(["require", "__dirname", "__filename"]);

/** Names that nothing in the program declares, each with its uses in order. */
function outerNames(program: Program): Map<string, { start: number; isTypeof: boolean }[]> {
  const typeofs = new Set<number>();
  walkSyntax(program, (node) => {
    if (node.type === "UnaryExpression" && node.operator === "typeof" && node.argument.type === "Identifier")
      typeofs.add(node.argument.start);
  });
  const scopes = analyzeScopes(program);
  const names = new Map<string, { start: number; isTypeof: boolean }[]>();
  for (const { identifier } of scopes?.globalScope?.through ?? []) {
    const start = identifier.range?.[0] ?? 0;
    const uses = names.get(identifier.name) ?? [];
    names.set(identifier.name, [...uses, { start, isTypeof: typeofs.has(start) }]);
  }
  return names;
}

type Found = [what: string, node: AnyNode];

/** `this` and `super` that mean those of the function itself, or of what is around it. */
function boundTo(fn: FunctionNode): Found[] {
  const found: Found[] = [];
  const look = (root: AnyNode) =>
    walkSyntax(root, (node) => {
      if (node.type === "ThisExpression") found.push(["this", node]);
      else if (node.type === "Super") found.push(["super", node]);
      else if (node.type === "FunctionExpression" || node.type === "FunctionDeclaration") return false;
      else if (node.type === "PropertyDefinition" || node.type === "MethodDefinition") {
        // The value has a `this` of its own, a computed name has not.
        if (node.computed) look(node.key);
        return false;
      } else if (node.type === "StaticBlock") return false;
      return true;
    });
  for (const part of [...fn.params, fn.body]) look(part);
  return found;
}

/** What means the place of the code, or the names around it, however deep it stands. */
function anywhere(fn: FunctionNode): Found[] {
  const found: Found[] = [];
  walkSyntax(fn, (node) => {
    if (node.type === "MetaProperty" && node.meta.name === "import") found.push(["import.meta", node]);
    const isEval =
      node.type === "CallExpression" &&
      !node.optional &&
      node.callee.type === "Identifier" &&
      node.callee.name === "eval";
    if (isEval) found.push(["eval()", node]);
  });
  return found;
}
