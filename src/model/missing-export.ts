/** What an import asked for and did not find; `name` is "default" for a default export. */
export type MissingExport = { name: string; module: string };

/** What Bun says that a module does not export; null for any other error. */
export function missingExport(error: unknown): MissingExport | null {
  if (!(error instanceof SyntaxError)) return null;
  const [, name = "default", module] = MISSING.exec(error.message) ?? [];
  return module === undefined ? null : { name, module };
}

/** As Bun says it. */
const MISSING = /^(?:Export named '(.+)' not found|Missing 'default' export) in module '(.+)'\.$/;
