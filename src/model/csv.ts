import { usageError } from "../errors.ts";
import { withoutMark } from "./values.ts";

/** One record: its fields, its text as it stood in the file without the line end, and the line it begins on. */
export type CsvRecord = { fields: string[]; text: string; line: number };

/**
 * Reads the records of RFC 4180 text, lazily: quoted fields may hold separators, line ends and doubled
 * quotes; lines end in LF or CRLF; a byte order mark is dropped; blank lines are left out. A quote inside
 * an unquoted field is an ordinary character. `name` is what errors call the text. Throws USAGE naming the line.
 */
export function* readCsv(source: string, separator: "," | "\t", name: string): Generator<CsvRecord> {
  const text = withoutMark(source);
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const start = at;
    const first = line;
    const fields: string[] = [];
    let ended = false;
    while (!ended) {
      let field: string;
      if (text[at] === '"') {
        const end = closingQuote(text, at);
        if (end < 0) throw unclosed(name, line);
        field = text.slice(at + 1, end).replaceAll('""', '"');
        line += lineFeeds(field);
        at = end + 1;
        if (!atEnd(text, at, separator)) throw afterQuote(name, line, text.slice(at, at + 20));
      } else {
        const end = fieldEnd(text, at, separator);
        field = text.slice(at, end);
        at = end;
      }
      fields.push(field);
      ended = text[at] !== separator;
      if (!ended) at++;
    }
    const record = { fields, text: text.slice(start, at), line: first };
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    line++;
    if (record.text !== "") yield record;
  }
}

function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function fieldEnd(text: string, from: number, separator: string): number {
  let at = from;
  while (!atEnd(text, at, separator)) at++;
  return at;
}

function atEnd(text: string, at: number, separator: string): boolean {
  const char = text[at];
  if (char === undefined || char === separator || char === "\n") return true;
  return char === "\r" && (text[at + 1] === "\n" || at + 1 === text.length);
}

function lineFeeds(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function unclosed(name: string, line: number) {
  return usageError(
    `${name}, line ${line}: a quoted field is never closed`,
    'A quote inside it is written ""',
  );
}

function afterQuote(name: string, line: number, rest: string) {
  return usageError(
    `${name}, line ${line}: ${JSON.stringify(rest)} follows a closing quote`,
    'Quote the whole field, and write "" for a quote inside it',
  );
}
