import { ownRuntime } from "./config/services.ts";
import type { Executor } from "./executor/contract.ts";
import { type KitOptions, type Report, testPlugin as runKit } from "./kit/kit.ts";
import { guarded } from "./registry/guard.ts";

/**
 * The public door to the conformance kit, `jobx/plugin/test`, for a plugin's own tests under `bun test`:
 *
 *     import { expect, test } from "bun:test";
 *     import { testPlugin } from "jobx/plugin/test";
 *     import plugin from "./mysite.ts";
 *
 *     test("mysite keeps the contract", async () => {
 *       expect((await testPlugin(plugin)).failures).toEqual([]);
 *     }, 120_000);
 */
export type { Level } from "./kit/case.ts";
export type { KitOptions, Outcome, Report } from "./kit/kit.ts";

/** Runs a plugin through the contract: by default all but `live`, with this very jobx as the worker of its jobs. */
export async function testPlugin(plugin: Executor, options: Partial<KitOptions> = {}): Promise<Report> {
  return runKit(guarded(plugin, plugin.name), { runtime: ownRuntime(), env: process.env, ...options });
}
