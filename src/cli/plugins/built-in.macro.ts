import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The sources of the built-in plugins by name. Called while the binary is built, so that they are in it as text: the
 * bundler takes one file either as a module or as text, and they are modules as well.
 */
export function builtInSources(): Record<string, string> {
  const folder = join(import.meta.dir, "..", "..", "..", "plugins");
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  return Object.fromEntries(
    files.map((name) => [name.slice(0, -3), readFileSync(join(folder, name), "utf8")]),
  );
}
