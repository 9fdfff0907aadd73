import { usageError } from "../../errors.ts";

/** Splits a line into words as a shell would, with quotes and backslashes; nothing is expanded. Throws USAGE. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  const part = /\s+|(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gsy;
  while (part.lastIndex < line.length) {
    const found = part.exec(line)?.[0];
    if (found === undefined) {
      throw usageError(
        `A quote or backslash in ${JSON.stringify(line)} never ends`,
        "Close it, or take it away",
      );
    }
    if (found.trim() !== "") words.push(unquote(found));
  }
  return words;
}

function unquote(word: string): string {
  return word.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_, escaped, double, single) => {
    if (typeof escaped === "string") return escaped;
    if (typeof double === "string") return double.replace(/\\(["\\$`])/g, "$1");
    return String(single);
  });
}
