import { formatDuration } from "../model/durations.ts";

/** How long something took, for people; "-" where that is not known. */
export function showDuration(seconds: number | null): string {
  return seconds === null ? "-" : formatDuration(seconds);
}

/** The seconds from an ISO time until now, never negative; null without one. */
export function secondsSince(iso: string | null, now: number = Date.now()): number | null {
  const time = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isNaN(time) ? null : Math.max(0, (now - time) / 1000);
}

/** How long ago an ISO time was, in one unit: 12s, 5m, 3h, 2d. Clocks of two machines may differ: never negative. */
export function showAge(iso: string | null, now: number = Date.now()): string {
  if (iso === null) return "-";
  const seconds = Math.max(0, Math.floor((now - Date.parse(iso)) / 1000));
  if (Number.isNaN(seconds)) return "-";
  if (seconds < MINUTE) return `${seconds}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)}h`;
  return `${Math.floor(seconds / DAY)}d`;
}

/** An ISO time in the reader's own time zone: 2026-03-01 09:30:00. */
export function showTime(iso: string | null): string {
  const time = iso === null ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(time)) return "-";
  const at = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
