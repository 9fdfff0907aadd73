/** CRC-32 of bytes; `seed` continues from, or mixes in, another number. */
export function checksum(bytes: Uint8Array, seed = 0): number {
  return Bun.hash.crc32(bytes, seed >>> 0) >>> 0;
}
