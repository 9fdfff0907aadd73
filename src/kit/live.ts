import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeRun } from "../executor/run.ts";
import { Bench, makeHome } from "./bench.ts";
import type { Case } from "./case.ts";
import type { KitOptions } from "./kit.ts";
import { LIFE } from "./life.ts";

/** The life of jobs on the scheduler that is there. */
export function liveCases(options: KitOptions): Case[] {
  const { runtime, env, settings = {}, log } = options;
  const run = makeRun({ env, log });
  return LIFE.map(({ rule, title, skip, run: live }) => ({
    rule,
    title,
    skip,
    async run({ executor }) {
      const folder = mkdtempSync(join(options.folder ?? tmpdir(), "jobx-kit-"));
      const home = makeHome(folder, "home");
      const bench = new Bench(executor, { home, runtime, env, run, settings, isLive: true });
      try {
        await live(bench);
      } finally {
        await bench.cancelAll();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  }));
}
