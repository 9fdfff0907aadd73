import { JobxError } from "../errors.ts";
import { checksum } from "./checksum.ts";

/** What a file holds; its fifth byte. */
export type FileKind = "record" | "segment" | "payload" | "value" | "state";

const KINDS: Record<FileKind, number> = {
  record: 0x52,
  segment: 0x53,
  payload: 0x50,
  value: 0x56,
  state: 0x43,
};
const MAGIC = [0x4a, 0x4f, 0x42, 0x58] as const; // "JOBX"

/** The format that this jobx writes; older ones are read, newer ones are refused. */
const FORMAT_VERSION = 1;

/** Every file starts with this many bytes: magic, kind, version, two zeros, salt, checksum of what stands before. */
export const PREAMBLE_BYTES = 16;

export function writePreamble(kind: FileKind, salt = 0): Uint8Array {
  const bytes = new Uint8Array(PREAMBLE_BYTES);
  bytes.set([...MAGIC, KINDS[kind], FORMAT_VERSION]);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, salt, true);
  view.setUint32(12, checksum(bytes.subarray(0, 12)), true);
  return bytes;
}

/**
 * Checks the first bytes of a file and gives its salt; null where they do not match their checksum.
 * Throws FORMAT for a file of another kind or of a newer format.
 */
export function readPreamble(bytes: Uint8Array, kind: FileKind, path: string): { salt: number } | null {
  if (bytes.length < PREAMBLE_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  if (view.getUint32(12, true) !== checksum(bytes.subarray(0, 12))) return null;
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) return null;
  const version = bytes[5] ?? 0;
  if (version > FORMAT_VERSION) {
    throw new JobxError(
      "FORMAT",
      `${path} was written by a newer jobx: its format is ${version}, and this one reads up to ${FORMAT_VERSION}`,
      { hint: "Use the jobx that submitted the job, or a newer one" },
    );
  }
  if (bytes[4] !== KINDS[kind]) {
    throw new JobxError("FORMAT", `${path} is a jobx file, but not a ${kind} file`);
  }
  return { salt: view.getUint32(8, true) };
}

/** The error for bytes that do not match their checksum. `offset` counts from the start of the file. */
export function damaged(path: string, offset: number, what: string, cause?: unknown): JobxError {
  return new JobxError("DAMAGED", `${path} is damaged at byte ${offset}: ${what}`, { cause });
}
