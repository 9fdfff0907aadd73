import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { pathToFileURL } from "node:url";

import type { BunPlugin } from "bun";

/**
 * What each file says of its own place is replaced by names that `keepOriginalPaths` declares in that
 * file: a bundle would otherwise give all its files the place of the bundle.
 */
export const ORIGINAL_PATH_NAMES: Record<string, string> = {
  "import.meta.dir": "__jobx_dir",
  "import.meta.dirname": "__jobx_dir",
  __dirname: "__jobx_dir",
  "import.meta.path": "__jobx_path",
  "import.meta.filename": "__jobx_path",
  __filename: "__jobx_path",
  "import.meta.url": "__jobx_url",
  "import.meta.file": "__jobx_file",
  // A task's module is never the program itself, so that a guarded script does not submit again.
  "import.meta.main": "false",
};

/** A file as its author wrote it, and what was put before one of its lines. */
export type RewrittenFile = { text: string; line: number; shift: number };

/**
 * A plugin for Bun.build that declares, in each file that asks for its own place, that place's
 * constants. They stand at the beginning of an existing line: no line number changes. Fills `rewritten`
 * so that source maps and messages can show the original text. `madeUp` is a file that is not on disk.
 */
export function keepOriginalPaths(rewritten: Map<string, RewrittenFile>, madeUp?: string): BunPlugin {
  return {
    name: "jobx-original-paths",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, ({ path, loader }) => {
        // Made up: it has its own constants.
        if (path === madeUp) return undefined;
        const text = readFileSync(path, "utf8");
        if (!/import\.meta\b|__dirname|__filename/.test(text)) return undefined;
        const constants = constantsOf(path);
        const at = text.startsWith("#!") ? text.indexOf("\n") + 1 : 0;
        rewritten.set(path, { text, line: at === 0 ? 1 : 2, shift: constants.length });
        return { contents: text.slice(0, at) + constants + text.slice(at), loader };
      });
    },
  };
}

/** The constants of a file, as one line without its end. */
export function constantsOf(path: string): string {
  const values = {
    __jobx_dir: dirname(path),
    __jobx_path: path,
    __jobx_file: basename(path),
    __jobx_url: pathToFileURL(path).href,
  };
  const parts = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `var ${parts.join(",")};`;
}
