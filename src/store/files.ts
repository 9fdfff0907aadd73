import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

import { errnoOf } from "../errors.ts";
import { checksum } from "./checksum.ts";
import { decode, encode } from "./codec.ts";
import { damaged, PREAMBLE_BYTES, readPreamble, writePreamble } from "./preamble.ts";
import { storageError } from "./storage-errors.ts";

/**
 * Folders and files are their owner's alone, whatever the umask, unless the folder that they are made in is one that
 * its group may read: so a home that is shared (`ensureHome`) stays so for every process, with nobody to tell it.
 */
const DIR_MODE = 0o700;
const FILE_MODE = 0o600;
const GROUP_READ_DIR = 0o050;
const GROUP_READ_FILE = 0o040;
const SET_GID = 0o2000;

/** After the preamble: length and checksum of the one record. */
const RECORD_HEADER_BYTES = 8;

/**
 * What all spellings of a path have in common on this host: to compare by, while the path itself is kept as it was
 * given, since another host may reach it only so. The path as it is where nothing is there.
 */
export function placeOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Makes a folder and those above it, where they are missing; 0700, or 0750 in a shared folder. Throws STORAGE. */
export function ensureDir(path: string): void {
  try {
    if (existsSync(path)) return;
    ensureDir(dirname(path));
    makeDir(path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw storageError(path, "written", error);
  }
}

/** Makes one folder; 0700, or 0750 in a shared folder. Throws what the system says: EEXIST where it is there. */
export function makeDir(path: string): void {
  mkdirSync(path, { mode: DIR_MODE });
  if (isShared(dirname(path))) shareDir(path, true);
}

/** Lets the group read a folder and what will be made in it, or no longer; what is there already stays as it is. */
export function shareDir(path: string, shared: boolean): void {
  const { mode } = statSync(path);
  const wanted = shared ? mode | GROUP_READ_DIR : mode & ~0o077;
  // The bit that hands the group down is lost when it is left out.
  if (wanted !== mode) chmodSync(path, wanted & (SET_GID | 0o777));
  if (path === latest.folder) latest = { folder: path, shared };
}

/** Whether what is made in a folder may be read by its group. A folder that anybody may read was not made by jobx, and does not count. */
export function isShared(folder: string): boolean {
  if (folder === latest.folder) return latest.shared;
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
  latest = { folder, shared: (mode & 0o077) === GROUP_READ_DIR };
  return latest.shared;
}

/** Thousands of files are made in one folder, one after the other. */
let latest = { folder: "", shared: false };

/** Opens a file that may have to be made; 0600, or 0640 in a shared folder. Throws what the system says. */
export function openFile(path: string, flags: string | number, shared = isShared(dirname(path))): number {
  const fd = openSync(path, flags, FILE_MODE);
  if (shared) fchmodSync(fd, FILE_MODE | GROUP_READ_FILE);
  return fd;
}

/**
 * Whether a folder is this user's, or not there. Of what is another user's nobody runs anything, and who merely looks at
 * it, as root can, leaves nothing there: its owner could not read it.
 */
export function isOwn(folder: string): boolean {
  return otherOwner(folder) === null;
}

/** Whose a folder is that is not this user's; null for one's own, or none. */
export function otherOwner(folder: string): number | null {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  return owner === undefined || owner === process.geteuid?.() ? null : owner;
}

/**
 * Makes a file with these bytes, durably; of root's, it is for the folder's owner to read. Throws what the system says:
 * EEXIST where it is there.
 */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  const fd = openFile(path, "wx");
  try {
    if (process.geteuid?.() === 0) handToOwner(fd, dirname(path));
    writeFully(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function handToOwner(fd: number, folder: string): void {
  const { uid, gid } = statSync(folder);
  if (uid === 0) return;
  try {
    fchownSync(fd, uid, gid);
  } catch {
    // A file system where root is nobody in particular: whom the file belongs to is up to that.
  }
}

export type AtomicOptions = {
  /** Keeps the file its owner's alone, whatever the folder. */
  shared?: false;
  /**
   * What is synced: everything by default; "contents" where another file of the folder follows, whose sync takes this
   * one's name along; "nothing" for what a crash of the machine may take.
   */
  sync?: "contents" | "nothing";
};

/** Writes one value as a versioned, checksummed file, atomically and durably. Throws PAYLOAD or STORAGE. */
export function writeRecordFile(path: string, value: unknown, options: AtomicOptions = {}): void {
  const bytes = recordFileBytes(value);
  writeAtomically(path, (fd) => writeFully(fd, bytes), options);
}

/**
 * Reads a file of `writeRecordFile` back; null where it is missing. `synced: false`: null as well where it is empty, which
 * is what a crash of the machine leaves of a file that was not synced. Throws DAMAGED, FORMAT or STORAGE.
 */
export function readRecordFile(path: string, { synced = true } = {}): unknown {
  const bytes = readIfThere(path);
  if (bytes === null || (!synced && bytes.length === 0)) return null;
  return parseRecordFile(bytes, path);
}

/** The bytes that `writeRecordFile` writes. */
export function recordFileBytes(value: unknown): Uint8Array {
  const body = encode(value);
  const header = new DataView(new ArrayBuffer(RECORD_HEADER_BYTES));
  header.setUint32(0, body.length, true);
  header.setUint32(4, checksum(body), true);
  return Buffer.concat([writePreamble("record"), new Uint8Array(header.buffer), body]);
}

/**
 * Writes a whole file so that a reader sees the old one or the new one, never a part: temporary name,
 * fsync, rename, fsync of the folder. Throws STORAGE and leaves nothing behind.
 */
export function writeFileAtomic(path: string, bytes: Uint8Array, options: AtomicOptions = {}): void {
  writeAtomically(path, (fd) => writeFully(fd, bytes), options);
}

/** As `writeFileAtomic`, for contents that are made piece by piece; what `write` throws is thrown on. */
export function writeAtomically<T>(
  path: string,
  write: (fd: number) => T,
  { shared, sync }: AtomicOptions = {},
): T {
  const temporary = temporaryFor(path);
  try {
    const fd = openFile(temporary, "wx", shared);
    let result: T;
    try {
      result = write(fd);
      if (sync !== "nothing") fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    if (sync === undefined) syncFolder(dirname(path));
    return result;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw storageError(path, "written", error);
  }
}

/** A name beside `path` that no other process, on any host, uses. */
export function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 13)}.tmp`);
}

/** Writes all bytes; a write may take only a part of them. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done);
}

/** Fills `target` from `offset` of a file; gives how many bytes there were. */
export function readInto(fd: number, target: Uint8Array, offset: number): number {
  let done = 0;
  while (done < target.length) {
    const read = readSync(fd, target, done, target.length - done, offset + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** Makes names in a folder durable; best effort, since network file systems may refuse. */
export function syncFolder(path: string): void {
  try {
    const fd = openSync(path, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The file's own bytes were synced; the rest is up to the file system.
  }
}

/** The whole file, or null where it does not exist. Throws STORAGE for anything else. */
export function readIfThere(path: string): Uint8Array | null {
  return whenThere(path, () => readFileSync(path));
}

/**
 * Runs `read` on a path; null where the path does not exist. A network file system may remember for a
 * while that a file did not exist, and listing the folder makes it look again, so a file counts as
 * missing only when its folder does not list it. Throws STORAGE for anything else.
 */
export function whenThere<T>(path: string, read: () => T): T | null {
  for (let tries = 0; ; tries++) {
    try {
      return read();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== "ENOENT" && errno !== "ENOTDIR" && errno !== "ESTALE")
        throw storageError(path, "read", error);
      if (tries > 0 && errno !== "ESTALE") return null;
      if (tries >= 3) throw storageError(path, "read", error);
      if (!isListed(path)) return null;
    }
  }
}

function isListed(path: string): boolean {
  try {
    return readdirSync(dirname(path)).includes(basename(path));
  } catch {
    return false;
  }
}

function parseRecordFile(bytes: Uint8Array, path: string): unknown {
  if (!readPreamble(bytes, "record", path))
    throw damaged(path, 0, "its first bytes are not those of a jobx file");
  const start = PREAMBLE_BYTES + RECORD_HEADER_BYTES;
  if (bytes.length < start) throw damaged(path, bytes.length, "it was cut short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = bytes.subarray(start);
  if (view.getUint32(PREAMBLE_BYTES, true) !== body.length) {
    throw damaged(path, PREAMBLE_BYTES, `its length does not fit the ${body.length} bytes that follow`);
  }
  if (view.getUint32(PREAMBLE_BYTES + 4, true) !== checksum(body)) {
    throw damaged(path, start, "its contents do not match their checksum");
  }
  return decode(body);
}
