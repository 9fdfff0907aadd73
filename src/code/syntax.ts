import { type AnyNode, parse, type Program } from "acorn";
import { analyze, type ScopeManager } from "eslint-scope";

/** Parses JavaScript as strict code. Throws acorn's SyntaxError. */
export function parseModule(text: string): Program {
  return parse(text, { ecmaVersion: "latest", sourceType: "module", ranges: true, allowHashBang: true });
}

/** What each name of a program means. */
export function analyzeScopes(program: Program): ScopeManager | null {
  // eval() of strict code declares nothing around it.
  const options = { ecmaVersion: 2026, sourceType: "module", ignoreEval: true } as const;
  return isTree(program) ? analyze(program, options) : null;
}

/** Both packages describe the same tree, in types that TypeScript takes for different ones. */
function isTree(program: object): program is Parameters<typeof analyze>[0] {
  return "type" in program && program.type === "Program";
}

/** Calls `visit` with a node and everything below it, in no particular order; what it answers false to is not entered. */
export function walkSyntax(
  node: AnyNode,
  visit: (node: AnyNode, parent: AnyNode | null) => boolean | void,
): void {
  const step = (at: AnyNode, parent: AnyNode | null) => {
    if (visit(at, parent) === false) return;
    for (const child of childrenOf(at)) step(child, at);
  };
  step(node, null);
}

/** A node's parts. */
export function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

export type FunctionNode = Extract<
  AnyNode,
  { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }
>;

export function isFunctionNode(node: AnyNode): node is FunctionNode {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression"
  );
}
