import { close, fsync, rename, rmSync, write } from "node:fs";
import { dirname } from "node:path";

import { openFile, syncFolder, temporaryFor } from "./files.ts";
import { storageError } from "./storage-errors.ts";

/**
 * Writes a whole file as `writeFileAtomic` does, without keeping anything else from running meanwhile: temporary
 * name, fsync, rename, fsync of the folder. Rejects with STORAGE and leaves nothing behind.
 */
export async function writeFileAsync(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    const fd = openFile(temporary, "wx");
    try {
      for (const piece of pieces) await writeAll(fd, piece);
      await done((callback) => fsync(fd, callback));
    } finally {
      await done((callback) => close(fd, callback));
    }
    await done((callback) => rename(temporary, path, callback));
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw storageError(path, "written", error);
  }
}

/** A write may take only a part. */
async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await writePart(fd, bytes.subarray(at, at + PIECE));
}

function writePart(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, written) => (error ? reject(error) : resolve(written)));
  });
}

/** What a function tells its callback; `node:util`, where promisify is, takes a millisecond of every command to load. */
function done(start: (callback: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}

/** Bytes handed to the system at once. */
const PIECE = 16 * 1024 * 1024;
