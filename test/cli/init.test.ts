import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import * as door from "../../src/index.ts";
import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();
const root = resolve(import.meta.dir, "../..");

async function check(dir: string): Promise<string> {
  const child = Bun.spawn([process.execPath, "check"], { cwd: dir, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return code === 0 ? "" : out + err;
}

describe("jobx init", () => {
  test("lets a type checker know what a task file imports", async () => {
    await jobx.ok(["init"]);
    expect(readdirSync(jobx.cwd).sort()).toEqual(["jobx.d.ts", "tsconfig.json"]);
    await jobx.file(
      "task.ts",
      `import { jobContext } from "jobx";\nexport default () => jobContext().task + 1;\n`,
    );
    expect(await check(jobx.cwd)).toBe("");
    await jobx.file(
      "wrong.ts",
      `import { jobContext } from "jobx";\nexport const x: string = jobContext().task;\n`,
    );
    expect(await check(jobx.cwd)).toContain("wrong.ts");
  });

  test("tells the types that the binary has", async () => {
    const dir = join(jobx.root, "same");
    mkdirSync(dir);
    await jobx.ok(["init", dir]);
    const declared = readFileSync(join(dir, "jobx.d.ts"), "utf8");
    for (const name of Object.keys(door))
      expect(declared).toMatch(new RegExp(`export (function|class) ${name}\\b`));
    const config = JSON.parse(readFileSync(join(dir, "tsconfig.json"), "utf8"));
    config.compilerOptions.types = [join(root, "node_modules", "bun-types")];
    writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
    const real = join(root, "src", "index.ts");
    writeFileSync(
      join(dir, "same.ts"),
      `import type * as Declared from "jobx";
       import type * as Real from ${JSON.stringify(real)};
       type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
       export const context: Same<Declared.JobContext, Real.JobContext> = true;
       export const code: Same<Declared.ErrorCode, Real.ErrorCode> = true;
       export const call: Same<typeof Declared.jobContext, typeof Real.jobContext> = true;
       export const error: Same<keyof Declared.JobxError, keyof Real.JobxError> = true;\n`,
    );
    expect(await check(dir)).toBe("");
  });

  test("keeps a tsconfig that is there, and never writes over somebody's own jobx.d.ts", async () => {
    const dir = join(jobx.root, "kept");
    mkdirSync(dir);
    writeFileSync(join(dir, "tsconfig.json"), "{}");
    expect(await jobx.ok(["init", dir])).toContain("Kept");
    await jobx.ok(["init", dir]);
    expect(readFileSync(join(dir, "tsconfig.json"), "utf8")).toBe("{}");
    writeFileSync(join(dir, "jobx.d.ts"), "// mine\n");
    expect((await jobx.run(["init", dir])).code).toBe(3);
    expect(readFileSync(join(dir, "jobx.d.ts"), "utf8")).toBe("// mine\n");
  });
});
