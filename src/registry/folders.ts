import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";

import { errnoOf, messageOf } from "../errors.ts";
import { distrustOf } from "../executor/trust.ts";

/** A folder that plugins are looked for in, whether or not it is there. */
export type PluginFolder = {
  path: string;
  /** What names it, e.g. "JOBX_PLUGIN_PATH". */
  from: string;
  exists: boolean;
  /** Why nothing in it is loaded, and the command that mends it. */
  problem: { why: string; mend: string | null } | null;
  /** Its plugin files, absolute, by name. */
  files: string[];
};

/**
 * The plugin folders in order of precedence, the last one first in rank: beside the binary, the user's
 * configuration, JOBX_PLUGIN_PATH from left to right. Never the current folder: relative entries of
 * JOBX_PLUGIN_PATH are reported and not looked into. `binary` is null when jobx runs from source.
 */
export function pluginFolders(
  env: Record<string, string | undefined>,
  binary: string | null,
): PluginFolder[] {
  const folders: PluginFolder[] = [];
  if (binary) folders.push(scan(join(dirname(binary), "plugins"), "beside the binary"));
  folders.push(scan(join(userFolder(env), "plugins"), "your configuration"));
  for (const path of (env["JOBX_PLUGIN_PATH"] ?? "").split(":")) {
    if (path !== "") folders.push(scan(path, "JOBX_PLUGIN_PATH"));
  }
  return folders;
}

/** The user's own folder for jobx: `$XDG_CONFIG_HOME/jobx`, else `~/.config/jobx`. */
export function userFolder(env: Record<string, string | undefined>): string {
  const config = env["XDG_CONFIG_HOME"];
  const base = config && isAbsolute(config) ? config : join(env["HOME"] || homedir(), ".config");
  return join(base, "jobx");
}

/** The executor's name that a plugin file's own name promises: `pbs` of `/x/pbs.ts`. */
export function stemOf(file: string): string {
  return basename(file).replace(PLUGIN_FILE, "");
}

const PLUGIN_FILE = /(?<!\.d|\.test)\.(ts|mts|js|mjs)$/;

function scan(path: string, from: string): PluginFolder {
  const folder: PluginFolder = { path, from, exists: false, problem: null, files: [] };
  if (!isAbsolute(path)) {
    return {
      ...folder,
      problem: { why: "it is a relative path, which would depend on where one stands", mend: null },
    };
  }
  try {
    const names = readdirSync(path).filter((name) => !name.startsWith(".") && PLUGIN_FILE.test(name));
    folder.exists = true;
    folder.files = names.toSorted().map((name) => join(path, name));
    const distrust = distrustOf(path);
    if (distrust) {
      const subject = distrust.path === path ? "it" : distrust.path;
      folder.problem = { why: `${subject} ${distrust.why}`, mend: distrust.mend };
    }
  } catch (error) {
    const missing = errnoOf(error) === "ENOENT";
    if (!missing) folder.problem = { why: `it cannot be read: ${messageOf(error)}`, mend: null };
    else if (from === "JOBX_PLUGIN_PATH") folder.problem = { why: "it does not exist", mend: null };
  }
  return folder;
}
