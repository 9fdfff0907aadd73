import { usageError } from "../errors.ts";
import { splitWords } from "./words.ts";

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
    const words = splitWords(text.slice("#SBATCH".length), { comments: true });
    if (words === null) {
      throw usageError(`Line ${index + 1}: a quote in "${text}" never ends`, "Close it, or take it away");
    }
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
