import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";

import type { AnyNode, Program } from "acorn";

import type { CaptureOptions } from "./capture.ts";
import type { Located } from "./locate.ts";
import type { FunctionReference } from "./reference.ts";
import { readRuntimeText } from "./runtime-text.ts";

/**
 * The export that is this very value, among the modules that the caller has loaded. Of several, the one whose own
 * text has the function; a module other than the script goes before it, since loading the script again would run it.
 */
export function findByIdentity(
  value: unknown,
  { modules, script }: CaptureOptions,
): FunctionReference | null {
  const all = [...modules()].filter(([file]) => isScript(file));
  // To look at what a package exports may load more of it.
  const { own = [], packages = [] } = Object.groupBy(all, ([file]) => (isPackage(file) ? "packages" : "own"));
  const found = exportsIn(own, value);
  if (found.length === 0) found.push(...exportsIn(packages, value));
  const others = found.filter(({ file }) => file !== script);
  const text = String(value);
  const origin = others.length > 1 && others.find(({ file }) => readRuntimeText(file)?.text.includes(text));
  return origin || (others[0] ?? found[0] ?? null);
}

function exportsIn(modules: [file: string, exports: unknown][], value: unknown): FunctionReference[] {
  return modules.flatMap(([file, exports]) => {
    const name = nameIn(exports, value);
    return name === null ? [] : [{ file, export: name }];
  });
}

/** Files of the modules that the caller wrote, the script first. */
export function* ownFiles({ modules, script }: CaptureOptions): Iterable<string> {
  if (script !== null && isScript(script)) yield script;
  for (const [file] of modules()) {
    if (file !== script && isScript(file) && !isPackage(file)) yield file;
  }
}

/**
 * The name under which a module that is still being evaluated exports a function, or the task whose `run` the
 * function is; null for none.
 */
export function exportOf({ module, places }: Located, kind: "function" | "task"): string | null {
  const names = places.map(({ node }) =>
    exportNameOf(module.program, kind === "task" ? taskTest(node) : (each) => each === node),
  );
  // The same text elsewhere may mean other variables.
  return names.includes(null) ? null : (names[0] ?? null);
}

function isScript(file: string): boolean {
  return isAbsolute(file) && /\.[cm]?[jt]sx?$/.test(file) && existsSync(file);
}

function isPackage(file: string): boolean {
  return file.includes("/node_modules/");
}

/** A default export may also have a name: that reads better. */
function nameIn(exports: unknown, value: unknown): string | null {
  if (exports === value) return "default";
  // What `module.exports` is may be a function that has others.
  if ((typeof exports !== "object" && typeof exports !== "function") || exports === null) return null;
  const names = Object.keys(exports).filter((name) => readExport(exports, name) === value);
  return names.find((name) => name !== "default") ?? names[0] ?? null;
}

function readExport(exports: object, name: string): unknown {
  try {
    return Reflect.get(exports, name);
  } catch {
    // Not initialized yet: its module is still being evaluated.
    return undefined;
  }
}

/** Whether a node is what is looked for. */
type Test = (node: AnyNode) => boolean;

/** `defineTask({ run(…) { … } })` */
function taskTest(run: AnyNode): Test {
  return (node) => {
    const [task] = node.type === "CallExpression" ? node.arguments : [];
    if (task?.type !== "ObjectExpression") return false;
    return task.properties.some(
      (each) => each.type === "Property" && isNamed(each.key, "run") && each.value === run,
    );
  };
}

function exportNameOf(program: Program, test: Test): string | null {
  for (const statement of program.body) {
    if (statement.type === "ExportDefaultDeclaration" && test(statement.declaration)) return "default";
    const isExport = statement.type === "ExportNamedDeclaration" && statement.declaration;
    const local = declaredName(isExport || statement, test);
    const name = isExport || local === null ? local : exportedAs(program, local);
    if (name !== null) return name;
  }
  return null;
}

/** The name that a declaration gives to what is looked for. */
function declaredName(statement: AnyNode, test: Test): string | null {
  if (statement.type === "FunctionDeclaration") return test(statement) ? (statement.id?.name ?? null) : null;
  if (statement.type !== "VariableDeclaration") return null;
  const found = statement.declarations.find(({ init }) => init && test(init));
  return found?.id.type === "Identifier" ? found.id.name : null;
}

function isNamed(key: AnyNode, name: string): boolean {
  return key.type === "Identifier" && key.name === name;
}

/** `export { local as name }`, `export default local`. */
function exportedAs(program: Program, local: string): string | null {
  for (const statement of program.body) {
    if (statement.type === "ExportDefaultDeclaration" && isNamed(statement.declaration, local))
      return "default";
    if (statement.type !== "ExportNamedDeclaration" || statement.source) continue;
    const found = statement.specifiers.find((each) => isNamed(each.local, local));
    if (found?.exported.type === "Identifier") return found.exported.name;
  }
  return null;
}
