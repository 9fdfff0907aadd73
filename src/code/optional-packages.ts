import { dirname } from "node:path";

import type { BunPlugin } from "bun";

/**
 * What packages ask for only when they run, perhaps inside of a `try`, and what is not installed: drivers, plugins.
 * Empty where a build failed for any other reason.
 */
export function askedInVain(logs: (BuildMessage | ResolveMessage)[]): Set<string> {
  const errors = logs.filter((log) => log.level === "error");
  const asked = errors.flatMap((log) => {
    const isAsked =
      log instanceof ResolveMessage && mayNeverBeAsked(log.importKind, log.position?.file ?? "");
    return isAsked ? [log.specifier] : [];
  });
  return new Set(asked.length === errors.length ? asked : []);
}

/** Leaves such calls to the run, where they fail as they would in the script, if they are made at all. */
export function leaveToTheRun(specifiers: ReadonlySet<string>): BunPlugin {
  const words = [...specifiers].map((specifier) => RegExp.escape(specifier));
  return {
    name: "jobx-optional-packages",
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(?:${words.join("|")})$`) }, ({ path, importer, kind }) =>
        mayNeverBeAsked(kind, importer) && !isThere(path, importer) ? { path, external: true } : undefined,
      );
    },
  };
}

/** Only of packages: what one's own files ask for and do not find is a mistake. */
function mayNeverBeAsked(kind: string, importer: string): boolean {
  return CALLS.includes(kind) && importer.includes("/node_modules/");
}

const CALLS = ["require-call", "require-resolve", "dynamic-import"];

/** For another package it may be. */
function isThere(specifier: string, importer: string): boolean {
  try {
    Bun.resolveSync(specifier, dirname(importer));
    return true;
  } catch {
    return false;
  }
}
