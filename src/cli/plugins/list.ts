import type { PluginListing, Registry } from "../../registry.ts";
import type { CliContext } from "../context.ts";
import type { Style } from "../output.ts";
import { printable } from "../printable.ts";
import { registryFor } from "../services.ts";
import { type Column, outputWidth, renderTable } from "../table.ts";

/** `jobx plugins list`: every executor, where it is from, and why it did not load. */
export async function listPlugins(context: CliContext): Promise<void> {
  const registry = registryFor(context);
  const lines = await registry.list();
  const { output } = context;
  output.result({
    json: {
      plugins: lines,
      folders: registry.folders.map(({ files, ...folder }) => ({ ...folder, files: files.length })),
    },
    quiet: lines.filter((line) => line.state === "loaded").map((line) => line.name),
    text: () => tableOf(lines, output.style),
  });
  for (const line of lines.filter(isUntried))
    output.note(`${output.errStyle.bold(line.name)} is ${line.untried}`);
  // The files of a refused folder have their reason in common, so it is said once.
  const refused = new Set(registry.folders.flatMap(({ problem, files }) => (problem ? files : [])));
  const unusual = lines.filter((line) => line.state !== "loaded" && !refused.has(line.from));
  for (const line of unusual) output.note(explain(line, output.errStyle));
  for (const text of folderNotes(registry)) output.note(text);
}

const COLUMNS: Column[] = [
  { title: "NAME" },
  { title: "STATE" },
  { title: "FROM" },
  { title: "DESCRIPTION", shrink: 20 },
];

const PAINT = { loaded: "green", shadowed: "dim", broken: "red" } as const;

function tableOf(lines: PluginListing[], style: Style): string {
  const rows = lines.map((line) => [
    line.name,
    isUntried(line) ? style.yellow("untried") : style[PAINT[line.state]](line.state),
    printable(line.from),
    printable(line.description ?? ""),
  ]);
  return renderTable(COLUMNS, rows, { width: outputWidth(), title: style.dim });
}

function isUntried({ state, untried }: PluginListing): boolean {
  return state === "loaded" && untried !== null;
}

function explain(line: PluginListing, style: Style): string {
  const why = `${style.bold(line.name)} is ${line.state}: ${line.why ?? "nothing says why"}`;
  return line.hint ? `${why}\n  ${line.hint}` : why;
}

function folderNotes(registry: Registry): string[] {
  return registry.folders.flatMap(({ path, from, problem }) => {
    if (!problem) return [];
    const mend = problem.mend ? `\n  Mend it with: ${problem.mend}` : "";
    return [`The plugin folder ${printable(path)} (${from}) is not used: ${problem.why}${mend}`];
  });
}
