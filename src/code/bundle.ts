import { basename, resolve } from "node:path";

import type { BuildArtifact, BunPlugin } from "bun";

import { JobxError } from "../errors.ts";
import { buildError } from "./build-error.ts";
import type { SourcePlace } from "./code-frame.ts";
import { findComputedImports, type SourceMapFile } from "./computed-imports.ts";
import { askedInVain, leaveToTheRun } from "./optional-packages.ts";
import {
  ASSET_EXPRESSION,
  ASSET_PREFIX,
  keepOriginalPaths,
  ORIGINAL_PATH_NAMES,
  type RewrittenFile,
} from "./original-paths.ts";

/** A module with everything it imports, as one file and its assets. */
export type Bundle = {
  /** index.js, source map inside. */
  code: string;
  /** Files that the code expects beside it, by name. */
  assets: Map<string, Uint8Array>;
  exports: string[];
  /** The module was written with `module.exports`, whose names are only known when it runs. */
  commonjs: boolean;
  /** What the bundle may not carry, in words. */
  warnings: string[];
};

export type BundleOptions = {
  /** Files below this folder are told the places that they have in the snapshot. */
  copied?: string | null;
  /** The text of a file that is not on disk. */
  inline?: InlineModule;
};

/** Code that stands in no file of its own: its imports are resolved, and its places told, by another file. */
export type InlineModule = {
  text: string;
  mapBack(map: SourceMapFile): SourceMapFile;
  /** A place in `text` (from 1) as one in the other file; null where it is unknown. */
  placeOf(line: number, column: number): (SourcePlace & { text: string }) | null;
};

/**
 * Bundles a module: packages included, what jobx itself provides left out, names and lines kept, paths
 * as the author's files would see them. The same files give the same bytes from any current folder.
 * Throws USAGE with file, line and code frame when the code does not build, or cannot be carried.
 */
export async function bundleModule(file: string, { copied, inline }: BundleOptions = {}): Promise<Bundle> {
  const rewritten = new Map<string, RewrittenFile>();
  const config = {
    entrypoints: [file],
    ...(inline ? { files: { [file]: inline.text } } : {}),
    target: "bun",
    format: "esm",
    minify: { whitespace: true },
    sourcemap: "inline",
    metafile: true,
    throw: false,
    env: "disable",
    publicPath: ASSET_PREFIX.slice(1),
    naming: { entry: "index.[ext]", asset: "[name]-[hash].[ext]" },
    // NODE_ENV stays what it is when the task runs.
    define: { ...ORIGINAL_PATH_NAMES, "process.env.NODE_ENV": "process.env.NODE_ENV" },
    plugins: [ownModules, keepOriginalPaths(rewritten, { copied: copied ?? null, madeUp: inline && file })],
  } satisfies Bun.BuildConfig;
  let build = await Bun.build(config);
  const asked = askedInVain(build.logs);
  if (asked.size > 0) {
    build = await Bun.build({ ...config, plugins: [...config.plugins, leaveToTheRun(asked)] });
  }
  const entry = build.outputs.find((output) => output.kind === "entry-point");
  if (!build.success || !entry) throw buildError(file, build.logs, rewritten, inline?.placeOf);
  const inputs = Object.keys(build.metafile?.inputs ?? {});
  refuseAddons(file, inputs);
  const { code, map: built } = splitMap(await entry.text(), rewritten);
  const map = inline ? inline.mapBack(built) : built;
  const outputs = Object.values(build.metafile?.outputs ?? {});
  const format = Object.entries(build.metafile?.inputs ?? {}).find(([path]) => resolve(path) === file)?.[1]
    .format;
  return {
    code: joinMap(code, map),
    assets: await assetsOf(build.outputs.filter((output) => output !== entry)),
    exports: outputs.find((output) => output.entryPoint !== undefined)?.exports ?? [],
    commonjs: format === "cjs",
    warnings: findComputedImports(code, map),
  };
}

/** The modules that the program which runs the bundle provides; a tsconfig's `paths` must not replace them. */
const ownModules: BunPlugin = {
  name: "jobx-own-modules",
  setup(build) {
    build.onResolve({ filter: /^jobx(\/plugin(\/test)?)?$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** Takes the map off the code; sources become absolute, contents original, the debug id (a hash of paths) goes. */
function splitMap(text: string, rewritten: Map<string, RewrittenFile>): { code: string; map: SourceMapFile } {
  const marker = "sourceMappingURL=data:application/json;base64,";
  const at = text.lastIndexOf(marker);
  const end = text.lastIndexOf("\n//# debugId=");
  if (at < 0 || end < 0) throw new JobxError("BUG", "The bundler gave no source map");
  const raw: SourceMapFile = JSON.parse(Buffer.from(text.slice(at + marker.length), "base64").toString());
  const sources = raw.sources.map((source) => resolve(source));
  const sourcesContent = raw.sourcesContent.map(
    (content, index) => rewritten.get(sources[index] ?? "")?.text ?? content,
  );
  return {
    code: text.slice(0, end).replaceAll(ASSET_PREFIX, ASSET_EXPRESSION),
    map: { version: raw.version, sources, sourcesContent, mappings: raw.mappings, names: raw.names },
  };
}

function joinMap(code: string, map: SourceMapFile): string {
  const encoded = Buffer.from(JSON.stringify(map)).toString("base64");
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${encoded}\n`;
}

async function assetsOf(outputs: BuildArtifact[]): Promise<Map<string, Uint8Array>> {
  const assets = new Map<string, Uint8Array>();
  for (const output of outputs) assets.set(basename(output.path), new Uint8Array(await output.arrayBuffer()));
  return assets;
}

function refuseAddons(file: string, inputs: string[]): void {
  const addons = inputs.filter((path) => path.endsWith(".node")).map((path) => resolve(path));
  if (addons.length === 0) return;
  throw new JobxError("USAGE", `${file} needs the native addon ${addons[0]}, which a snapshot cannot carry`, {
    hint: "Submit with --no-snapshot: the task then imports the files where they are",
  });
}
