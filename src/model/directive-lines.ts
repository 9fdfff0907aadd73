import { usageError } from "../errors.ts";

/** One option of a directive line: `name` without its dashes, "" for a word that is no option; `text` as it was written. */
export type DirectiveWord = { name: string; value: string | null; text: string; line: number };

/**
 * The options of a script's `#SBATCH` lines, from its beginning to its first command, as sbatch reads them:
 * several to a line, quotes and backslashes as in a shell, `#` after a blank begins a comment. `takesValue`
 * says whether the word after an option belongs to it. Throws USAGE for a quote that never ends.
 */
export function readDirectiveWords(script: string, takesValue: (name: string) => boolean): DirectiveWord[] {
  const found: DirectiveWord[] = [];
  for (const [index, text] of script.split(/\r?\n/).entries()) {
    if (text.trim() !== "" && !text.trimStart().startsWith("#")) break;
    if (!/^#SBATCH(?:\s|$)/.test(text)) continue;
    const words = splitWords(text.slice("#SBATCH".length), index + 1);
    for (let i = 0; i < words.length; i++) {
      const word = readWord(words[i] ?? "", index + 1);
      const next = words[i + 1];
      if (word.value === null && takesValue(word.name) && next !== undefined) {
        word.value = next;
        word.text += ` ${next}`;
        i++;
      }
      found.push(word);
    }
  }
  return found;
}

function readWord(text: string, line: number): DirectiveWord {
  const long = /^--([^=]+)(?:=(.*))?$/s.exec(text);
  if (long) return { name: long[1] ?? "", value: long[2] ?? null, text, line };
  const short = /^-([A-Za-z])=?(.*)$/s.exec(text);
  if (short) return { name: short[1] ?? "", value: short[2] || null, text, line };
  return { name: "", value: null, text, line };
}

function splitWords(text: string, line: number): string[] {
  const words: string[] = [];
  const part = /\s+|#.*$|(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gsy;
  while (part.lastIndex < text.length) {
    const found = part.exec(text)?.[0];
    if (found === undefined) {
      throw usageError(`Line ${line}: a quote in "#SBATCH${text}" never ends`, "Close it, or take it away");
    }
    if (found.startsWith("#")) break;
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
