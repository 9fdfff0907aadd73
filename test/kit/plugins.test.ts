import { describe, expect, test } from "bun:test";
import { join } from "node:path";

import debug from "../../plugins/debug.ts";
import local from "../../plugins/local.ts";
import lsf from "../../plugins/lsf.ts";
import pbs from "../../plugins/pbs.ts";
import sge from "../../plugins/sge.ts";
import slurm from "../../plugins/slurm.ts";
import executor from "../../src/cli/plugins/executor.ts.txt" with { type: "text" };
import { testPlugin } from "../../src/plugin-test.ts";
import { GOOD, loadText, runKit } from "../helpers/kit.ts";
import { tempDir } from "../helpers/temp.ts";

const PATIENCE_MS = 120_000;
const folder = tempDir("scaffolds");

describe("the plugins that are built in keep the contract:", () => {
  test.concurrent.each([slurm, sge, pbs, lsf].map((plugin) => [plugin.name, plugin] as const))(
    "%s, on the pretended scheduler too",
    async (_, plugin) => {
      expect((await runKit(folder, plugin, ["pure", "fake"])).failures).toEqual([]);
    },
    PATIENCE_MS,
  );

  test.concurrent.each([local, debug].map((plugin) => [plugin.name, plugin] as const))(
    "%s, with real jobs on this machine",
    async (_, plugin) => {
      expect((await runKit(folder, plugin, ["pure", "live"])).failures).toEqual([]);
    },
    PATIENCE_MS,
  );
});

describe("what `jobx plugins new` writes passes its own test:", () => {
  test.concurrent(
    "a scheduler",
    async () => {
      const report = await runKit(folder, await loadText(folder, GOOD), ["pure", "fake"]);
      expect(report.failures).toEqual([]);
    },
    PATIENCE_MS,
  );

  test.concurrent(
    "a scheduler of which only jobs of one task are left",
    async () => {
      const text = GOOD.replace(/capabilities: \{.*?\},/, "capabilities: {},");
      const report = await runKit(folder, await loadText(folder, text), ["pure", "fake"]);
      expect(report.failures).toEqual([]);
      const tried = report.outcomes.filter(({ state }) => state === "passed").map(({ rule }) => rule);
      expect(tried).toContain("calls.few");
    },
    PATIENCE_MS,
  );

  test.concurrent(
    "an executor, with real jobs on this machine",
    async () => {
      const report = await runKit(folder, await loadText(folder, executor), ["pure", "live"]);
      expect(report.failures).toEqual([]);
    },
    PATIENCE_MS,
  );
});

test("what is left out says why, and the door for other people's tests gives the same report", async () => {
  const report = await testPlugin(local, { levels: ["pure", "fake"] });
  expect(report).toMatchObject({ plugin: "local", passed: true, failures: [] });
  const leftOut = report.outcomes.filter(({ state }) => state === "left out");
  expect(leftOut.length).toBeGreaterThan(40);
  expect(leftOut.every(({ why }) => why !== null && why !== "")).toBe(true);
});

test("the worked example of the documentation is what new writes, which passes its test", async () => {
  const readme = await Bun.file(join(import.meta.dir, "..", "..", "plugins", "README.md")).text();
  const [, example] =
    /## A complete one\n[^`]*`jobx plugins new mysite`[^`]*```ts\n(.*?)\n```\n/s.exec(readme) ?? [];
  expect(`${example}\n`).toBe(GOOD);
});
