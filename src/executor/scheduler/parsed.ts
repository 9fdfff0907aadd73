import { basename } from "node:path";

import { JobxError, messageOf } from "../../errors.ts";
import { placeInPlugin } from "../plugin-place.ts";
import type { CommandResult } from "../run.ts";
import type { SchedulerDefinition } from "./definition.ts";
import { isNativeState, type NativeStatus, type StatusQuery, type StatusStage } from "./native.ts";

/**
 * The rows that a stage reads in the answers of its commands. What it throws as an answer that is none passes; a mistake
 * in its code, and rows that are none, throw PLUGIN with its name.
 */
export function rowsOf(
  { name }: SchedulerDefinition,
  stage: StatusStage,
  results: CommandResult[],
  query: StatusQuery,
): NativeStatus[] {
  const where = `${stage.name}.parse`;
  const rows = parsed(name, where, () => stage.parse(results, query));
  const isList = Array.isArray(rows);
  const at = isList ? rows.findIndex((row) => !isRow(row)) : -1;
  if (isList && at < 0) return rows;
  const bad: unknown = isList ? rows[at] : rows;
  const text = JSON.stringify(bad) ?? String(bad);
  throw new JobxError(
    "PLUGIN",
    `The plugin ${name} gave ${text.slice(0, 100)} ${isList ? "as a row" : "instead of rows"} from ${where}`,
    { hint: testHint(name) },
  );
}

export function testHint(name: string): string {
  return `\`jobx plugins test ${name}\` finds out more`;
}

function parsed<T>(name: string, where: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!MISTAKES.some((kind) => error instanceof kind)) throw error;
    const place = placeInPlugin(error);
    const at = place === null ? "" : ` (${basename(place)})`;
    throw new JobxError("PLUGIN", `The plugin ${name} failed in ${where}: ${messageOf(error)}${at}`, {
      hint: testHint(name),
      cause: error,
    });
  }
}

const MISTAKES = [TypeError, ReferenceError, RangeError, SyntaxError];

function isRow(row: unknown): boolean {
  if (typeof row !== "object" || row === null) return false;
  const { id, state, native, indices }: Partial<Record<keyof NativeStatus, unknown>> = row;
  const isIndices = indices === null || typeof indices === "string";
  return typeof id === "string" && typeof native === "string" && isNativeState(state) && isIndices;
}
