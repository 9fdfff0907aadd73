import { usageError } from "../errors.ts";
import { MAX_TASKS } from "./index-list.ts";
import type { PlainTasks, TaskList, TaskPayload } from "./job.ts";
import type { ParamRow } from "./params.ts";
import { rangesOf } from "./ranges.ts";
import type { Sweep } from "./sweep.ts";

export type ExpandInput = {
  sweeps?: readonly Sweep[];
  /** The rows of `--params`; null or absent without. */
  rows?: readonly ParamRow[] | null;
  /** The indices of `--array`; each task gets its own as parameter `index`. */
  array?: readonly number[] | null;
  /** Positional arguments of a function, the same for every task. */
  args?: readonly unknown[];
};

type Row = { params: Record<string, unknown>; line: string | null };

/** The tasks of a submission, made one by one as they are asked for, as often as they are asked for. */
export type Expansion = TaskList & {
  count: number;
  /** The parameters that every task has: what placeholders may name besides `index` and `job`. */
  keys: string[];
  /** Those that only some tasks have. */
  someKeys: string[];
};

/**
 * Every row with every combination of the sweeps and every array index; the last one varies fastest.
 * One task without parameters when there is none of them. Throws USAGE when a parameter is given twice,
 * when there is nothing to run, or when there are more than 4,000,000 tasks.
 */
export function expandTasks(input: ExpandInput): Expansion {
  const rows: readonly Row[] = input.rows ?? [{ params: {}, line: null }];
  const axes: Sweep[] = [...(input.sweeps ?? [])];
  if (input.array) axes.push({ key: "index", values: [...input.array] });
  const keys = [...sharedKeys(rows), ...axes.map((axis) => axis.key)];
  refuseDuplicates(rows, axes, Boolean(input.array));
  const count = axes.reduce((product, axis) => product * axis.values.length, rows.length);
  if (count === 0) throw usageError("There are no tasks: a parameter has no values", "Give it at least one");
  if (count > MAX_TASKS) {
    throw usageError(
      `${count} tasks are more than the ${MAX_TASKS} that a job can have`,
      "Submit it in parts",
    );
  }
  const bare = axes.length === 0 && !input.rows;
  const args = [...(input.args ?? [])];
  const isArrayAlone = axes.length === 1 && !input.rows;
  return {
    count,
    keys,
    someKeys: someKeys(rows, keys),
    plain: args.length > 0 ? null : bare ? [] : isArrayAlone ? plainArray(input.array) : null,
    *[Symbol.iterator]() {
      for (let task = 0; task < count; task++) {
        if (bare) yield { params: null, line: null, args };
        else yield payloadAt(rows, axes, args, task, count / rows.length);
      }
    },
  };
}

function plainArray(array: ExpandInput["array"]): PlainTasks | null {
  const ranges = array ? rangesOf(array) : null;
  return ranges && ranges.length <= MOST_RANGES ? ranges : null;
}

/** The request is read often, and is to stay small. */
const MOST_RANGES = 100;

function payloadAt(
  rows: readonly Row[],
  axes: readonly Sweep[],
  args: unknown[],
  task: number,
  perRow: number,
): TaskPayload {
  const row = rows[Math.floor(task / perRow)];
  const params: Record<string, unknown> = { ...row?.params };
  let stride = perRow;
  let rest = task % perRow;
  for (const axis of axes) {
    stride /= axis.values.length;
    params[axis.key] = axis.values[Math.floor(rest / stride)];
    rest %= stride;
  }
  return { params, line: row?.line ?? null, args };
}

function sharedKeys(rows: readonly Row[]): string[] {
  const keys = new Set(Object.keys(rows[0]?.params ?? {}));
  for (const row of rows) {
    for (const key of keys) if (!Object.hasOwn(row.params, key)) keys.delete(key);
  }
  return [...keys];
}

function someKeys(rows: readonly Row[], keys: readonly string[]): string[] {
  const others = new Set<string>();
  for (const row of rows) for (const key of Object.keys(row.params)) others.add(key);
  for (const key of keys) others.delete(key);
  return [...others];
}

function refuseDuplicates(rows: readonly Row[], axes: readonly Sweep[], hasArray: boolean): void {
  const given = new Map<string, string>();
  const refuse = (key: string, by: string) => {
    const before = given.get(key);
    if (before !== undefined) {
      throw usageError(
        `Parameter "${key}" is given twice: by ${before} and by ${by}`,
        before === by ? `Write all its values at once: --sweep ${key}=V1,V2` : "Rename one of them",
      );
    }
  };
  axes.forEach(({ key }, i) => {
    const by = hasArray && i === axes.length - 1 ? "--array" : "--sweep";
    refuse(key, by);
    given.set(key, by);
  });
  for (const row of rows) for (const key of Object.keys(row.params)) refuse(key, "--params");
}
