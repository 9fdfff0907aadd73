import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { TestJobx } from "../helpers/jobx.ts";
import { pathWithoutSchedulers } from "../helpers/path.ts";

// A scheduler that is installed here, and may be down, has tests of its own.
const jobx = new TestJobx({ PATH: pathWithoutSchedulers() });

type Check = { name: string; verdict: string; detail: string; mend: string | null };

async function probe(words: string[], env = {}): Promise<{ code: number; checks: Check[] }> {
  const ran = await jobx.run(["--json", "doctor", "--probe", ...words], { env });
  const checks = (JSON.parse(ran.out) as Check[]).filter(({ name }) => name.startsWith("probe"));
  return { code: ran.code, checks };
}

for (const executor of ["local", "debug"]) {
  test(`a probe of ${executor} tells how long each stage took, and leaves no job`, async () => {
    const { code, checks } = await probe(["-e", executor]);
    expect(code).toBe(0);
    expect(checks.map(({ name, verdict }) => [name, verdict])).toEqual([
      ["probe", "ok"],
      ["probe start", "ok"],
      ["probe record", "ok"],
      ["probe removal", "ok"],
    ]);
    expect(checks[0]?.detail).toMatch(new RegExp(`^${executor} took job \\d+ .* in [\\d.]+m?s$`));
    expect(await jobx.json<unknown[]>(["list"])).toEqual([]);
  });
}

test("a probe that has not ended in time is cancelled, removed, and said to have failed", async () => {
  const { code, checks } = await probe(["--timeout", "0s"], { JOBX_SETUP: "sleep 600" });
  expect(code).toBe(1);
  expect(checks.map(({ name, verdict }) => [name, verdict])).toEqual([
    ["probe", "ok"],
    ["probe end", "fail"],
    ["probe removal", "ok"],
  ]);
  expect(checks[1]?.detail).toContain("after 0s");
});

test("a probe that is not accepted says why, and what to do", async () => {
  const { code, checks } = await probe(["-e", "nowhere"]);
  expect(code).toBe(1);
  expect(checks).toHaveLength(1);
  expect(checks[0]).toMatchObject({ verdict: "fail", mend: expect.stringContaining("local") });
  expect(checks[0]?.detail).toContain('no executor "nowhere"');
});

test("a doctor without a probe writes nothing, and refuses what only a probe needs", async () => {
  const home = join(jobx.root, "untouched");
  expect((await jobx.run(["--home", home, "doctor"])).code).toBe(0);
  expect(existsSync(home)).toBe(false);
  const refused = await jobx.run(["doctor", "-e", "local"]);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("--executor is for --probe")]);
});
