import { readFileSync } from "node:fs";

import { errnoOf, JobxError, messageOf } from "../errors.ts";

/** The text of a file that the user named. Throws NOT_FOUND or USAGE. */
export function readText(path: string, shown: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const missing = errnoOf(error) === "ENOENT";
    throw new JobxError(
      missing ? "NOT_FOUND" : "USAGE",
      missing ? `There is no file ${shown}` : `${shown} cannot be read: ${messageOf(error)}`,
      { hint: "Check the path; it is taken from the current folder", cause: error },
    );
  }
}
