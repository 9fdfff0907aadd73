import { dirname } from "node:path";

/** Where jobx's own code lies: its sources, or the binary. */
const OWN = [`${dirname(import.meta.dir)}/`, "/$bunfs/"];

/** Whether a file is a part of jobx itself. */
export function isOwnFile(path: string): boolean {
  return OWN.some((folder) => path.startsWith(folder));
}
