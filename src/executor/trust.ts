import { lstatSync, readlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { JobxError } from "../errors.ts";
import { shellWords } from "./run.ts";

/** Why a path could be changed by somebody else, and the command that mends it. */
export type Distrust = { path: string; why: string; mend: string };

const MAX_LINKS = 40;
const GROUP_OR_OTHERS_WRITE = 0o022; // with an ACL, the group bits are its mask, so it counts as well
const STICKY = 0o1000;

/**
 * The first thing on the way from the root to `path` that somebody other than `uid` (by default the
 * user) and root could change; null when there is none. Symbolic links are followed one at a time, so
 * that each link's own folder counts as well as where it leads. Folders above `path` that everybody may
 * write to are fine when they are sticky, as /tmp is: what lies in them cannot be replaced by others. `path`
 * itself may not be one, since others could add to it. Throws the system's error where `path` is missing.
 */
export function distrustOf(path: string, uid = process.geteuid?.() ?? 0): Distrust | null {
  const ahead = names(resolve(path));
  let current = "/";
  let links = 0;
  for (;;) {
    const problem = judge(current, uid, ahead.length > 0);
    if (problem) return problem;
    const next = ahead.shift();
    if (next === undefined) return null;
    if (next === "..") {
      current = dirname(current);
      continue;
    }
    const below = join(current, next);
    if (!lstatSync(below).isSymbolicLink()) {
      current = below;
      continue;
    }
    const foreign = judgeOwner(below, uid);
    if (foreign) return foreign;
    if (++links > MAX_LINKS) {
      return { path: below, why: "it is a loop of symbolic links", mend: `rm ${shellWords([below])}` };
    }
    const target = readlinkSync(below);
    if (target.startsWith("/")) current = "/";
    ahead.unshift(...names(target));
  }
}

/** A distrust as the error that refuses `what`, e.g. "the plugin folder /x/plugins"; `code` says how it counts. */
export function distrustError(code: "PLUGIN" | "USAGE", what: string, distrust: Distrust): JobxError {
  const subject = what.endsWith(distrust.path) ? "it" : distrust.path;
  return new JobxError(code, `${capital(what)} is refused: ${subject} ${distrust.why}`, {
    hint: `Mend it with: ${distrust.mend}`,
  });
}

function judge(path: string, uid: number, isAbove: boolean): Distrust | null {
  const foreign = judgeOwner(path, uid);
  if (foreign) return foreign;
  const { mode } = lstatSync(path);
  if ((mode & GROUP_OR_OTHERS_WRITE) === 0 || (isAbove && (mode & STICKY) !== 0)) return null;
  const who = (mode & 0o002) !== 0 ? "everybody" : "its group";
  return {
    path,
    why: `can be written by ${who} (mode ${(mode & 0o7777).toString(8)})`,
    mend: `chmod go-w ${shellWords([path])}`,
  };
}

function judgeOwner(path: string, uid: number): Distrust | null {
  const stat = lstatSync(path);
  if (stat.uid === uid || stat.uid === 0) return null;
  const flag = stat.isSymbolicLink() ? "-h " : "";
  return {
    path,
    why: `belongs to user ${stat.uid}, neither to you nor to root`,
    mend: `chown ${flag}${uid === 0 ? "root" : uid} ${shellWords([path])}`,
  };
}

function names(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
