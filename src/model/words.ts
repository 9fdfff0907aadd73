/**
 * Splits a line into words as a shell would, with quotes and backslashes; nothing is expanded. With `comments` a
 * `#` after a blank ends the line. Null where a quote or a backslash never ends.
 */
export function splitWords(line: string, options: { comments?: boolean } = {}): string[] | null {
  const words: string[] = [];
  const part = /\s+|(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gsy;
  while (part.lastIndex < line.length) {
    if (options.comments && line[part.lastIndex] === "#") break;
    const found = part.exec(line)?.[0];
    if (found === undefined) return null;
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
