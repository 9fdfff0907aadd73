import { relative } from "node:path";

/** A path as it is shown: relative to the current folder where that does not climb. */
export function showPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path === "" || path.startsWith("..") || process.cwd() === "/" ? file : path;
}
