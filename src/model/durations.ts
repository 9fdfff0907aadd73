import { usageError } from "../errors.ts";

const UNIT_SECONDS = { d: 86_400, h: 3600, m: 60, s: 1 };

const WITH_UNITS =
  /^(?:(?<d>\d+(?:\.\d+)?)d)?\s*(?:(?<h>\d+(?:\.\d+)?)h)?\s*(?:(?<m>\d+(?:\.\d+)?)m(?:in)?)?\s*(?:(?<s>\d+(?:\.\d+)?)s)?$/i;

/**
 * Reads a span of time as seconds: `90` (minutes, as in sbatch), `1h30m`, `45s`, `2d`, `30:00` (mm:ss),
 * `1:30:00`, `1-12` (days-hours), `1-12:00` and `1-12:00:00`. Fractions are taken with units (`1.5h`).
 * Throws USAGE that shows the value and the forms.
 *
 * The forms without units are those of sbatch(1), `--time`.
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  const seconds = plainMinutes(trimmed) ?? withColons(trimmed) ?? withUnits(trimmed);
  if (seconds === null || !Number.isFinite(seconds)) {
    throw usageError(
      `Bad time "${text}"`,
      "Write 90 (minutes), 1h30m, 45s, 2d, 30:00 (mm:ss), 1:30:00 or 1-12:00:00 (days-hh:mm:ss)",
    );
  }
  return seconds;
}

/** A span of time for people, with its two largest units: "35ms", "4.2s", "1m 30s", "1h 30m", "2d 3h". */
export function formatDuration(seconds: number): string {
  if (!(seconds > 0)) return "0s";
  if (seconds < 0.0995) return `${Math.max(1, Math.round(seconds * 1000))}ms`;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))}s`;
  let rest = Math.round(seconds);
  if (rest >= 86_400) rest = Math.round(rest / 3600) * 3600;
  else if (rest >= 3600) rest = Math.round(rest / 60) * 60;
  const parts: string[] = [];
  for (const [unit, size] of Object.entries(UNIT_SECONDS)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(" ");
}

function plainMinutes(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) * 60 : null;
}

function withColons(text: string): number | null {
  const match = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text);
  if (!match) return null;
  const [, days, first = "0", second, third] = match;
  const [a, b, c] = [Number(first), Number(second ?? 0), Number(third ?? 0)];
  if (days !== undefined) return Number(days) * 86_400 + a * 3600 + b * 60 + c;
  return third === undefined ? a * 60 + b : a * 3600 + b * 60 + c;
}

function withUnits(text: string): number | null {
  const groups = text === "" ? undefined : WITH_UNITS.exec(text)?.groups;
  if (!groups) return null;
  let seconds = 0;
  for (const [unit, size] of Object.entries(UNIT_SECONDS)) seconds += Number(groups[unit] ?? 0) * size;
  // Fractions such as 0.1h leave binary dust behind; nobody means less than a millisecond.
  return Math.round(seconds * 1000) / 1000;
}
