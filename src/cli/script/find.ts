import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";

import { resolveReference } from "../../code/reference.ts";
import { usageError } from "../../errors.ts";

/**
 * The script that a word names, absolute and without symbolic links. Throws NOT_FOUND naming the nearest file
 * where there is none, USAGE where it is no script.
 */
export function findScript(word: string, cwd: string): string {
  if (word === "-") {
    throw usageError(
      "jobx run reads a file, and standard input is the script's own",
      "Save it first: cat > script.ts, then jobx run script.ts",
    );
  }
  const path = resolve(cwd, word);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory())
    throw usageError(`${word} is a folder`, `Name a script in it: jobx run ${word}/FILE.ts`);
  if (stats && !/\.[cm]?[jt]sx?$/.test(path)) {
    throw usageError(
      `${word} is not a TypeScript or JavaScript file`,
      `To run it as a job: jobx submit -- ${word.includes("/") ? word : `./${word}`}`,
    );
  }
  const { export: name } = resolveReference(word, cwd);
  if (!stats) {
    throw usageError(
      `jobx run runs a whole script, not one export of it (${name})`,
      `To call that function here: jobx submit -e debug ${word}`,
    );
  }
  return realpathSync(path);
}
