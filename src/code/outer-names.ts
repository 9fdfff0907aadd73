import { isBuiltin } from "node:module";

import type { Definition, Reference } from "eslint-scope";

import type { Use } from "./function-text.ts";
import type { Located } from "./locate.ts";
import type { RuntimeText } from "./runtime-text.ts";
import { analyzeScopes } from "./syntax.ts";

/** What a name that a function takes from around it is there. */
export type OuterName =
  /** From a module that every program has: the statement that imports it. */
  | { kind: "runtime"; statement: string }
  /** The constant that the function itself was made as. */
  | { kind: "itself" }
  /** Imported from another module: what imports it within a function. */
  | { kind: "import"; inside: string }
  | { kind: "function" }
  | { kind: "variable" }
  /** Declared nowhere, or the function's place is not known. */
  | { kind: "unknown" };

/** What these names mean where the function stands. Where its text stands several times they must mean the same. */
export function outerNames(located: Located | null, uses: readonly Use[]): Map<string, OuterName> {
  return new Map(uses.map((use) => [use.what, located ? meaningOf(located, use) : { kind: "unknown" }]));
}

function meaningOf({ module, places }: Located, { offset }: Use): OuterName {
  const references = referencesOf(module);
  const all = places.map(({ start, node }) => {
    const [definition] = references.get(start + offset)?.resolved?.defs ?? [];
    return definition ? describe(definition, node.start) : ({ kind: "unknown" } as const);
  });
  const [first = { kind: "unknown" }] = all;
  const same = all.every((each) => JSON.stringify(each) === JSON.stringify(first));
  return same ? first : { kind: "variable" };
}

function describe(definition: Definition, start: number): OuterName {
  if (definition.type === "ImportBinding") return describeImport(definition);
  if (definition.type === "FunctionName" || definition.type === "ClassName") return { kind: "function" };
  if (definition.type !== "Variable") return { kind: "variable" };
  const { init } = definition.node;
  if (definition.parent.kind === "const" && init?.range?.[0] === start) return { kind: "itself" };
  const isFunction = init?.type === "ArrowFunctionExpression" || init?.type === "FunctionExpression";
  return { kind: isFunction ? "function" : "variable" };
}

function describeImport({ node, parent }: Extract<Definition, { type: "ImportBinding" }>): OuterName {
  const source = String(parent.source.value);
  const from = JSON.stringify(source);
  const [clause, pattern] = specifierTexts(node);
  return isOfRuntime(source)
    ? { kind: "runtime", statement: `import ${clause} from ${from};` }
    : { kind: "import", inside: `const ${pattern} = await import(${from})` };
}

/** What an import binds, as its own clause and as a pattern for the value of `import()`. */
function specifierTexts(
  node: Extract<Definition, { type: "ImportBinding" }>["node"],
): [clause: string, pattern: string] {
  const local = node.local.name;
  if (node.type === "ImportDefaultSpecifier") return [local, `{ default: ${local} }`];
  if (node.type === "ImportNamespaceSpecifier") return [`* as ${local}`, local];
  const name = node.imported.type === "Identifier" ? node.imported.name : JSON.stringify(node.imported.value);
  return name === local
    ? [`{ ${local} }`, `{ ${local} }`]
    : [`{ ${name} as ${local} }`, `{ ${name}: ${local} }`];
}

/** Modules that are the same in every program of this runtime, as globals are. */
function isOfRuntime(source: string): boolean {
  return isBuiltin(source) || /^(?:bun(?::.+)?|jobx(?:\/plugin(?:\/test)?)?)$/.test(source);
}

const known = new WeakMap<RuntimeText, Map<number, Reference>>();

/** Where each name is used in a module, by its offset. */
function referencesOf(module: RuntimeText): Map<number, Reference> {
  const before = known.get(module);
  if (before) return before;
  const made = new Map<number, Reference>();
  for (const scope of analyzeScopes(module.program)?.scopes ?? []) {
    for (const reference of scope.references) made.set(reference.identifier.range?.[0] ?? -1, reference);
  }
  known.set(module, made);
  return made;
}
