import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";

import { errnoOf, JobxError, messageOf } from "../errors.ts";
import type { FunctionCode, FunctionEntry } from "../model/job.ts";
import { ensureDir, writeNewFile } from "../store/files.ts";
import { codeDir, homeDirs } from "../store/layout.ts";
import { type Bundle, bundleModule } from "./bundle.ts";
import { whyNotCallableInCode } from "./callable.ts";
import { missingExport, notCallable, usesModuleExports } from "./exports.ts";
import { FILES } from "./original-paths.ts";
import type { FunctionReference } from "./reference.ts";
import { type CopiedFiles, copyFiles, type SnapshotFiles } from "./snapshot-files.ts";

/** Code as it will be stored: files by their path in its folder, `index.js` among them. Warnings are sentences. */
export type Snapshot = {
  files: ReadonlyMap<string, string | Uint8Array>;
  /** Those of the files that may be executed. */
  executable: ReadonlySet<string>;
  warnings: string[];
};

/** The file of a snapshot that a task imports. */
const INDEX = "index.js";
/** The values of `bind`, beside the code, and the export of the code that makes the function from them. */
export const VALUES = "values.msgpack";
export const FROM_VALUES = "__jobx_from_values";

/**
 * A function's module, bundled with all it imports, and the files that are asked for. Nothing is written, and the
 * module is not run. Throws USAGE when it does not build, lacks the export, or exports something that cannot be called.
 */
export async function takeSnapshot(
  reference: FunctionReference,
  files: true | SnapshotFiles = true,
): Promise<Snapshot> {
  const copied = copyFiles(reference.file, files);
  const bundle = await bundleModule(reference.file, { copied: copied?.root });
  checkBundle(reference, bundle);
  return snapshotOf(bundle, copied);
}

/** A bundle with the files that were copied for it, and values for an inline function. */
export function snapshotOf(
  { code, assets, warnings }: Bundle,
  copied: CopiedFiles | null,
  values: Uint8Array | null = null,
): Snapshot {
  const files = new Map<string, string | Uint8Array>([[INDEX, code]]);
  for (const [name, bytes] of assets) files.set(name, bytes);
  const executable = new Set<string>();
  for (const [path, file] of copied?.files ?? []) {
    const name = join(FILES, path);
    files.set(name, file.bytes);
    if (file.executable) executable.add(name);
  }
  if (values) files.set(VALUES, values);
  return { files, executable, warnings: [...(copied?.warnings ?? []), ...warnings] };
}

/**
 * Keeps a snapshot under its hash in the home; the same code is kept once. Gives the hash, its folder's name
 * under `code/`. Throws STORAGE when the home cannot be written; `file` is what the message names.
 */
export function keepSnapshot(home: string, file: string, snapshot: Snapshot): string {
  const code = hashOf(snapshot);
  try {
    place(home, code, snapshot);
  } catch (error) {
    const message = `The snapshot of ${file} could not be written: ${messageOf(error)}`;
    throw new JobxError("STORAGE", message, { cause: error });
  }
  return code;
}

/** The file that a task imports: the snapshot's, or the live one. */
export function modulePath(home: string, entry: Pick<FunctionCode, "file" | "code">): string {
  return entry.code === null ? entry.file : join(codeDir(home, entry.code), INDEX);
}

/** What to import, the export to call, and the user's own file for messages. */
export type LoadableCode = { path: string; export: string; file: string };

/** One of a job's functions, by its number in a task's payload. Throws DAMAGED when the job has none of that number. */
export function loadableCode(home: string, entry: FunctionEntry, fn = 0): LoadableCode {
  const code = codeOf(entry, fn);
  if (!code) throw new JobxError("DAMAGED", `The task calls function ${fn}, which its job does not have`);
  return { path: modulePath(home, code), export: code.export, file: code.file };
}

/** One of a job's functions by its number; undefined where there is none. */
export function codeOf(entry: FunctionEntry, fn = 0): FunctionCode | undefined {
  return fn === 0 ? entry : entry.more?.[fn - 1];
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

function hashOf({ files, executable }: Snapshot): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const [name, content] of files) {
    const bytes = Buffer.from(content);
    hash.update(`\0${name}\0${executable.has(name) ? "x" : ""}${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/** Fills a temporary folder and renames it; whoever comes second finds the work done. */
function place(home: string, code: string, { files, executable }: Snapshot): void {
  const target = codeDir(home, code);
  if (existsSync(join(target, INDEX))) return touch(target);
  const temporary = join(homeDirs.code(home), `.${code.slice(0, 12)}-${crypto.randomUUID()}`);
  ensureDir(temporary);
  try {
    for (const [name, content] of files) {
      const path = join(temporary, name);
      ensureDir(dirname(path));
      writeNewFile(path, Buffer.from(content));
      if (executable.has(name)) chmodSync(path, statSync(path).mode | 0o100);
    }
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
