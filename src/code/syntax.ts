import { type AnyNode, parse, type Program } from "acorn";

/** Parses JavaScript as strict code. Throws acorn's SyntaxError. */
export function parseModule(text: string): Program {
  return parse(text, { ecmaVersion: "latest", sourceType: "module", ranges: true, allowHashBang: true });
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
