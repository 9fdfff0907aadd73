import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { errnoOf, JobxError, messageOf } from "../errors.ts";
import { placeInPlugin } from "../executor/plugin-place.ts";
import type { Output } from "./output.ts";

type Circumstances = { verbose: boolean; version: string; argv: string[] };

/** Says what went wrong: the message, then one line of what to do next; a stack only with `-v`. */
export function showFailure(error: unknown, output: Output, circumstances: Circumstances): void {
  const known = asKnown(error);
  const { errStyle } = output;
  if (!known) {
    output.error(`${errStyle.red("error:")} This is a bug in jobx: ${messageOf(error)}`);
    output.error(`  Please report it together with ${writeBugLog(error, circumstances)}`);
  } else {
    output.error(`${errStyle.red("error:")} ${known.message}`);
    if (known.hint) output.error(known.hint.replace(/^/gm, "  "));
  }
  if (circumstances.verbose) output.error(errStyle.dim(detailsOf(error)));
}

/** The exit code that an error stands for. */
export function failureExit(error: unknown): number {
  return asKnown(error)?.exitCode ?? new JobxError("BUG", "").exitCode;
}

/** Errors of the file system that have a plain meaning, whoever met them. */
const STORAGE_ERRNOS = new Set([
  "ENOSPC",
  "EDQUOT",
  "EROFS",
  "EACCES",
  "EPERM",
  "EIO",
  "ESTALE",
  "EMFILE",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
]);

/** The error as one of ours; null for a bug. What a plugin throws where nobody waits for it is the plugin's. */
function asKnown(error: unknown): JobxError | null {
  if (error instanceof JobxError) return error.code === "BUG" ? null : error;
  const place = placeInPlugin(error);
  if (place !== null) {
    return new JobxError("PLUGIN", `The plugin failed at ${place}: ${messageOf(error)}`, {
      hint: `Mend it there; \`jobx plugins test ${place.replace(/:.*/, "")}\` tries it`,
      cause: error,
    });
  }
  const errno = errnoOf(error);
  if (!errno || !STORAGE_ERRNOS.has(errno)) return null;
  return new JobxError("STORAGE", messageOf(error), {
    hint: "Check the free space, the quota and the permissions of that path",
    cause: error,
  });
}

function detailsOf(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null && parts.length < 5;) {
    parts.push(at instanceof Error ? (at.stack ?? at.message) : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join("\ncaused by: ");
}

/** Only for people: it may be gone. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    return messageOf(error);
  }
}

function writeBugLog(error: unknown, { version, argv }: Circumstances): string {
  const path = join(tmpdir(), `jobx-bug-${Date.now()}-${process.pid}.log`);
  const lines = [
    `jobx ${version}, Bun ${Bun.version}, ${process.platform} ${process.arch}`,
    `at ${new Date().toISOString()} in ${currentFolder()}`,
    `arguments: ${JSON.stringify(argv)}`,
    "",
    detailsOf(error),
    "",
  ];
  try {
    writeFileSync(path, lines.join("\n"), { mode: 0o600, flag: "wx" });
    return path;
  } catch {
    return `this:\n${lines.join("\n")}`;
  }
}
