import { readFileSync } from "node:fs";
import { basename, dirname, relative } from "node:path";

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

/**
 * What Bun.build puts before the name of a file in the snapshot. With its opening quote it is exactly as long as the
 * expression that takes its place, so that the source map's columns stay right.
 */
export const ASSET_PREFIX = '"/jobx-asset-here/';
export const ASSET_EXPRESSION = 'import.meta.dir+"/';

/** The folder of a snapshot with the files that were copied into it. */
export const FILES = "files";

/** A file as its author wrote it, and what was put before one of its lines. */
export type RewrittenFile = { text: string; line: number; shift: number };

/**
 * A plugin for Bun.build that declares, in each file that asks for its own place, that place's
 * constants. They stand at the beginning of an existing line: no line number changes. Fills `rewritten`
 * so that source maps and messages can show the original text. `madeUp` is a file that is not on disk.
 */
export function keepOriginalPaths(
  rewritten: Map<string, RewrittenFile>,
  { copied, madeUp }: { copied: string | null; madeUp?: string },
): BunPlugin {
  return {
    name: "jobx-original-paths",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, ({ path, loader }) => {
        // Made up: it has its own constants.
        if (path === madeUp) return undefined;
        const text = readFileSync(path, "utf8");
        if (!/import\.meta\b|__dirname|__filename/.test(text)) return undefined;
        const constants = constantsOf(path, copied);
        const at = text.startsWith("#!") ? text.indexOf("\n") + 1 : 0;
        rewritten.set(path, { text, line: at === 0 ? 1 : 2, shift: constants.length });
        return { contents: text.slice(0, at) + constants + text.slice(at), loader };
      });
    },
  };
}

/**
 * The constants of a file, as one line without its end. Below `copied`, the folder of which a snapshot has files, they
 * are the places in the copy; packages keep their own.
 */
export function constantsOf(path: string, copied: string | null): string {
  const below = copied === null ? ".." : relative(copied, path);
  if (below.startsWith("..") || /(?:^|\/)node_modules\//.test(below)) {
    return declarations({
      __jobx_dir: JSON.stringify(dirname(path)),
      __jobx_path: JSON.stringify(path),
      __jobx_file: JSON.stringify(basename(path)),
      __jobx_url: JSON.stringify(Bun.pathToFileURL(path).href),
    });
  }
  const folder = dirname(below);
  return declarations({
    __jobx_files: `${ASSET_PREFIX}${FILES}"`,
    __jobx_dir: folder === "." ? "__jobx_files" : `__jobx_files+${JSON.stringify(`/${folder}`)}`,
    __jobx_path: `__jobx_files+${JSON.stringify(`/${below}`)}`,
    __jobx_file: JSON.stringify(basename(path)),
    __jobx_url: "Bun.pathToFileURL(__jobx_path).href",
  });
}

function declarations(values: Record<string, string>): string {
  return `var ${Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(",")};`;
}
