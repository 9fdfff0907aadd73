import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Joins what a door exports, and what those declarations name, into one text without relative imports. `file` is
 * the door's `.d.ts` as tsc wrote it; names that the door `base` exports already are imported from it. Throws on
 * a form that it does not know, so that nothing is left out in silence.
 */
export function flatten(file: string, base?: { specifier: string; file: string }): string {
  const door = readModule(file);
  const based = base ? exportsOf(readModule(base.file)) : new Map<string, Declaration>();
  const basedNames = new Map([...based].map(([name, declaration]) => [declaration, name]));
  const wanted = exportsOf(door);
  const names = new Map<Declaration, string>();
  for (const [name, declaration] of wanted) names.set(declaration, name);

  // Declarations in the order in which they are first named, which is the door's.
  const order = new Set<Declaration>();
  const imported = new Set<string>();
  const collect = (declaration: Declaration) => {
    const shared = basedNames.get(declaration);
    if (shared !== undefined) return void imported.add(shared);
    if (order.has(declaration)) return;
    order.add(declaration);
    for (const used of declaration.uses().values()) collect(used);
  };
  for (const declaration of wanted.values()) collect(declaration);

  const taken = new Set([...wanted.keys(), ...imported]);
  for (const declaration of order) {
    if (!names.has(declaration)) names.set(declaration, freshName(declaration.name, taken));
  }
  for (const [declaration, name] of basedNames) names.set(declaration, name);

  const typesOnly: string[] = [];
  const parts = [...order].map((declaration) => {
    const name = names.get(declaration) ?? declaration.name;
    const isWanted = wanted.get(name) === declaration;
    // A class whose type alone is exported must not be taken for a value.
    const isType = isWanted && declaration.isValue && door.exports.get(name)?.isType === true;
    if (isType) typesOnly.push(name);
    return declaration.print(isWanted && !isType, (used) => names.get(used) ?? used.name);
  });
  if (typesOnly.length > 0) parts.push(`export type { ${typesOnly.join(", ")} };`);
  if (base && imported.size > 0) {
    const list = [...imported].sort().join(", ");
    parts.unshift(`import { ${list} } from "${base.specifier}";`);
    const passedOn = [...imported].filter((name) => wanted.has(name)).sort();
    if (passedOn.length > 0) parts.splice(1, 0, `export { ${passedOn.join(", ")} };`);
  }
  // Without it, everything in a `declare module` would be exported.
  return `${[...parts, "export {};"].join("\n\n")}\n`;
}

type Declaration = {
  name: string;
  isValue: boolean;
  /** The declarations that it names, by the name that it has for them. */
  uses(): Map<string, Declaration>;
  print(exported: boolean, nameOf: (used: Declaration) => string): string;
};

type Module = {
  file: string;
  own: Map<string, Declaration>;
  /** Local names of what is imported. */
  imports: Map<string, { from: string; name: string }>;
  /** Exported names, and where they are from; null for this very file. */
  exports: Map<string, { from: string | null; name: string; isType?: boolean }>;
};

const modules = new Map<string, Module>();

function readModule(file: string): Module {
  const known = modules.get(file);
  if (known) return known;
  const module: Module = { file, own: new Map(), imports: new Map(), exports: new Map() };
  modules.set(file, module);
  const text = readFileSync(file, "utf8").replace(/ *\/\/ oxlint-disable.*$/gm, "");
  for (const statement of statementsOf(text)) addStatement(module, statement);
  return module;
}

/** tsc begins every statement in the first column; a comment right above belongs to it, others stand within one. */
const STATEMENT =
  /^(?<!\*\/\n)(?=(?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?(?:export|import|declare|type|interface|abstract|class)\b)/m;

function statementsOf(text: string): string[] {
  return text.split(STATEMENT).filter((part) => part.trim() !== "");
}

/** A declaration's parts: `rest` is what follows its name. */
type Statement = { comment: string; kind: string; name: string; rest: string };

const DECLARATION =
  /^(?<comment>(?:\/\*\*[\s\S]*?\*\/\n)?)(?<exported>export )?(?:declare )?(?<kind>(?:abstract )?(?:type|interface|class|function|const|let|enum)) (?<name>[\w$]+)(?<rest>[\s\S]*)$/;

function addStatement(module: Module, text: string): void {
  const code = text.replace(/^\/\*\*[\s\S]*?\*\/\n/, "");
  const link =
    /^(?<verb>import|export)(?<type> type)? \{(?<names>[\s\S]*?)\}(?: from "(?<from>[^"]+)")?;\s*$/.exec(
      code,
    );
  if (link?.groups) return addNames(module, link.groups);
  const found = DECLARATION.exec(text)?.groups;
  if (!found) throw new Error(`${module.file}: cannot read ${JSON.stringify(text.slice(0, 200))}`);
  const { name = "", comment = "", kind = "", rest = "", exported } = found;
  const before = module.own.get(name);
  const shown = kind.endsWith("class") ? withoutInternals(rest) : rest;
  const declaration = makeDeclaration(module, { comment, kind, name, rest: shown.trimEnd() });
  module.own.set(name, before ? overloaded(before, declaration) : declaration);
  if (exported) module.exports.set(name, { from: null, name });
}

