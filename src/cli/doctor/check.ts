/** What `jobx doctor` found about one thing. */
export type Check = {
  name: string;
  verdict: "ok" | "warn" | "fail";
  detail: string;
  /** What to do about it; null when there is nothing to do. */
  mend: string | null;
};

export type Env = Record<string, string | undefined>;

export function ok(name: string, detail: string): Check {
  return { name, verdict: "ok", detail, mend: null };
}

/** jobx works, but not as well as it could, or not for everything. */
export function warn(name: string, detail: string, mend: string | null): Check {
  return { name, verdict: "warn", detail, mend };
}

/** jobx cannot work like this. */
export function fail(name: string, detail: string, mend: string | null): Check {
  return { name, verdict: "fail", detail, mend };
}
