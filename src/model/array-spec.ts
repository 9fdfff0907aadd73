import { usageError } from "../errors.ts";
import { parseIndexList } from "./index-list.ts";

/** What `--array` asks for: the values of parameter `index`, and at most how many at once. */
export type ArraySpec = { indices: number[]; parallel: number | null };

const FORMS = "Write 0-9, 1,3 or 1-10:2, with %4 after it for at most 4 at once";

/**
 * Reads an array as sbatch(1) does: `0-9`, `1,3`, `1-10:2%4`. Indices come sorted and once each. A bare
 * `10` is refused, since sbatch reads it as the one task 10. Throws USAGE.
 */
export function parseArraySpec(text: string): ArraySpec {
  const [, list = "", limit] = /^([^%]*)(?:%(.*))?$/s.exec(text.trim()) ?? [];
  if (/^\d+$/.test(list)) throw bareNumber(text, Number(list));
  const indices = parseIndexList(list);
  if (typeof indices === "string") throw usageError(`Bad array "${text}": ${indices}`, FORMS);
  if (limit !== undefined && !/^[1-9]\d{0,8}$/.test(limit)) {
    throw usageError(`Bad array "${text}": "%${limit}" is no limit`, FORMS);
  }
  return { indices, parallel: limit === undefined ? null : Number(limit) };
}

function bareNumber(text: string, value: number) {
  const many = value > 0 ? `0-${value - 1} for ${value} task${value === 1 ? "" : "s"}, or ` : "";
  return usageError(
    `Ambiguous array "${text}": sbatch reads it as the one task ${value}`,
    `Write ${many}${value}-${value} for the one task ${value}`,
  );
}
