// Looked up once: in a young process that takes longer than the checksum of a small record.
const { crc32 } = Bun.hash;

/** CRC-32 of bytes; `seed` continues from, or mixes in, another number. */
export function checksum(bytes: Uint8Array, seed = 0): number {
  return crc32(bytes, seed >>> 0) >>> 0;
}
