import { messageOf, usageError } from "../errors.ts";
import { isTable } from "./keys.ts";

/** Parses a TOML file's text; throws USAGE with file and line. */
export function parseToml(text: string, path: string): Record<string, unknown> {
  try {
    const table: unknown = Bun.TOML.parse(text);
    return isTable(table) ? table : {};
  } catch (error) {
    const why = messageOf(error).replace(/^TOML Parse error: /, "");
    throw usageError(
      `${path}:${brokenLine(text)} is not valid TOML: ${why}`,
      "Mend that line, or what it begins",
    );
  }
}

/** The line (from 1) on which a key is set, dotted keys included; of its table where the key cannot be found. */
export function lineOf(text: string, path: string[]): number {
  let table: string[] = [];
  let best = { line: 1, depth: 0 };
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[\[?([^\]]+)\]\]?\s*(?:#.*)?$/.exec(line);
    if (header) table = keyParts(header[1] ?? "");
    const key = header
      ? []
      : keyParts(/^\s*((?:"[^"]*"|'[^']*'|[\w-]+|\s*\.\s*)+)\s*=/.exec(line)?.[1] ?? "");
    const full = [...table, ...key];
    const depth = full.every((part, at) => part === path[at]) ? full.length : 0;
    if ((header || key.length > 0) && depth > best.depth) best = { line: index + 1, depth };
  }
  return best.line;
}

/** Where the statement begins that spoils the file: no longer prefix of the text parses. */
function brokenLine(text: string): number {
  const lines = text.split("\n");
  let broken = lines.length;
  while (broken > 1 && !parses(lines.slice(0, broken - 1).join("\n"))) broken--;
  return broken;
}

function parses(text: string): boolean {
  try {
    Bun.TOML.parse(text);
    return true;
  } catch {
    return false;
  }
}

function keyParts(key: string): string[] {
  return [...key.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
}
