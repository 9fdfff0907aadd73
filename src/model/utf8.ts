/** What stands for bytes that are not UTF-8 where a decoder is not strict, such as Bun's of words and variables. */
export const REPLACEMENT = "\uFFFD";

/** The text of these bytes; null where they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
