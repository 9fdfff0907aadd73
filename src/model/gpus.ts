import { usageError } from "../errors.ts";

/**
 * Reads `[TYPE:]N`, the GPUs per node: `2`, `a100:2`. Throws USAGE that shows the value and the forms.
 */
export function parseGpus(text: string): { type?: string; count: number } {
  const match = /^(?:([A-Za-z0-9_][\w.-]*):)?(\d{1,6})$/.exec(text.trim());
  if (!match) {
    const bare = /^[A-Za-z][\w.-]*$/.test(text.trim());
    throw usageError(
      `Bad number of GPUs "${text}"`,
      bare ? `Write how many: ${text.trim()}:1` : "Write N or TYPE:N, such as 2 or a100:2",
    );
  }
  const [, type, count] = match;
  return type === undefined ? { count: Number(count) } : { type, count: Number(count) };
}
