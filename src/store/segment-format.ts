import { checksum } from "./checksum.ts";

/**
 * A segment is a preamble and then frames. A frame is a header of 20 bytes and a record:
 *
 *     marker 4   salt 4   length 4   checksum of the record 4   checksum of the header 4   record
 *
 * The marker is what a reader looks for after damage. The salt is the file's own (it stands in the preamble),
 * and the header's checksum also covers the frame's offset in the file, so bytes that merely look like a
 * frame, such as a record whose value is a copy of a segment, are never taken for one.
 */
export const FRAME_HEADER_BYTES = 20;

/** A frame of this length holds nothing and says that the segment is complete. */
export const END_LENGTH = 0;

const MARKER = [0x4a, 0x58, 0xf5, 0x9e] as const;

/** The header of a frame that will stand at `offset`. */
export function frameHeader(record: Uint8Array, salt: number, offset: number): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(MARKER);
  view.setUint32(4, salt, true);
  view.setUint32(8, record.length, true);
  view.setUint32(12, checksum(record), true);
  view.setUint32(16, headerChecksum(header, offset), true);
  return header;
}

export type FrameHeader = { salt: number; length: number; checksum: number };

/** The frame header at `at`, which is `offset` in the file; null where there is none. A null `salt` takes any. */
export function parseFrameHeader(
  bytes: Uint8Array,
  at: number,
  offset: number,
  salt: number | null,
): FrameHeader | null {
  if (bytes.length - at < FRAME_HEADER_BYTES) return null;
  if (bytes[at] !== MARKER[0] || bytes[at + 1] !== MARKER[1]) return null;
  if (bytes[at + 2] !== MARKER[2] || bytes[at + 3] !== MARKER[3]) return null;
  const header = bytes.subarray(at, at + FRAME_HEADER_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, FRAME_HEADER_BYTES);
  if (view.getUint32(16, true) !== headerChecksum(header, offset)) return null;
  const found = view.getUint32(4, true);
  if (salt !== null && found !== salt) return null;
  return { salt: found, length: view.getUint32(8, true), checksum: view.getUint32(12, true) };
}

/** Where the next frame header stands, at `at` or after it; -1 for nowhere. `base` is the file offset of `bytes`. */
export function findFrame(bytes: Uint8Array, at: number, base: number, salt: number | null): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marker = Buffer.from(MARKER);
  for (let found = view.indexOf(marker, at); found >= 0; found = view.indexOf(marker, found + 1)) {
    if (parseFrameHeader(bytes, found, base + found, salt)) return found;
  }
  return -1;
}

/** Whether bytes at the end of a file are what an interrupted write leaves: the start of a header, or zeros. */
export function isTornHeader(tail: Uint8Array): boolean {
  if (tail.every((byte) => byte === 0)) return true;
  return (
    tail.length < FRAME_HEADER_BYTES && MARKER.every((byte, at) => at >= tail.length || tail[at] === byte)
  );
}

function headerChecksum(header: Uint8Array, offset: number): number {
  placeView.setFloat64(0, offset, true);
  return checksum(header.subarray(0, FRAME_HEADER_BYTES - 4), checksum(place));
}

/** Made once: every frame that is read or written needs it for a moment. */
const place = new Uint8Array(8);
const placeView = new DataView(place.buffer);
