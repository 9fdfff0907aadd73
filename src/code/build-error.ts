import { JobxError } from "../errors.ts";
import { codeFrame, codeFrameAt, type SourcePlace } from "./code-frame.ts";
import type { RewrittenFile } from "./original-paths.ts";
import { showPath } from "./show-path.ts";

type BuildLog = BuildMessage | ResolveMessage;

/** At most this many messages of one build are shown. */
const SHOWN = 5;

/**
 * A failed build as one USAGE error: every message with file, line, column and code frame. `placeOf` tells the places
 * of `file` where that is made up; null for one that is unknown.
 */
export function buildError(
  file: string,
  logs: BuildLog[],
  rewritten: Map<string, RewrittenFile>,
  placeOf?: (line: number, column: number) => (SourcePlace & { text: string }) | null,
): JobxError {
  const errors = logs.filter((log) => log.level === "error");
  const shown = errors.slice(0, SHOWN).map((log) => {
    const inMadeUp = log.position && log.position.file === file;
    const place = inMadeUp ? placeOf?.(log.position.line, log.position.column) : null;
    return place
      ? frameOf(log.message, place, codeFrame(place.text, place.line, place.column))
      : describe(log, rewritten);
  });
  if (errors.length > SHOWN) shown.push(`... and ${errors.length - SHOWN} more`);
  const text = shown.length > 0 ? `\n${shown.join("\n")}` : "";
  const unresolved = errors.some((log) => log.name === "ResolveMessage");
  return new JobxError(
    "USAGE",
    `${showPath(file.replace(/#inline\.js$/, ""))} could not be bundled:${text}`,
    {
      hint: unresolved
        ? "Check the name; packages are looked for in the node_modules folders beside and above the file"
        : undefined,
    },
  );
}

/**
 * Message, place and code frame of an error that Bun's parser or resolver reported; null for other errors.
 * `file` is where parsed text came from when the parser was not told.
 */
export function describeParseError(error: unknown, file?: string): string | null {
  const known = error instanceof BuildMessage || error instanceof ResolveMessage;
  return known ? describe(error, new Map(), file) : null;
}

function describe(log: BuildLog, rewritten: Map<string, RewrittenFile>, file?: string): string {
  if (!log.position) return log.message;
  const place = { ...log.position, file: file ?? log.position.file };
  const original = rewritten.get(place.file);
  const column = original?.line === place.line ? place.column - original.shift : place.column;
  const frame = original
    ? codeFrame(original.text, place.line, column)
    : codeFrameAt({ file: place.file, line: place.line, column });
  return frameOf(log.message, { ...place, column }, frame);
}

function frameOf(message: string, { file, line, column }: SourcePlace, frame: string): string {
  const head = `${showPath(file)}:${line}:${column}: ${message}`;
  return frame ? `${head}\n${frame}` : head;
}
