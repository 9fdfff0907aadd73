import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { whenThere } from "../store/files.ts";

/** The bytes of a file, or of all files below a folder; links are not followed. What vanishes meanwhile counts 0. */
export function folderBytes(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.size ?? 0;
  let bytes = 0;
  for (const name of whenThere(path, () => readdirSync(path)) ?? []) bytes += folderBytes(join(path, name));
  return bytes;
}
