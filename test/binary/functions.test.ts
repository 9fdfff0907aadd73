import { describe, expect, test } from "bun:test";

import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

describe("functions", () => {
  test("a swept function gets the row as one object, after --args, and its values come back", async () => {
    await jobx.file(
      "power.ts",
      `export const power = async (base: number, { exponent }: { exponent: number }) => base ** exponent;\n`,
    );
    const id = await jobx.submit(["--wait", "--args", "[2]", "--sweep", "exponent=1..4", "power.ts#power"]);
    expect(await jobx.json<unknown>(["result", id])).toEqual([2, 4, 8, 16]);
  });

  test("edits made after the submission change nothing", async () => {
    await jobx.file("later.ts", `import { word } from "./word.ts";\nexport default () => word;\n`);
    await jobx.file("word.ts", `export const word = "before";\n`);
    const gate = await jobx.submit(["--", "sh", "-c", "while ! test -e edited; do sleep 0.05; done"]);
    const id = await jobx.submit(["--after", gate, "later.ts"]);
    await jobx.file("word.ts", `export const word = "after";\n`);
    await jobx.file("edited", "");
    await jobx.ok(["wait", id]);
    expect(await jobx.json<unknown>(["result", id])).toBe("before");
  });

  test("an error comes back with its name, message, own fields and the user's own file and line", async () => {
    await jobx.file(
      "fails.ts",
      [
        `type Note = { text: string };`,
        `class DivergedError extends Error {`,
        `  override name = "DivergedError";`,
        `  epoch = 12;`,
        `}`,
        `function train(note: Note) {`,
        `  throw new DivergedError(\`loss is NaN \${note.text}\`);`,
        `}`,
        `export default function main() {`,
        `  const x = train({ text: "!" });`,
        `  return x;`,
        `}`,
      ].join("\n"),
    );
    const ran = await jobx.run(["submit", "--wait", "fails.ts"]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("DivergedError: loss is NaN !");
    const result = await jobx.run(["result", "last"]);
    expect(result.code).toBe(1);
    const shown = await jobx.ok(["logs", "--stderr", "last"]);
    expect(shown).toContain("fails.ts:7");
    expect(shown).toContain("fails.ts:10");
    expect(shown).not.toContain("$bunfs");
  });

  test("a module with `require.main === module` does not take itself for the program inside a job", async () => {
    await jobx.file(
      "common.cjs",
      `exports.isMain = () => require.main === module;\nif (require.main === module) throw new Error("ran");\n`,
    );
    for (const how of [["--snapshot"], ["--no-snapshot"], ["-e", "debug"]]) {
      const id = await jobx.submit(["--wait", ...how, "common.cjs#isMain"]);
      expect(await jobx.json<unknown>(["result", id])).toBe(false);
    }
  });

  test("jobContext() tells a function who it is", async () => {
    await jobx.file(
      "who.ts",
      `import { jobContext } from "jobx";\nexport default () => { const c = jobContext(); return [c.job, c.task, c.rank, c.attempt, c.executor]; };\n`,
    );
    const id = await jobx.submit(["--wait", "--array", "0-1", "who.ts"]);
    expect(await jobx.json<unknown>(["result", id])).toEqual([
      [Number(id), 0, 0, 0, "local"],
      [Number(id), 1, 0, 0, "local"],
    ]);
  });

  test("an export that is not there is refused at submission, with and without a snapshot", async () => {
    await jobx.file("one.ts", "export const train = () => 1;\n");
    for (const words of [["one.ts#trian"], ["--no-snapshot", "one.ts#trian"], ["--no-snapshot", "one.ts"]]) {
      const ran = await jobx.run(["submit", ...words]);
      expect([ran.code, ran.err]).toEqual([2, expect.stringContaining("it exports train")]);
    }
  });

  test("output, console and children of a function go to its own log", async () => {
    await jobx.file(
      "prints.ts",
      `export default function ({ index }: { index: number }) {
         console.log("log", index);
         process.stdout.write("write " + index + "\\n");
         Bun.spawnSync(["echo", "child", String(index)], { stdout: "inherit" });
         console.error("problem", index);
       }\n`,
    );
    const id = await jobx.submit(["--wait", "--array", "0-2", "prints.ts"]);
    for (const index of [0, 1, 2]) {
      expect(await jobx.ok(["logs", "--stdout", `${id}.${index}`])).toBe(
        `log ${index}\nwrite ${index}\nchild ${index}\n`,
      );
      expect(await jobx.ok(["logs", "--stderr", `${id}.${index}`])).toBe(`problem ${index}\n`);
    }
  });

  test("a function that ends its process, loops for ever or crashes costs its own task only", async () => {
    await jobx.file(
      "bad.ts",
      `export default function ({ index }: { index: number }) {
         if (index === 1) process.exit(3);
         if (index === 2) for (;;) {}
         if (index === 3) process.kill(process.pid, "SIGKILL");
         return index;
       }\n`,
    );
    const id = await jobx.submit(["--array", "0-5", "--time", "2s", "bad.ts"]);
    expect((await jobx.run(["wait", id])).code).toBe(1);
    const { tasks } = await jobx.json<{
      tasks: { state: string; reason: string | null; exitCode: number | null }[];
    }>(["status", "--tasks", id]);
    expect(tasks.map((task) => task.state)).toEqual([
      "succeeded",
      "failed",
      "timeout",
      "failed",
      "succeeded",
      "succeeded",
    ]);
    expect(tasks[1]?.exitCode).toBe(3);
    expect(tasks[3]?.reason).toContain("SIGKILL");
  }, 30_000);

  test("what cannot be a task is refused at submit, with the reason", async () => {
    await jobx.file(
      "odd.ts",
      `export function* gen() {}\nexport const seven = 7;\nexport class Model {}\nexport const fine = () => 1;\n`,
    );
    for (const [reference, word] of [
      ["odd.ts#gen", "generator"],
      ["odd.ts#nothing", "fine"],
      ["odd.ts#seven", "seven"],
      ["missing.ts", "missing.ts"],
    ] as const) {
      const ran = await jobx.run(["submit", "--wait", reference]);
      expect(ran.code).not.toBe(0);
      expect(ran.err).toContain(word);
      expect(ran.err).not.toContain("    at ");
    }
  });

  test("a result that cannot be stored is a failed task that names its path", async () => {
    await jobx.file("holds.ts", `export default () => ({ model: { fit: () => 1 } });\n`);
    const ran = await jobx.run(["submit", "--wait", "holds.ts"]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("model.fit");
  });

  test("values that JSON has not survive, large ones in a file of their own", async () => {
    await jobx.file(
      "values.ts",
      `export const rich = () => ({ when: new Date(0), map: new Map([[1, new Set([2n])]]), gone: undefined });
       export const large = () => new Float64Array(300_000).fill(1.5);\n`,
    );
    const large = await jobx.submit(["--wait", "values.ts#large"]);
    const out = await jobx.json<unknown>(["result", large]);
    expect(JSON.stringify(out).length).toBeGreaterThan(600_000);
    const rich = await jobx.submit(["--wait", "values.ts#rich"]);
    expect(JSON.stringify(await jobx.json<unknown>(["result", rich]))).toContain("1970-01-01T00:00:00.000Z");
  });
});
