import { messageOf, usageError } from "../errors.ts";
import { readCsv } from "./csv.ts";
import { linesOf, parseExactJson, readValue, showValue, type ValueMode, withoutMark } from "./values.ts";

export type ParamFormat = "csv" | "tsv" | "jsonl" | "json" | "lines";

/** One row of `--params`: its named values, and the row as it stood in the file, for `{}`. */
export type ParamRow = { params: Record<string, unknown>; line: string };

/**
 * Reads the rows of a parameter file. CSV and TSV begin with a header and follow RFC 4180; cells become
 * values as `mode` says (`exact` for commands, the default; `typed` for functions). JSONL has a value a
 * line, JSON one array; an object is a row, anything else a row with the one parameter `value`. `lines`
 * gives rows with the one parameter `line`, always text. Blank lines are left out. `name` is what errors
 * call the text. Throws USAGE naming the line.
 */
export function parseParams(
  text: string,
  format: ParamFormat,
  options: { name?: string; mode?: ValueMode } = {},
): ParamRow[] {
  const name = options.name ?? "--params";
  const rows = readRows(text, format, name, options.mode ?? "exact");
  if (rows.length === 0) throw usageError(`${name} has no rows`, "Give it one row per task");
  return rows;
}

/** The format that a file's name tells; throws USAGE that lists the known ones. */
export function paramFormatOf(path: string): ParamFormat {
  const extension = /\.(csv|tsv|jsonl|ndjson|json|txt)$/i.exec(path)?.[1]?.toLowerCase();
  switch (extension) {
    case "csv":
    case "tsv":
    case "jsonl":
    case "json":
      return extension;
    case "ndjson":
      return "jsonl";
    case "txt":
      return "lines";
    default:
      throw usageError(
        `Cannot tell the format of "${path}"`,
        "Name it .csv, .tsv, .jsonl, .json or .txt, or give it on standard input: --params - < FILE",
      );
  }
}

/** What standard input holds: JSONL when its first line is a JSON object, array or quoted text, else plain lines. */
export function paramFormatOfText(text: string): "jsonl" | "lines" {
  const first = linesOf(text).find((line) => line.trim() !== "") ?? "";
  if (!/^\s*[{["]/.test(first)) return "lines";
  try {
    JSON.parse(first);
    return "jsonl";
  } catch {
    return "lines";
  }
}

function readRows(text: string, format: ParamFormat, name: string, mode: ValueMode): ParamRow[] {
  switch (format) {
    case "csv":
      return tableRows(text, ",", name, mode);
    case "tsv":
      return tableRows(text, "\t", name, mode);
    case "jsonl":
      return jsonlRows(text, name);
    case "json":
      return jsonRows(text, name);
    case "lines":
      return linesOf(text)
        .filter((line) => line !== "")
        .map((line) => ({ params: { line }, line }));
  }
}

function tableRows(text: string, separator: "," | "\t", name: string, mode: ValueMode): ParamRow[] {
  let header: string[] | null = null;
  const rows: ParamRow[] = [];
  for (const record of readCsv(text, separator, name)) {
    if (header === null) {
      header = checkedHeader(record.fields, name, record.line);
      continue;
    }
    if (record.fields.length !== header.length) {
      throw usageError(
        `${name}, line ${record.line}: ${count(record.fields.length)}, but the header has ${header.length}`,
        `Quote a field that holds a ${separator === "," ? "comma" : "tab"}, and leave none out`,
      );
    }
    const params: Record<string, unknown> = {};
    header.forEach((key, i) => (params[key] = readValue(record.fields[i] ?? "", mode)));
    rows.push({ params, line: record.text });
  }
  return rows;
}

function checkedHeader(fields: string[], name: string, line: number): string[] {
  const header = fields.map((field) => field.trim());
  const [only = ""] = header;
  if (header.length === 1 && /[;,\t]/.test(only)) {
    throw usageError(
      `${name}, line ${line}: its one column is called ${JSON.stringify(only)}`,
      "Separate fields by commas in a .csv file, and by tabs in a .tsv file",
    );
  }
  header.forEach((key, i) => {
    if (key === "" || key === "__proto__") {
      throw usageError(
        `${name}, line ${line}: column ${i + 1} has no usable name ("${key}")`,
        "Name it in the header row",
      );
    }
    if (header.indexOf(key) !== i) {
      throw usageError(`${name}, line ${line}: two columns are called "${key}"`, "Rename one of them");
    }
  });
  return header;
}

function jsonlRows(text: string, name: string): ParamRow[] {
  const rows: ParamRow[] = [];
  linesOf(text).forEach((line, i) => {
    if (line.trim() === "") return;
    rows.push({ params: asParams(parseJson(line, `${name}, line ${i + 1}`)), line });
  });
  return rows;
}

function jsonRows(text: string, name: string): ParamRow[] {
  const value = parseJson(withoutMark(text), name);
  if (!Array.isArray(value)) {
    throw usageError(`${name} holds no JSON array`, "Write [{...}, {...}], one object per task");
  }
  return value.map((item: unknown) => ({ params: asParams(item), line: showValue(item) }));
}

function parseJson(text: string, name: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw usageError(
      `${name} is no JSON: ${messageOf(error)}`,
      'A row is one JSON value, with " around keys and texts',
    );
  }
}

function asParams(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : { value };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function count(fields: number): string {
  return fields === 1 ? "1 field" : `${fields} fields`;
}
