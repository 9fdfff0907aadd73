import { closeSync, fstatSync, openSync } from "node:fs";
import { dirname } from "node:path";

import { JobxError } from "../errors.ts";
import type { StoredValue } from "../model/records.ts";
import { checksum } from "./checksum.ts";
import { checkEncodable, decode, encode } from "./codec.ts";
import { ensureDir, readInto, whenThere } from "./files.ts";
import { valuePath } from "./layout.ts";
import { damaged, PREAMBLE_BYTES, readPreamble, writePreamble } from "./preamble.ts";
import { isPassing, type RetryOptions, retryPauses } from "./storage-errors.ts";
import { TYPED_ARRAYS } from "./walk.ts";
import { type WriteAt, writeFileAsync } from "./write-async.ts";

/** Values that encode to more than this stand in a file of their own. */
const INLINE_BYTES = 1024 * 1024;

/** After the preamble: form 4, length of the body 8, its checksum 4, checksum of these 4. The body follows. */
const HEADER_BYTES = 20;

/** Strings are encoded, and bytes copied, piece by piece: this many UTF-16 units or bytes. */
const PIECE = 1024 * 1024;

const MSGPACK = 0;
const TEXT = 1;
const ARRAY_BUFFER = 2;
/** From here on: the bytes of a typed array, by its place among them. */
const FIRST_ARRAY = 3;

/** `pieces` gives them all each time: a write that was refused is begun anew. Each is of use until the next. */
type Body = { form: number; pieces: () => Iterable<Uint8Array> };

/**
 * Keeps a value: in the record up to 1 MiB, else in the file `name` of the job's values
 * (`dir` is the job's folder). Large strings and typed arrays are written piece by piece, without a second copy of the
 * whole. Nothing else is kept from running meanwhile. Rejects with PAYLOAD for what cannot be stored, and with STORAGE
 * when the disk refused for `retryMs`.
 */
export async function storeValue(
  dir: string,
  name: string,
  value: unknown,
  options: RetryOptions = {},
): Promise<StoredValue> {
  const body = bodyOf(value);
  if (body === null) return { kind: "inline", value };
  const path = valuePath(dir, name);
  let pauses: Iterator<number> | null = null;
  for (;;) {
    try {
      ensureDir(dirname(path));
      return { kind: "file", name, bytes: await writeFileAsync(path, (write) => writeBody(write, body)) };
    } catch (error) {
      if (!(error instanceof JobxError) || !isPassing(error.cause)) throw error;
      pauses ??= retryPauses(path, error, options)[Symbol.iterator]();
      const pause = pauses.next();
      if (pause.done) throw error;
      await Bun.sleep(pause.value);
    }
  }
}

/** The value that `storeValue` kept, from the same job's folder. Throws NOT_FOUND, DAMAGED, FORMAT or STORAGE. */
export function loadValue(dir: string, stored: StoredValue): unknown {
  if (stored.kind === "inline") return stored.value;
  const path = valuePath(dir, stored.name);
  const file = whenThere(path, () => openSync(path, "r"));
  if (file === null) throw new JobxError("NOT_FOUND", `${path}, which holds the value, does not exist`);
  try {
    return readValueFile(file, path);
  } finally {
    closeSync(file);
  }
}

/** What goes into a file of its own; null where the record can hold the value. */
function bodyOf(value: unknown): Body | null {
  if (typeof value === "string" && value.length > INLINE_BYTES) {
    checkEncodable(value, "value");
    return { form: TEXT, pieces: () => textPieces(value) };
  }
  if (value instanceof ArrayBuffer && value.byteLength > INLINE_BYTES) {
    checkEncodable(value, "value");
    return { form: ARRAY_BUFFER, pieces: () => bytePieces(new Uint8Array(value)) };
  }
  if (ArrayBuffer.isView(value) && value.byteLength > INLINE_BYTES) {
    const form = TYPED_ARRAYS.findIndex((each) => Object.getPrototypeOf(value) === each.prototype);
    if (form >= 0) {
      checkEncodable(value, "value");
      return {
        form: FIRST_ARRAY + form,
        pieces: () => bytePieces(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)),
      };
    }
  }
  const encoded = encode(value);
  return encoded.length <= INLINE_BYTES ? null : { form: MSGPACK, pieces: () => [encoded] };
}

function* textPieces(text: string): Iterable<Uint8Array> {
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + PIECE, text.length);
    // A surrogate pair stays together.
    if (end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) end++;
    yield Buffer.from(text.slice(at, end), "utf8");
    at = end;
  }
}

/** Copies: what a function gave may change while it is written, which must not be taken for damage. */
function* bytePieces(bytes: Uint8Array): Iterable<Uint8Array> {
  const copy = Buffer.allocUnsafe(PIECE);
  for (let at = 0; at < bytes.length; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    copy.set(piece);
    yield copy.subarray(0, piece.length);
  }
}

/** The body first and then the header before it, which needs the body's checksum. Gives the size of the file. */
async function writeBody(write: WriteAt, body: Body): Promise<number> {
  const start = PREAMBLE_BYTES + HEADER_BYTES;
  let length = 0;
  let sum = 0;
  for (const piece of body.pieces()) {
    await write(piece, start + length);
    length += piece.length;
    sum = checksum(piece, sum);
  }
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32LE(body.form, 0);
  header.writeDoubleLE(length, 4);
  header.writeUInt32LE(sum, 12);
  header.writeUInt32LE(checksum(header.subarray(0, 16)), 16);
  await write(Buffer.concat([writePreamble("value"), header]), 0);
  return start + length;
}

function readValueFile(file: number, path: string): unknown {
  const start = PREAMBLE_BYTES + HEADER_BYTES;
  const head = Buffer.alloc(start);
  const got = readInto(file, head, 0);
  if (!readPreamble(head, "value", path))
    throw damaged(path, 0, "its first bytes are not those of a jobx file");
  const header = head.subarray(PREAMBLE_BYTES);
  if (got < start || header.readUInt32LE(16) !== checksum(header.subarray(0, 16))) {
    throw damaged(path, PREAMBLE_BYTES, "its header does not match its checksum");
  }
  const length = header.readDoubleLE(4);
  const size = fstatSync(file).size;
  if (size !== start + length)
    throw damaged(path, Math.min(size, start + length), `it has ${size} bytes instead of ${start + length}`);
  const body = new Uint8Array(length);
  if (readInto(file, body, start) < length) throw damaged(path, start, "it was cut short");
  if (header.readUInt32LE(12) !== checksum(body))
    throw damaged(path, start, "the value does not match its checksum");
  return revive(header.readUInt32LE(0), body, path);
}

function revive(form: number, body: Uint8Array<ArrayBuffer>, path: string): unknown {
  if (form === MSGPACK) return decode(body);
  if (form === TEXT) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  if (form === ARRAY_BUFFER) return body.buffer;
  const Typed = TYPED_ARRAYS[form - FIRST_ARRAY];
  if (!Typed) throw new JobxError("FORMAT", `${path} holds a value of the unknown form ${form}`);
  return new Typed(body.buffer);
}
