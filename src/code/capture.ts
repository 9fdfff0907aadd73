import type { FunctionCode } from "../model/job.ts";
import { checkExport } from "./exports.ts";
import { type FunctionReference, resolveReference } from "./reference.ts";
import type { SnapshotFiles } from "./snapshot-files.ts";
import { keepSnapshot, type Snapshot, takeSnapshot } from "./snapshot.ts";

export type CaptureOptions = {
  /** The folder that references are relative to. */
  cwd: string;
  /** false: exported functions are imported live when the task runs. */
  snapshot: boolean | SnapshotFiles;
  /** Path and exports of each module that the caller has loaded. */
  modules: () => Iterable<[path: string, exports: unknown]>;
  /** The absolute path of the caller's main script, which may still be evaluating. */
  script: string | null;
};

/** A function that was found and checked, with its code; nothing of it is stored yet. */
export type CapturedFunction = {
  /** As in `FunctionCode`. */
  file: string;
  export: string;
  /** What a job that calls it is named after. */
  name: string;
  /** null imports `file` as it is when the task runs. */
  snapshot: Snapshot | null;
};

/**
 * Finds the code of what a job shall call: `"file.ts#name"`, an exported function, an inline one, or what `bind`
 * or `defineTask` made. Writes nothing. Throws USAGE or NOT_FOUND with the reason and, where it is known, the place.
 */
export async function captureFunction(fn: unknown, options: CaptureOptions): Promise<CapturedFunction> {
  if (typeof fn === "string") return captureReference(fn, options.cwd, options.snapshot);
  const { captureValue } = await import("./capture-value.ts");
  return captureValue(fn, options);
}

/** `"file.ts#name"`, relative to `cwd`. */
export async function captureReference(
  reference: string,
  cwd: string,
  snapshot: CaptureOptions["snapshot"],
): Promise<CapturedFunction> {
  return captureExport(resolveReference(reference, cwd), snapshot);
}

/** Stores the code of a captured function in the home. Throws STORAGE. */
export async function storeFunction(
  home: string,
  { file, export: name, snapshot }: CapturedFunction,
): Promise<{ code: FunctionCode; warnings: string[] }> {
  const code = snapshot && keepSnapshot(home, file, snapshot);
  return { code: { file, export: name, code }, warnings: snapshot?.warnings ?? [] };
}

/** A function that a module exports. */
export async function captureExport(
  reference: FunctionReference,
  files: CaptureOptions["snapshot"],
): Promise<CapturedFunction> {
  if (files === false) checkExport(reference);
  const snapshot = files === false ? null : await takeSnapshot(reference, files);
  return { ...reference, name: nameOf(reference), snapshot };
}

/** The export's name; of a default export the file's. */
function nameOf({ file, export: name }: FunctionReference): string {
  if (name !== "default") return name;
  return (file.split("/").at(-1) ?? file).replace(/\.[^.]+$/, "");
}
