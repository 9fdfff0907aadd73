import { SourceMap } from "node:module";

import { showPath } from "./show-path.ts";

/** A source map, version 3. */
export type SourceMapFile = {
  version: number;
  sources: string[];
  sourcesContent: (string | null)[];
  mappings: string;
  names: string[];
};

/** What the bundler leaves of an import whose name is only known at run time. */
const COMPUTED = /(?<![\w$.])(?:import|__require)\((?!["'])/g;

/**
 * Sentences about imports that a bundle may not carry, one per file. Bun.build leaves them as they are
 * and reports nothing; in whitespace-minified code they are found by their text.
 */
export function findComputedImports(code: string, map: SourceMapFile): string[] {
  const places = [...code.matchAll(COMPUTED)];
  if (places.length === 0) return [];
  const entries = new SourceMap({ ...map, file: "", sourceRoot: "", sourcesContent: [] });
  const byFile = new Map<string, number>();
  for (const { index } of places) {
    const before = code.slice(0, index);
    const line = before.split("\n").length - 1;
    const column = index - (before.lastIndexOf("\n") + 1);
    const found = entries.findEntry(line, column);
    // What stands in a text has no place of its own.
    if (!("originalSource" in found) || found.generatedColumn !== column) continue;
    if (!byFile.has(found.originalSource)) byFile.set(found.originalSource, found.originalLine + 1);
  }
  return [...byFile].map(
    ([file, line]) =>
      `${showPath(file)}:${line} imports a module whose name is only known when it runs; the snapshot may lack it ` +
      "(--no-snapshot, or snapshot: false in a script, imports the files where they are)",
  );
}
