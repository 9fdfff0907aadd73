import { writeSync } from "node:fs";
import { dirname } from "node:path";

import { JobxError } from "../../errors.ts";

/** Where jobx's own code lies when it runs from source; in the binary it is `/$bunfs/`. */
const OWN_SOURCES = `${dirname(dirname(import.meta.dir))}/`;

/** How many causes below an error are shown. */
const DEEPEST_CAUSE = 8;

/**
 * Writes an error that a script did not catch to standard error, as Bun does: code frame, message, stack, fields,
 * cause. One of jobx shows its hint instead of fields. Frames of jobx itself are left out.
 */
export function showUncaught(error: unknown, colors: boolean): void {
  const text = describe(error, colors, DEEPEST_CAUSE).trimEnd();
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // Nobody reads it: the exit code tells all the same.
  }
}

function describe(error: unknown, colors: boolean, depth: number): string {
  if (error instanceof JobxError) return describeOwn(error, colors, depth);
  if (!(error instanceof Error)) return `error: Uncaught ${Bun.inspect(error, { colors })}`;
  for (let at: unknown = error, left = depth; at instanceof Error && left > 0; at = at.cause, left--) {
    const frames = foreignFrames(at);
    if (frames.length > 0 && frames.length < framesOf(at).length) setFrames(at, frames);
  }
  return Bun.inspect(error, { colors }).trimEnd() + adviceOn(error);
}

/** Of a tsconfig.json the runtime in the binary reads paths alone, so that a script's JSX is always React's at first. */
function adviceOn(error: Error): string {
  return error instanceof ResolveMessage && /^react\/jsx-(?:dev-)?runtime$/.test(error.specifier)
    ? "\n  A tsconfig.json does not count here. Name another JSX at the top of the file: /** @jsxImportSource preact */"
    : "";
}

function describeOwn(error: JobxError, colors: boolean, depth: number): string {
  const message = error.hint ? `${error.message}\n${error.hint.replace(/^/gm, "  ")}` : error.message;
  const frames = foreignFrames(error);
  const parts = [[`${error.name}: ${message}`, ...frames].join("\n")];
  // What is wrong with code shows that code itself.
  if (frames.length > 0 && !/^> *\d+ \| /m.test(message)) {
    // A copy without fields: Bun would show those of the original, the hint among them, one by one.
    const copy = new Error(message);
    copy.name = error.name;
    setFrames(copy, frames);
    parts[0] = Bun.inspect(copy, { colors }).trimEnd();
  }
  if (error.cause instanceof Error && depth > 0) {
    parts.push(`caused by:\n${describe(error.cause, colors, depth - 1)}`);
  }
  return parts.join("\n\n");
}

/** The frames of an error that are not jobx's. */
function foreignFrames(error: Error): string[] {
  return framesOf(error).filter(
    (frame) => !frame.includes("/$bunfs/") && !frame.includes(OWN_SOURCES) && !frame.includes("(unknown:"),
  );
}

function framesOf(error: Error): string[] {
  return (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
}

/** Bun shows the frames of a stack that was written over, where each has its place in parentheses. */
function setFrames(error: Error, frames: string[]): void {
  const readable = frames.map((frame) =>
    frame.replace(/^(\s+at (?:async )?)(\/[^()]*)$/, "$1<anonymous> ($2)"),
  );
  error.stack = [`${error.name}: ${error.message}`, ...readable].join("\n");
}