/** Without protected members, which no user has; a constructor marked `@internal` is nobody's to call. */
function withoutInternals(rest: string): string {
  const [head = "", ...members] = rest.replace(/\}\s*$/, "").split(/^(?<!\*\/\n)(?= {4}[^\s)}])/m);
  const kept = members.map((member) => {
    if (/^ {4}protected /m.test(member)) return "";
    return member.includes("@internal") ? "    protected constructor();\n" : member;
  });
  return `${head}${kept.join("")}}`;
}

function overloaded(before: Declaration, next: Declaration): Declaration {
  return {
    name: next.name,
    isValue: next.isValue,
    uses: () => new Map([...before.uses(), ...next.uses()]),
    print(isExported, nameOf) {
      const same = (used: Declaration) => nameOf(used === before || used === next ? this : used);
      return `${before.print(isExported, same)}\n${next.print(isExported, same)}`;
    },
  };
}

function addNames(module: Module, groups: Record<string, string | undefined>): void {
  const { verb, type, names = "", from } = groups;
  for (const part of names.split(",")) {
    const [, own, name, alias] = /^\s*(type )?([\w$]+)(?: as ([\w$]+))?\s*$/.exec(part) ?? [];
    if (!name) continue;
    if (verb === "export")
      module.exports.set(alias ?? name, { from: from ?? null, name, isType: Boolean(type ?? own) });
    else if (from) module.imports.set(alias ?? name, { from, name });
  }
}

function exportsOf(module: Module): Map<string, Declaration> {
  return new Map([...module.exports.keys()].map((name) => [name, exported(module, name)]));
}

function exported(module: Module, name: string): Declaration {
  const found = module.exports.get(name);
  const declaration = found?.from
    ? exported(besides(module, found.from), found.name)
    : local(module, found?.name ?? name);
  if (!declaration) throw new Error(`${module.file}: no declaration of ${name}`);
  return declaration;
}

function local(module: Module, name: string): Declaration | undefined {
  const imported = module.imports.get(name);
  if (!imported) return module.own.get(name);
  return exported(besides(module, imported.from), imported.name);
}

function besides(module: Module, specifier: string): Module {
  if (!specifier.startsWith(".")) {
    throw new Error(
      `${module.file}: ${specifier} is a package; users who have only the binary lack its types`,
    );
  }
  return readModule(resolve(dirname(module.file), specifier.replace(/\.ts$/, ".d.ts")));
}

/** A name in types: one with a capital, or any after `typeof`; names of properties and parameters are none. */
const NAMES = /(?<![.\w$])(typeof )?([A-Za-z_$][\w$]*)(?![\w$])(?!\??:)/g;
const INLINE = /(typeof )?import\("([^"]+)"\)(?:\.([\w$]+))?/g;

function makeDeclaration(module: Module, statement: Statement): Declaration {
  const { name, comment, kind } = statement;
  const { rest, uses: inlined } = spellOut(module, statement.rest);
  const isReference = (word: string, after: string | undefined) => after !== undefined || /^[A-Z]/.test(word);
  const uses = () => {
    const found = new Map(inlined);
    for (const [, after, word = ""] of withoutComments(rest).matchAll(NAMES)) {
      const used = word !== name && isReference(word, after) ? local(module, word) : undefined;
      if (used) found.set(word, used);
    }
    return found;
  };
  const isValue = kind !== "type" && kind !== "interface";
  return {
    name,
    isValue,
    uses,
    print(isExported, nameOf) {
      const names = new Map([...uses()].map(([word, used]) => [word, nameOf(used)]));
      names.set(name, nameOf(this));
      const renamed = rest.replace(NAMES, (whole, after: string | undefined, word: string) =>
        isReference(word, after) ? `${after ?? ""}${names.get(word) ?? word}` : whole,
      );
      return `${comment}${isExported ? "export " : ""}${isValue ? "declare " : ""}${kind} ${nameOf(this)}${renamed}`;
    },
  };
}

/** Writes out what tsc put as `import("./x.ts").Name`, and `typeof import("./x.ts")` member by member. */
function spellOut(module: Module, text: string): { rest: string; uses: Map<string, Declaration> } {
  const uses = new Map<string, Declaration>();
  const rest = text.replace(
    INLINE,
    (_, whole: string | undefined, specifier: string, name: string | undefined) => {
      const other = besides(module, specifier);
      if (name !== undefined) {
        uses.set(name, exported(other, name));
        return `${whole ?? ""}${name}`;
      }
      const values = [...exportsOf(other)].filter(([, { name: own }]) => /^[a-z]/.test(own));
      for (const [value, declaration] of values) uses.set(value, declaration);
      return `{ ${values.map(([value]) => `${value}: typeof ${value};`).join(" ")} }`;
    },
  );
  return { rest, uses };
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/"(?:[^"\\\n]|\\.)*"/g, '""');
}

function freshName(name: string, taken: Set<string>): string {
  let fresh = name;
  for (let number = 2; taken.has(fresh); number++) fresh = `${name}${number}`;
  taken.add(fresh);
  return fresh;
}
