import { close, fsync, rename, rmSync, write } from "node:fs";
import { dirname } from "node:path";

import { openFile, syncFolder, temporaryFor } from "./files.ts";
import { storageError } from "./storage-errors.ts";

/** Writes bytes to an open file, at `position`. */
export type WriteAt = (bytes: Uint8Array, position: number) => Promise<void>;

/**
 * Writes a whole file as `writeAtomically` does, without keeping anything else from running meanwhile: temporary
 * name, fsync, rename, fsync of the folder. Rejects with STORAGE and leaves nothing behind.
 */
export async function writeFileAsync<T>(path: string, write: (at: WriteAt) => Promise<T>): Promise<T> {
  const temporary = temporaryFor(path);
  try {
    const fd = openFile(temporary, "wx");
    let result: T;
    try {
      result = await write((bytes, position) => writeAll(fd, bytes, position));
      await done((callback) => fsync(fd, callback));
    } finally {
      await done((callback) => close(fd, callback));
    }
    await done((callback) => rename(temporary, path, callback));
    syncFolder(dirname(path));
    return result;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw storageError(path, "written", error);
  }
}

/** A write may take only a part. */
async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += await writePart(fd, bytes.subarray(at, at + PIECE), position + at);
}

function writePart(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, (error, written) =>
      error ? reject(error) : resolve(written),
    );
  });
}

/** What a function tells its callback; `node:util`, where promisify is, takes a millisecond of every command to load. */
function done(start: (callback: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}

/** Bytes handed to the system at once. */
const PIECE = 16 * 1024 * 1024;
