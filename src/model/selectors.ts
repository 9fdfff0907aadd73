import { usageError } from "../errors.ts";
import { parseIndexList } from "./index-list.ts";
import type { DependencyKind } from "./job.ts";
import { nearest } from "./nearest.ts";

/** Tasks (null: all) and one rank (null: all) of a job. */
type Part = { tasks: number[] | null; rank: number | null };

/** What a selector names. */
export type Selector =
  | ({ kind: "job"; job: number } & Part)
  /** The newest job. */
  | ({ kind: "last" } & Part)
  /** `slurm:4211_3`: `native` is the id as written, `id` and `element` are its two halves. */
  | { kind: "native"; executor: string; native: string; id: string; element: number | null };

const FORMS = "Write 12, 12.3, 12.3:1, 12.0-9, 12.1,4,7, last or slurm:4211_3";

/**
 * Reads a selector: `12` a job, `12.3` a task, `12.3:1` a rank, `12.0-9` and `12.1,4,7` tasks, `last` the
 * newest job (also `last.3`), `slurm:4211` and `slurm:4211_3` by native id. Throws USAGE.
 */
export function parseSelector(text: string): Selector {
  const trimmed = text.trim();
  const own = /^(?:(\d{1,15})|last)(?:\.([^:]*))?(?::(.*))?$/s.exec(trimmed);
  if (own) {
    const [, job, tasks, rank] = own;
    const part = parsePart(text, tasks, rank);
    return job === undefined ? { kind: "last", ...part } : { kind: "job", job: Number(job), ...part };
  }
  const foreign = /^([A-Za-z][\w-]*):([^\s:]\S*)$/.exec(trimmed);
  if (foreign) {
    const [, executor = "", native = ""] = foreign;
    const halves = /^(.+)_(\d{1,10})$/.exec(native);
    return {
      kind: "native",
      executor,
      native,
      id: halves?.[1] ?? native,
      element: halves ? Number(halves[2]) : null,
    };
  }
  if (nearest(trimmed, ["last"]) !== null) throw bad(text, "it names no job", "Did you mean last?");
  throw bad(text, "it names no job");
}

/**
 * Reads `SEL[:ok|any|fail|each]`, the value of `--after`; the kind is `ok` where none is given. Throws USAGE.
 */
export function parseAfter(text: string): { selector: Selector; kind: DependencyKind } {
  const match = /^(.*):(ok|any|fail|each)$/s.exec(text.trim());
  const other = /^((?:\d+|last)[^:]*):([a-z]\w*)$/i.exec(text.trim());
  if (!match && other) {
    const [, job = "", word = ""] = other;
    throw usageError(
      `Bad kind ${JSON.stringify(word)} in ${JSON.stringify(text)}`,
      `Write ${KINDS.map((kind) => `${job}:${kind}`).join(", ")}, or ${job} alone for ok`,
    );
  }
  return { selector: parseSelector(match?.[1] ?? text), kind: kindOf(match?.[2]) };
}

/** A job, task or rank as it is shown and typed: `12`, `12.3`, `12.3:1`. */
export function formatTaskId(job: number, task: number | null = null, rank: number | null = null): string {
  if (task === null) return String(job);
  return rank === null ? `${job}.${task}` : `${job}.${task}:${rank}`;
}

function parsePart(text: string, tasks: string | undefined, rank: string | undefined): Part {
  const list = tasks === undefined ? null : parseIndexList(tasks);
  if (typeof list === "string") throw bad(text, list);
  if (rank === undefined) return { tasks: list, rank: null };
  if (!/^\d{1,9}$/.test(rank)) throw bad(text, `"${rank}" is no rank`);
  if (list === null) throw bad(text, "a rank needs its task", `Write ${text.trim().replace(":", ".0:")}`);
  return { tasks: list, rank: Number(rank) };
}

const KINDS: DependencyKind[] = ["ok", "any", "fail", "each"];

function kindOf(word: string | undefined): DependencyKind {
  return word === "any" || word === "fail" || word === "each" ? word : "ok";
}

function bad(text: string, why: string, hint = FORMS) {
  return usageError(`Bad selector "${text}": ${why}`, hint);
}
