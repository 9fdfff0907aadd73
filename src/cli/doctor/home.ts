import {
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";

import { errnoOf, messageOf } from "../../errors.ts";
import { shellWords } from "../../executor/run.ts";
import { formatSize } from "../../model/sizes.ts";
import { isShared } from "../../store/files.ts";
import { homeDirs } from "../../store/layout.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const LITTLE_SPACE = 1024 ** 3;
const NO_SPACE = 16 * 1024 ** 2;

/** Differences of clocks above this make ages and grace periods wrong, in seconds. */
const CLOCK_TOLERANCE = 5;

/** Whether the home can be written, by whom else it can be read, on what it stands, and what is left there. */
export function checkHome(home: string): Check[] {
  const place = nearestExisting(home);
  const access = checkAccess(home, place);
  if (access.verdict === "fail") return [access];
  return [
    access,
    ...(place === home ? [checkPrivacy(home)] : []),
    checkSpace(home, place),
    checkClock(place),
  ];
}

/** Whether other hosts are likely to see the home, by its file system: those of one host's own disk are none of theirs. */
export function checkReach(executor: string, home: string): Check {
  const name = `${executor}: home`;
  const type = fileSystemOf(resolve(nearestExisting(home)), readMounts());
  if (type === null || !LOCAL_FILE_SYSTEMS.has(type)) {
    return ok(
      name,
      type === null ? "on a file system of unknown type" : `on ${type}, which other hosts may see`,
    );
  }
  return warn(
    name,
    `${home} is on ${type}, which other hosts do not see unless it is exported to them under the same path`,
    `jobx doctor --probe -e ${executor} tells; choose a home on a shared file system with --home or JOBX_HOME`,
  );
}

const LOCAL_FILE_SYSTEMS = new Set([
  "ext2",
  "ext3",
  "ext4",
  "xfs",
  "btrfs",
  "zfs",
  "overlay",
  "tmpfs",
  "ramfs",
]);

/** The type of the file system that holds a path, from the text of /proc/self/mountinfo; null where unknown. */
export function fileSystemOf(path: string, mountinfo: string): string | null {
  let best: { point: string; type: string } | null = null;
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const point = before
      ?.split(" ")[4]
      ?.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    const type = after?.split(" ")[0];
    if (!point || !type) continue;
    const holds = path === point || path.startsWith(point === "/" ? "/" : `${point}/`);
    if (holds && point.length >= (best?.point.length ?? 0)) best = { point, type };
  }
  return best?.type ?? null;
}

function checkAccess(home: string, place: string): Check {
  try {
    if (!statSync(place).isDirectory())
      return fail("home", `${place} is not a folder`, "Choose another one with --home or JOBX_HOME");
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch (error) {
    const mend = `chmod u+rwx ${shellWords([place])}, or choose another one with --home or JOBX_HOME`;
    return fail("home", `${place} cannot be written: ${messageOf(error)}`, mend);
  }
  return ok("home", place === home ? home : `${home}, made by the first submission`);
}

function checkPrivacy(home: string): Check {
  const { mode, uid } = statSync(home);
  const own = process.geteuid?.() ?? uid;
  const shown = (mode & 0o777).toString(8);
  if (uid !== own)
    return warn(
      "privacy",
      `${home} belongs to user ${uid}`,
      "Choose a home of your own with --home or JOBX_HOME",
    );
  if ((mode & 0o022) !== 0) {
    return warn(
      "privacy",
      `others can write to ${home} (mode ${shown}) and so run code as you`,
      `chmod go-w ${shellWords([home])}`,
    );
  }
  if ((mode & 0o007) === 0 && isShared(homeDirs.jobs(home))) {
    return ok("privacy", `its group may read it, since it is shared (mode ${shown})`);
  }
  if ((mode & 0o077) !== 0) {
    return warn(
      "privacy",
      `others can look into ${home} (mode ${shown})`,
      `chmod go-rwx ${shellWords([home])}`,
    );
  }
  return ok("privacy", `only you can read it (mode ${shown})`);
}

function checkSpace(home: string, place: string): Check {
  const type = fileSystemOf(resolve(place), readMounts());
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const detail = `${formatSize(free)} free${type ? ` on ${type}` : ""}`;
  if (free < NO_SPACE)
    return fail("space", detail, "Make room, for example with `jobx clean`, or choose another home");
  if (free < LITTLE_SPACE) return warn("space", detail, "`jobx clean` removes finished jobs");
  if (type === "tmpfs" || type === "ramfs") {
    return warn(
      "space",
      `${detail}: ${home} is gone after a reboot`,
      "Choose a home on a disk with --home or JOBX_HOME",
    );
  }
  return ok("space", detail);
}

/** By the time stamp of a new file: on a network file system that is the server's clock. */
function checkClock(place: string): Check {
  const file = join(place, `.jobx-doctor-${process.pid}`);
  try {
    const before = Date.now();
    writeFileSync(file, "", { mode: 0o600, flag: "wx" });
    const seconds = Math.abs(lstatSync(file).mtimeMs - before) / 1000;
    if (seconds > CLOCK_TOLERANCE) {
      return warn(
        "clock",
        `differs from that of the home's file system by ${seconds.toFixed(0)} s`,
        "Set the clocks by NTP",
      );
    }
    return ok("clock", `${new Date(before).toISOString()}, as the home's file system has it`);
  } catch (error) {
    return fail(
      "clock",
      `no file can be made in ${place}: ${messageOf(error)}`,
      "Check quota and permissions",
    );
  } finally {
    rmSync(file, { force: true });
  }
}

function nearestExisting(path: string): string {
  for (let place = path; ; place = dirname(place)) {
    try {
      statSync(place);
      return place;
    } catch (error) {
      const missing = errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR";
      if (!missing || place === dirname(place)) return place;
    }
  }
}

function readMounts(): string {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return "";
  }
}
