import { readFileSync } from "node:fs";
import { basename } from "node:path";

import type { Program } from "acorn";

import { loaderOf } from "./exports.ts";
import { parseModule } from "./syntax.ts";

/** A module as the runtime runs it: the text that `fn.toString()` shows parts of. */
export type RuntimeText = { file: string; source: string; text: string; program: Program };

/** Of modules that functions were looked for in, the last that was read. */
const known = new Map<string, RuntimeText>();

/** A module's text as the runtime has it; null where it cannot be read or does not parse. */
export function readRuntimeText(file: string): RuntimeText | null {
  try {
    const source = readFileSync(file, "utf8");
    const before = known.get(file);
    if (before?.source === source) return before;
    const transpiler = new Bun.Transpiler({
      loader: loaderOf(file),
      target: "bun",
      // As the runtime does, which puts constants where they are used, and leaves this variable as it is.
      inline: true,
      define: { "process.env.NODE_ENV": "process.env.NODE_ENV" },
    });
    const text = transpiler.transformSync(source).replaceAll(/\binput_default\b/g, defaultName(file));
    const made = { file, source, text, program: parseModule(text) };
    known.set(file, made);
    return made;
  } catch {
    return null;
  }
}

/** How the runtime calls a default export that has no name. */
function defaultName(file: string): string {
  const name = basename(file).replace(/\.[^.]+$/, "");
  return `${name.replace(/[^\w$]/g, "_")}_default`;
}
