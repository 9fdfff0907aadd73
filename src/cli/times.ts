/** How long something took, as people read it: 0.3s, 45s, 1m20s, 3h05m, 2d04h. `seconds` may be null: "-". */
export function showDuration(seconds: number | null): string {
  if (seconds === null) return "-";
  const rest = Math.max(0, seconds);
  if (rest < 9.95) return `${rest.toFixed(1)}s`;
  const whole = Math.round(rest);
  if (whole < MINUTE) return `${whole}s`;
  if (whole < HOUR) return pair(whole, MINUTE, "m", 1, "s");
  if (whole < DAY) return pair(whole, HOUR, "h", MINUTE, "m");
  return pair(whole, DAY, "d", HOUR, "h");
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

function pair(seconds: number, unit: number, name: string, smaller: number, smallerName: string): string {
  const rest = Math.floor((seconds % unit) / smaller);
  return `${Math.floor(seconds / unit)}${name}${String(rest).padStart(2, "0")}${smallerName}`;
}
