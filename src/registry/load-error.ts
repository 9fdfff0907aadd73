import { JobxError, messageOf } from "../errors.ts";
import { placeInPlugin, PLUGIN_NAMESPACE } from "../executor/plugin-place.ts";
import { missingExport } from "../model/missing-export.ts";
import { nearest } from "../model/nearest.ts";
import { importLine, lineWith } from "./source-line.ts";

/** Why a plugin file does not load: what, where (`file:line`, as far as that is known), and what to do. */
export async function loadError(file: string, error: unknown): Promise<JobxError> {
  const { what, place, hint } = await explain(file, error);
  const isOwn = place?.startsWith(`${file}:`);
  const where = place !== null && !isOwn ? `${place}: ` : "";
  return new JobxError("PLUGIN", `The plugin ${isOwn ? place : file} does not load: ${where}${what}`, {
    hint: hint ?? `Mend it there; \`jobx plugins test ${file}\` tries it`,
    cause: error,
  });
}

/** `file:line` of what a plugin's file exports, where that can be found. */
export function exportPlace(file: string): string {
  return lineWith(file, /^export default\b/) ?? lineWith(file, /^export\b/) ?? file;
}

type Explained = { what: string; place: string | null; hint?: string };

async function explain(file: string, thrown: unknown): Promise<Explained> {
  const error = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  if (error instanceof ResolveMessage) {
    const importer = error.referrer.replace(PLUGIN_NAMESPACE, "");
    return {
      what: `it imports ${JSON.stringify(error.specifier)}, and there is no such package`,
      place: importLine(importer, error.specifier),
      hint: "A plugin can import jobx/plugin, built-in modules and files beside it, but no packages",
    };
  }
  if (error instanceof BuildMessage && error.position) {
    const { file: path, line, column } = error.position;
    return { what: error.message, place: `${path.replace(PLUGIN_NAMESPACE, "")}:${line}:${column}` };
  }
  const missing = missingExport(error);
  if (missing && missing.name !== "default") {
    const from = missing.module.replace(PLUGIN_NAMESPACE, "");
    return {
      what: `${from} has no ${missing.name}`,
      place: lineWith(file, new RegExp(`\\b${RegExp.escape(missing.name)}\\b`)),
      hint: await nameHint(missing.name, from),
    };
  }
  return { what: messageOf(error), place: placeInPlugin(error) };
}

async function nameHint(name: string, module: string): Promise<string | undefined> {
  if (module !== "jobx/plugin") return undefined;
  const near = nearest(name, Object.keys(await import("../plugin.ts")));
  const types = "types are imported by `import type`";
  return near === null ? `\`jobx help plugins\` says what there is; ${types}` : `Did you mean ${near}?`;
}
