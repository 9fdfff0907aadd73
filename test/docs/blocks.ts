/** A fenced block of a document. */
export type Block = {
  /** "ts", "console", ... */
  language: string;
  /** The word after the language. */
  note: string;
  text: string;
  /** Of its first line of code, from 1. */
  line: number;
  /** The file that it is: named by a comment that is its first line, or the second below `#!`. */
  file: string | null;
};

/** A command of a `console` block, with what is shown of its output. */
export type Command = { words: string; shown: string };

/** The fenced blocks of a document, in order. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)(?: (\w+))?\n([\s\S]*?)^```$/gm)].map(
    ([, language = "", note = "", text = ""], index, all) => {
      const at = all[index]?.index ?? 0;
      const name = /^(?:#!.*\n)?(?:\/\/|#) (\S+\.\w+)\n/.exec(text)?.[1] ?? null;
      return { language, note, text, file: name, line: markdown.slice(0, at).split("\n").length + 1 };
    },
  );
}

/** The commands of a `console` block: lines after `$ `, which go on after a `\` at their end. */
export function commandsOf(text: string): Command[] {
  const parts = text.split(/^\$ /m).slice(1);
  return parts.map((part) => {
    const [words = ""] = /^(?:.*\\\n)*.*\n?/.exec(part) ?? [];
    return { words: words.trimEnd(), shown: part.slice(words.length).trimEnd() };
  });
}

/** The commands of a `commands` block: one each line, two spaces or more before what is said of it. */
export function listedCommands(text: string): string[] {
  return text.split("\n").flatMap((line) => /^\S+(?: \S+)*/.exec(line)?.[0] ?? []);
}

/** What output may look like where this was shown: `…` stands for anything, and a time for any other. */
export function patternOf(shown: string): RegExp {
  const pattern = shown
    .split("…")
    .map((piece) => RegExp.escape(piece).replace(TIMES, "[\\d.]+(?:ms|s|m|h)"))
    .join("[\\s\\S]*?");
  return new RegExp(`^${pattern}$`);
}

/** Durations, as `RegExp.escape` writes them. */
const TIMES = /(?<=^|[^\w.]|\\x[\da-f]{2})(?:\\x3\d|\d)[\d]*(?:\\\.\d+)?(?:ms|s|m|h)(?!\w)/g;
