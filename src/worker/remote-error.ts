import { writeSync } from "node:fs";
import { basename, dirname } from "node:path";

import { describeParseError } from "../code/build-error.ts";
import { codeFrameAt, placeOf } from "../code/code-frame.ts";
import type { RemoteError } from "../model/records.ts";
import { formatRemoteError, headline, isRemoteError } from "../model/remote-error.ts";
import { toRemoteError } from "../store/remote-error.ts";

/** Where jobx's own code lies when it runs from source; in the binary it is `/$bunfs/`. */
const OWN_SOURCES = `${dirname(import.meta.dir)}/`;

const REASON_LENGTH = 500;

/** Whatever user code threw, as plain data whose frames are the user's own. */
export function remoteErrorOf(thrown: unknown): RemoteError {
  const parse = describeParseError(thrown);
  if (parse !== null) {
    const name = thrown instanceof BuildMessage ? "SyntaxError" : "Error";
    return { name, message: parse.toWellFormed(), stack: null, cause: null, fields: {} };
  }
  return trimmed(toRemoteError(thrown));
}

/** The error in one line, for the task's reason: what, and in which file and line. */
export function reasonOf(error: RemoteError): string {
  const text = error.name === "JobxError" ? error.message : headline(error);
  const line = text.split("\n", 1)[0] ?? "";
  const place = error.stack ? placeOf(error.stack) : null;
  const where = place ? ` (${basename(place.file)}:${place.line})` : "";
  // The cut may be in the middle of a character.
  const shown = line.length > REASON_LENGTH ? `${line.slice(0, REASON_LENGTH).toWellFormed()}...` : line;
  return shown + where;
}

/** Writes the error, and the code around its first place, at the end of the task's standard error. */
export function reportError(error: RemoteError): void {
  const place = error.stack ? placeOf(error.stack) : null;
  const frame = place ? codeFrameAt(place) : "";
  const text = `${formatRemoteError(error)}\n${frame && `\n${frame}\n`}`;
  try {
    writeSync(2, text);
  } catch {
    // A full disk must not hide the error itself, which is in the record.
  }
}

/** Drops the frames of jobx and of the runtime, also of what caused the error and of errors in its fields. */
function trimmed(error: RemoteError): RemoteError {
  const lines = error.stack?.split("\n").filter((line) => !isForeignFrame(line)) ?? [];
  const stack = lines.some(isFrame) ? lines.join("\n") : null;
  const fields = Object.fromEntries(Object.entries(error.fields).map(([key, value]) => [key, within(value)]));
  return { ...error, stack, cause: within(error.cause), fields };
}

function within(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => (isRemoteError(each) ? trimmed(each) : each));
  return isRemoteError(value) ? trimmed(value) : value;
}

function isFrame(line: string): boolean {
  return /^\s+at /.test(line);
}

function isForeignFrame(line: string): boolean {
  if (!isFrame(line)) return false;
  if (line.includes("/$bunfs/") || line.includes(OWN_SOURCES)) return true;
  return /[( ](unknown|native|(native|node|bun|internal)?:[^ ]*)\)?$/.test(line);
}
