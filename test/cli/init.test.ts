import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as door from "../../src/index.ts";
import * as testDoor from "../../src/plugin-test.ts";
import * as pluginDoor from "../../src/plugin.ts";
import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

async function check(dir: string): Promise<string> {
  const child = Bun.spawn([process.execPath, "check"], { cwd: dir, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return code === 0 ? "" : out + err;
}

const TASKS = `
import { defineTask, jobContext, type TaskContext } from "jobx";

export async function train({ lr }: { lr: number }): Promise<{ loss: number }> {
  return { loss: lr * jobContext().task };
}

export const add = (a: number, b: number) => a + b;

export default defineTask({
  async run(ctx: TaskContext<{ epoch: number }>, epochs: number) {
    let { epoch } = ctx.restored ?? { epoch: 0 };
    for (; epoch < epochs; epoch++) await ctx.save({ epoch });
    return [epoch];
  },
});
`;

/** Same<A, B> is true only where both are one type, \`any\` told from everything else. */
const INFERENCE = `
import { asCompleted, call, command, createExecutor, type Job, JobFailedError, sequence, type Task } from "jobx";
import resume, { add, train } from "./train.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const executor = await createExecutor({ time: "2h", cpus: 4, mem: "8G", slurm: { partition: "gpu" } });
const job = await executor.submit(train, { lr: 0.1 });
same<typeof job, Job<{ loss: number }>>(true);
const sums = await executor.map(add, [1, 2], new Set([3, 4]));
same<typeof sums, Job<number>>(true);
const values = await sums.results();
same<typeof values, number[]>(true);
for await (const task of asCompleted(sums)) same<typeof task, Task<number>>(true);
const text = await (await executor.submit(command(["hostname"]))).result();
same<typeof text, string>(true);
const both = await (await executor.submit(sequence([call(add, 1, 2), call(train, { lr: 1 })]))).result();
same<typeof both, [number, { loss: number }]>(true);
const epochs = await (await executor.submit(resume, 3)).result();
same<typeof epochs, number[]>(true);
try {
  await job.result();
} catch (error) {
  if (error instanceof JobFailedError) console.log(error.selector, error.hint);
}

// @ts-expect-error its argument is an object
await executor.submit(train, 0.1);
// @ts-expect-error it takes two
await executor.map(add, [1, 2]);
// @ts-expect-error there is no such option
await createExecutor({ tiem: "2h" });
`;

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

  test("declares everything that the binary exports, in itself without an error", async () => {
    const dir = join(jobx.root, "whole");
    mkdirSync(dir);
    await jobx.ok(["init", dir]);
    const use = (specifier: string, exports: object) => {
      const names = Object.keys(exports);
      return `import { ${names.join(", ")} } from "${specifier}";\nconsole.log(${names.join(", ")});\n`;
    };
    writeFileSync(join(dir, "api.ts"), use("jobx", door));
    writeFileSync(join(dir, "plugin.ts"), use("jobx/plugin", pluginDoor));
    writeFileSync(join(dir, "test.ts"), use("jobx/plugin/test", testDoor));
    const config = JSON.parse(readFileSync(join(dir, "tsconfig.json"), "utf8"));
    config.compilerOptions.skipLibCheck = false;
    writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
    expect(await check(dir)).toBe("");
  });

  test("lets a type checker infer what a job gives", async () => {
    const dir = join(jobx.root, "inferred");
    mkdirSync(dir);
    await jobx.ok(["init", dir]);
    writeFileSync(join(dir, "train.ts"), TASKS);
    writeFileSync(join(dir, "sweep.ts"), INFERENCE);
    expect(await check(dir)).toBe("");
  });

  test("knows what scripts use of the runtime, and leaves that to the runtime's own types where they are", async () => {
    const dir = join(jobx.root, "runtime");
    mkdirSync(dir);
    await jobx.ok(["init", dir]);
    const script = `import { JobxError } from "jobx";
      if (import.meta.main) console.log(import.meta.dir, process.argv.slice(2).join(" "), process.env["HOME"], JobxError);
      process.exitCode = 3;\n`;
    writeFileSync(join(dir, "script.ts"), script);
    expect(await check(dir)).toBe("");
    const config = JSON.parse(readFileSync(join(dir, "tsconfig.json"), "utf8"));
    config.compilerOptions.types = [join(import.meta.dir, "../../node_modules/bun-types")];
    writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
    writeFileSync(
      join(dir, "more.ts"),
      `import { type Dirent, readdirSync, readFileSync } from "node:fs";
       import { cpus } from "node:os";
       const bytes: Uint8Array = readFileSync("task.ts");
       const entries: Dirent[] = readdirSync(".", { withFileTypes: true });
       const text: string = await new Response(Bun.spawn(["true"], { stdout: "pipe" }).stdout).text();
       console.log(process.hrtime.bigint(), Bun.version, import.meta.main, bytes, entries, text, cpus());\n`,
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
