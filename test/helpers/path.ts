import { existsSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { tempDir } from "./temp.ts";

const SCHEDULERS = ["sbatch", "squeue", "scontrol", "qconf", "qsub", "qstat", "bsub", "pbs_rstat", "flux"];

/** A PATH with everything that this machine's has, but for the commands of schedulers. */
export function pathWithoutSchedulers(): string {
  const folder = tempDir("path");
  for (const source of ["/usr/local/bin", "/usr/bin", "/bin"]) {
    for (const name of existsSync(source) ? readdirSync(source) : []) {
      const link = join(folder, name);
      if (!SCHEDULERS.includes(name) && !existsSync(link)) symlinkSync(join(source, name), link);
    }
  }
  return folder;
}
