import { usageError } from "../errors.ts";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const LETTERS = "BKMGTP";

/**
 * Reads a size as bytes: `512M`, `4G`, `4GiB`, `4GB`, `1.5T`, `100B`. Every unit is a power of 1024, and a
 * number without one is MiB, both as in sbatch(1), `--mem`. Throws USAGE that shows the value and the forms.
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([KMGTP])(?:i?B)?|(B))?$/i.exec(text.trim());
  const [, number = "", letter, bytes] = match ?? [];
  const unit = bytes ? "B" : (letter ?? "M").toUpperCase();
  const size = match ? Math.round(Number(number) * 1024 ** LETTERS.indexOf(unit)) : Number.NaN;
  if (!Number.isSafeInteger(size)) {
    throw usageError(`Bad size "${text}"`, "Write 512M, 4G, 4GiB or 1.5T; a number without a unit is MiB");
  }
  return size;
}

/** A size for people: "123 B", "512.0 MiB", "4.0 GiB". */
export function formatSize(bytes: number): string {
  let power = 0;
  let size = Math.max(0, bytes);
  // 1023.95 would be shown as 1024.0 of the smaller unit.
  while (power < UNITS.length - 1 && size >= (power === 0 ? 1024 : 1023.95)) {
    size /= 1024;
    power++;
  }
  return `${power === 0 ? Math.round(size) : size.toFixed(1)} ${UNITS[power]}`;
}
