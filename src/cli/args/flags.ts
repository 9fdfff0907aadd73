import type { ArgDef, ArgsDef } from "citty";

/** One declared option, with every way to write it. */
export type Flag = {
  /** The declaration's key, under which values are kept. */
  name: string;
  /** `--ranks-per-node`, without the dashes. */
  long: string;
  /** One-letter aliases. */
  shorts: string[];
  /** Other long spellings. */
  longAliases: string[];
  type: "boolean" | "string" | "enum";
  /** `--no-x` is understood. */
  negatable: boolean;
  options: string[];
  hint: string;
  description: string;
  negativeDescription: string | null;
  default: string | number | boolean | undefined;
};

/** A declared word that is no option. */
export type Positional = {
  name: string;
  hint: string;
  description: string;
  required: boolean;
  variadic: boolean;
};

/** The options of a declaration, in its order. */
export function flagsOf(args: ArgsDef): Flag[] {
  return Object.entries(args).flatMap(([name, def]) =>
    def.type === "positional" ? [] : [toFlag(name, def)],
  );
}

/** The positional words of a declaration, in its order; required unless it says otherwise, as in citty. */
export function positionalsOf(args: ArgsDef): Positional[] {
  return Object.entries(args).flatMap(([name, def]) => {
    if (def.type !== "positional") return [];
    const hint = def.valueHint ?? name.toUpperCase();
    const required = def.required ?? def.default === undefined;
    return [{ name, hint, description: def.description ?? "", required, variadic: hint.endsWith("...") }];
  });
}

/** How an option is written in a message. */
export function spelled(flag: Flag): string {
  return `--${flag.long}`;
}

function toFlag(name: string, def: Exclude<ArgDef, { type?: "positional" }> | ArgDef): Flag {
  const alias = "alias" in def ? def.alias : undefined;
  const aliases = typeof alias === "string" ? [alias] : (alias ?? []);
  const long = kebab(name);
  const type = def.type === "enum" ? "enum" : def.type === "string" ? "string" : "boolean";
  const options = "options" in def ? (def.options ?? []) : [];
  return {
    name,
    long,
    shorts: aliases.filter((text) => text.length === 1),
    longAliases: aliases.filter((text) => text.length > 1).map(kebab),
    type,
    negatable: type === "boolean" && !long.startsWith("no-"),
    options,
    hint: def.valueHint ?? (type === "enum" ? options.join("|") : "VALUE"),
    description: def.description ?? "",
    negativeDescription: "negativeDescription" in def ? (def.negativeDescription ?? null) : null,
    default: def.default,
  };
}

function kebab(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
