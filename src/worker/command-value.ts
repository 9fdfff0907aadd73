import { existsSync, readFileSync, unlinkSync } from "node:fs";

import { JobxError, messageOf } from "../errors.ts";
import { readInto } from "../store/files.ts";

/**
 * The value that a command left in its `JOBX_RESULT` file, which is removed. Undefined without one;
 * throws PAYLOAD when it is not JSON.
 */
export function takeResultFile(path: string): unknown {
  // A look first: most commands write none, and a failed read costs ten times as much.
  if (!existsSync(path)) return undefined;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new JobxError("PAYLOAD", `The file in JOBX_RESULT cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  unlinkSync(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new JobxError("PAYLOAD", `What was written to JOBX_RESULT is not JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * The output from `offset` on in an open log: text without the white space around it, or the bytes as they are when they are not UTF-8.
 * Throws PAYLOAD when it is more than `maxBytes`.
 */
export function readCaptured(
  fd: number,
  offset: number,
  size: number,
  maxBytes: number,
): string | Uint8Array {
  const length = size - offset;
  if (length > maxBytes) {
    throw new JobxError(
      "PAYLOAD",
      `The captured output has ${length} bytes, more than max-payload (${maxBytes})`,
    );
  }
  const buffer = new Uint8Array(length);
  const bytes = buffer.subarray(0, readInto(fd, buffer, offset));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes).trim();
  } catch {
    return bytes;
  }
}
