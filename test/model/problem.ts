import { JobxError } from "../../src/errors.ts";

/** The JobxError that an action throws; fails when it throws none. */
export function problemOf(action: () => unknown): { code: string; message: string; hint: string } {
  try {
    action();
  } catch (error) {
    if (!(error instanceof JobxError)) throw error;
    return { code: error.code, message: error.message, hint: error.hint ?? "" };
  }
  throw new Error("Nothing was thrown");
}
