import { lstatSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { errnoOf, messageOf } from "../../errors.ts";
import { shellWords } from "../../executor/run.ts";
import { formatSize } from "../../model/sizes.ts";
import { detectCapacity } from "../../queue/machine.ts";
import { queuePaths } from "../../queue/paths.ts";
import { homeDirs } from "../../store/layout.ts";
import { type Check, type Env, fail, ok, warn } from "./check.ts";

/** The jobx that runs, and on what. */
export function checkVersion(version: string): Check[] {
  const kind = Bun.isStandaloneExecutable ? process.execPath : "from source";
  return [
    ok("version", `jobx ${version}, ${kind}, Bun ${Bun.version}`),
    ok(
      "architecture",
      `${process.platform}-${process.arch}; compute nodes of another one need \`runtime\` in the configuration`,
    ),
  ];
}

/** What local jobs may use at once; `settings` are those of the local executor, validated. */
export function checkCapacity(env: Env, settings: Record<string, unknown>): Check {
  const limit = (name: string) => (typeof settings[name] === "number" ? settings[name] : null);
  const limits = { cpus: limit("cpus"), memBytes: limit("mem"), gpus: limit("gpus"), nice: limit("nice") };
  return ok("local", `for local jobs: ${detectCapacity({ env }, limits).why}`);
}

/** The folder of the local queue's socket: private, and on this host. */
export function checkQueueFolder(env: Env): Check {
  const folder = dirname(queuePaths(env).dir);
  try {
    const stat = lstatSync(folder);
    const own = process.geteuid?.() ?? stat.uid;
    if (!stat.isDirectory())
      return fail("runtime folder", `${folder} is not a folder`, `rm ${shellWords([folder])}`);
    if (stat.uid !== own) {
      return fail(
        "runtime folder",
        `${folder} belongs to user ${stat.uid}`,
        "Set JOBX_RUNTIME_DIR to a folder of yours on local disk",
      );
    }
    if ((stat.mode & 0o077) !== 0) {
      return fail("runtime folder", `others can look into ${folder}`, `chmod 700 ${shellWords([folder])}`);
    }
    return ok("runtime folder", folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT")
      return ok("runtime folder", `${folder}, made when the first local job comes`);
    return fail(
      "runtime folder",
      messageOf(error),
      "Set JOBX_RUNTIME_DIR to a folder of yours on local disk",
    );
  }
}

/** The copies of jobx that jobs run by. */
export function checkPinned(home: string): Check {
  const folder = homeDirs.bin(home);
  try {
    const files = readdirSync(folder).filter((name) => name.startsWith("jobx-"));
    const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    const noun = files.length === 1 ? "runtime" : "runtimes";
    return ok("pinned runtimes", `${files.length} ${noun}, ${formatSize(bytes)}, in ${folder}`);
  } catch (error) {
    if (errnoOf(error) === "ENOENT")
      return ok("pinned runtimes", "none yet; the first submission of a binary makes one");
    return warn("pinned runtimes", messageOf(error), `ls -l ${shellWords([folder])}`);
  }
}
