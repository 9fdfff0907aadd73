import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";

import { errnoOf, JobxError, messageOf } from "../errors.ts";
import type { FunctionEntry } from "../model/job.ts";
import { ensureDir, writeNewFile } from "../store/files.ts";
import { codeDir, homeDirs } from "../store/layout.ts";
import { type Bundle, bundleModule } from "./bundle.ts";
import { whyNotCallableInCode } from "./callable.ts";
import { missingExport, notCallable, usesModuleExports } from "./exports.ts";
import type { FunctionReference } from "./reference.ts";

/** `code` is the sha256 of the snapshot, its folder's name under `code/`; warnings are sentences. */
export type Snapshot = { code: string; warnings: string[] };

const INDEX = "index.js";

/**
 * Keeps a function's module, bundled with all it imports, under its hash in the home; the same code is
 * kept once. The module is not run. Throws USAGE when it does not build, lacks the export, or exports
 * something that cannot be called; STORAGE when the home cannot be written.
 */
export async function snapshotFunction(home: string, reference: FunctionReference): Promise<Snapshot> {
  const bundle = await bundleModule(reference.file);
  checkBundle(reference, bundle);
  const code = hashOf(bundle);
  try {
    place(home, code, bundle);
  } catch (error) {
    throw new JobxError(
      "STORAGE",
      `The snapshot of ${reference.file} could not be written: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  return { code, warnings: bundle.warnings };
}

/** The file that a task imports: the snapshot's, or the live one. */
export function modulePath(home: string, entry: FunctionEntry): string {
  return entry.code === null ? entry.file : join(codeDir(home, entry.code), INDEX);
}

function checkBundle(reference: FunctionReference, bundle: Bundle): void {
  const text = readFileSync(reference.file, "utf8");
  const atRuntime = usesModuleExports(text);
  if (!bundle.exports.includes(reference.export) && bundle.commonjs && atRuntime) return;
  // Of a file without exports the bundler makes an empty object.
  const exports = atRuntime || /\bexport\b/.test(text) ? bundle.exports : [];
  if (!exports.includes(reference.export)) throw missingExport(reference, exports);
  const why = whyNotCallableInCode(bundle.code.slice(0, bundle.code.lastIndexOf("\n//# ")), reference.export);
  if (why) throw notCallable(reference, why);
}

function hashOf(bundle: Bundle): string {
  const hash = new Bun.CryptoHasher("sha256").update(bundle.code);
  for (const [name, bytes] of bundle.assets) hash.update(`\0${name}\0${bytes.length}\0`).update(bytes);
  return hash.digest("hex");
}

/** Fills a temporary folder and renames it; whoever comes second finds the work done. */
function place(home: string, code: string, bundle: Bundle): void {
  const target = codeDir(home, code);
  if (existsSync(join(target, INDEX))) return touch(target);
  const temporary = join(homeDirs.code(home), `.${code.slice(0, 12)}-${randomUUID()}`);
  ensureDir(temporary);
  try {
    for (const [name, bytes] of bundle.assets) write(join(temporary, name), bytes);
    write(join(temporary, INDEX), bundle.code);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    const lostTheRace = errnoOf(error) === "ENOTEMPTY" || errnoOf(error) === "EEXIST";
    if (!lostTheRace) throw error;
  }
}

/** A snapshot that is used again counts as new, so that no cleaning removes it before its job is written. */
function touch(folder: string): void {
  const now = new Date();
  try {
    utimesSync(folder, now, now);
  } catch {
    // Somebody else's home: reading it is enough.
  }
}

function write(path: string, content: string | Uint8Array): void {
  writeNewFile(path, typeof content === "string" ? Buffer.from(content) : content);
}
