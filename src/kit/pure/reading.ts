import { JobxError, messageOf } from "../../errors.ts";
import type { CommandResult } from "../../executor/run.ts";
import { isNativeState, type NativeStatus, type StatusStage } from "../../executor/scheduler/native.ts";
import type { SampleJob } from "../../executor/scheduler/samples.ts";
import { parseIndexList } from "../../model/index-list.ts";
import { check, fail, show } from "../case.ts";
import { parseAnswer } from "../subject.ts";

/** What stands around a scheduler's own words where a site or a module greets people. */
export const CHATTER = {
  before: "Welcome to the cluster! 3 GPUs are free\n*** Maintenance on Monday, 8:00 ***\n",
  after: "Your balance: 1042 hours\n",
};

/** The rows of an answer; null where the plugin says that it is none. Any other error than that one is a fault. */
export function read(
  stage: StatusStage,
  answer: Partial<CommandResult>,
  what: string,
): NativeStatus[] | null {
  let rows: NativeStatus[];
  try {
    rows = parseAnswer(stage, answer);
  } catch (error) {
    if (error instanceof JobxError) return null;
    fail(
      `${stage.name}.parse of ${what} throws ${show(messageOf(error))}; throw a JobxError, or give no rows`,
    );
  }
  check(Array.isArray(rows), `${stage.name}.parse of ${what} gives ${show(rows)}, not a list`);
  for (const row of rows) checkRow(row, `${stage.name}.parse of ${what}`);
  return rows;
}

function checkRow(row: NativeStatus, where: string): void {
  check(typeof row?.id === "string" && row.id !== "", `${where}: the id is ${show(row?.id)}`);
  check(isNativeState(row.state), `${where}: the state is ${show(row.state)}`);
  check(typeof row.native === "string", `${where}: native is ${show(row.native)}, not the scheduler's word`);
  check(typeof row.isVague === "boolean", `${where}: isVague is ${show(row.isVague)}`);
  for (const key of ["submitted", "startsAt", "endedAt"] as const) {
    const time = row[key];
    const isTime =
      time === null ||
      (typeof time === "string" && /^\d{4}-\d\d-\d\dT.*Z$/.test(time) && !Number.isNaN(Date.parse(time)));
    check(isTime, `${where}: ${key} is ${show(time)}, not ISO 8601 in UTC or null`);
  }
  for (const key of ["exitCode", "signal"] as const) {
    check(row[key] === null || Number.isInteger(row[key]), `${where}: ${key} is ${show(row[key])}`);
  }
  for (const key of ["reason", "node", "command"] as const) {
    check(row[key] === null || typeof row[key] === "string", `${where}: ${key} is ${show(row[key])}`);
  }
  if (row.indices === null) return;
  check(typeof row.indices === "string", `${where}: indices is ${show(row.indices)}`);
}

/** Checks that the rows say of a job what they should, and nothing of other elements of it. */
export function checkAbout(
  rows: NativeStatus[],
  job: SampleJob,
  wanted: Partial<NativeStatus>,
  where: string,
): void {
  const own = rows.filter((row) => isAbout(row, job));
  check(own.length > 0, `${where}: no row is about ${job.id}; ids: ${show(rows.map((row) => row.id))}`);
  const found = own.flatMap((row) => (row.indices === null ? [null] : indicesOf(row.indices)));
  const expected = job.range === null ? [null] : range(job.range);
  check(
    Bun.deepEquals(new Set(found), new Set(expected)),
    `${where}: it is about the indices ${show(found)} instead of ${show(expected)}`,
  );
  for (const row of own) {
    for (const [key, value] of Object.entries(wanted)) {
      const got: unknown = Reflect.get(row, key);
      check(Bun.deepEquals(got, value), `${where}: ${key} is ${show(got)} instead of ${show(value)}`);
    }
  }
}

/** An id is what the plugin reads it as: PBS writes that of an array with brackets behind the number. */
export function isAbout(row: NativeStatus, job: SampleJob): boolean {
  return row.id.startsWith(job.id) && !/^\d/.test(row.id.slice(job.id.length));
}

function indicesOf(text: string): number[] {
  const indices = parseIndexList(text);
  return typeof indices === "string" ? fail(`the indices ${show(text)}: ${indices}`) : indices;
}

function range({ first, last }: { first: number; last: number }): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
