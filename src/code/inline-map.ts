import type { SourcePlace } from "./code-frame.ts";
import type { SourceMapFile } from "./computed-imports.ts";
import { type Anchor, lineStarts } from "./locate.ts";
import { decodeMappings, encodeMappings, type Segment } from "./source-map.ts";

/** The file that was made around an inline function, and where the function comes from. */
export type Origin = {
  /** The made-up file, its text, and where the function's own text begins in it. */
  file: string;
  text: string;
  begin: number;
  anchors: readonly Anchor[];
  /** The function's own file. */
  source: string;
  content: string;
};

/** A map that leads to the function's own file instead of the one that was made around it, if its places are known. */
export function mapToOrigin(map: SourceMapFile, origin: Origin): SourceMapFile {
  const index = map.sources.indexOf(origin.file);
  if (index < 0 || origin.anchors.length === 0) return map;
  const starts = lineStarts(origin.text);
  const moved = (segment: Segment): Segment => {
    if (segment.source !== index) return segment;
    const offset = (starts[segment.line] ?? 0) + segment.sourceColumn - origin.begin;
    const anchor = anchorAt(origin.anchors, offset);
    return anchor ? { ...segment, line: anchor.line, sourceColumn: anchor.column } : segment;
  };
  return {
    ...map,
    sources: map.sources.with(index, origin.source),
    sourcesContent: map.sourcesContent.with(index, origin.content),
    mappings: encodeMappings(decodeMappings(map.mappings).map((line) => line.map(moved))),
  };
}

/** A place in the made-up file (from 1) as one in the function's own file, with that file's text; null where it is unknown. */
export function placeInOrigin(
  line: number,
  column: number,
  { text, begin, anchors, source, content }: Origin,
): (SourcePlace & { text: string }) | null {
  const anchor = anchorAt(anchors, (lineStarts(text)[line - 1] ?? 0) + column - 1 - begin);
  return anchor ? { file: source, line: anchor.line + 1, column: anchor.column + 1, text: content } : null;
}

/** Line and column of an offset, from 0. */
export function placeOfOffset(text: string, offset: number): { line: number; column: number } {
  const starts = lineStarts(text);
  const line = starts.findLastIndex((start) => start <= offset);
  return { line, column: offset - (starts[line] ?? 0) };
}

/** The last anchor at or before an offset, else the first. */
export function anchorAt(anchors: readonly Anchor[], offset: number): Anchor | undefined {
  return anchors.findLast((anchor) => anchor.offset <= offset) ?? anchors[0];
}
