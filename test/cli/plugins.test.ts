import { describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { TestJobx } from "../helpers/jobx.ts";

type Report = {
  plugin: string;
  passed: boolean;
  failures: string[];
  outcomes: { rule: string; state: string }[];
};

const jobx = new TestJobx();
const folder = join(jobx.root, ".config", "jobx", "plugins");

test("new writes a plugin to the user's folder that passes its own test, from an empty folder on", async () => {
  expect(await jobx.ok(["plugins", "new", "mysite", "-q"])).toBe(`${join(folder, "mysite.ts")}\n`);
  const [report] = await jobx.json<Report[]>(["plugins", "test", "--only", "s"]);
  expect(report).toMatchObject({ plugin: "mysite", passed: true, failures: [] });
  const out = await jobx.ok(["plugins", "test", "mysite", "--only", "submit"]);
  expect(out).toStartWith("TAP version 14\n# mysite, ");
  expect(out).toMatch(/^ok 1 - pure submit\.answers: /m);
  expect(out).toMatch(/^# mysite: \d+ passed, 0 failed, \d+ left out\n1\.\.\d+\n$/m);
  expect(await jobx.ok(["plugins", "-q"])).toContain("mysite\n");
});

test("a dry run shows the script of a scheduler that is not on this machine, and a submission writes nothing", async () => {
  const words = ["submit", "-e", "mysite", "-t", "5", "--array", "0-9"];
  const planned = await jobx.run([...words, "--dry-run", "--", "./work.sh"]);
  expect(planned).toMatchObject({
    code: 0,
    err: expect.stringContaining("mysub, mystat, mydel are not on PATH"),
  });
  expect(planned.out).toContain("$ mysub --name=work.sh ");
  expect(planned.out).toContain("--array=0-9");
  expect(planned.out).toContain("  #!/bin/bash\n");
  const refused = await jobx.run([...words, "--", "./work.sh"]);
  expect(refused).toMatchObject({ code: 3, out: "" });
  expect(refused.err).toContain("mysite is not on this machine: mysub, mystat, mydel are not on PATH");
  expect(existsSync(join(jobx.home, "jobs"))).toBe(false);
});

test("a plugin that breaks the contract ends with exit code 1 and is told which rule", async () => {
  const text = readFileSync(join(folder, "mysite.ts"), "utf8").replace("if (code !== 0)", "if (code === 99)");
  const file = await jobx.file("broken.ts", text);
  const ran = await jobx.run(["plugins", "test", "./broken.ts", "--only", "status"]);
  expect(ran.code).toBe(1);
  expect(ran.out).toMatch(/^not ok \d+ - pure status\.failure: /m);
  expect(ran.out).toContain("    mystat.parse of exit code 1");
  expect(await jobx.run(["plugins", "test", file, "-q", "--only", "status"])).toMatchObject({
    code: 1,
    out: "status.failure\n",
  });
});

test("new and eject never write over a file", async () => {
  writeFileSync(join(folder, "mine.ts"), "// mine");
  const ran = await jobx.run(["plugins", "new", "mine"]);
  expect(ran).toMatchObject({ code: 3, err: expect.stringContaining("mine.ts is there already") });
  expect(readFileSync(join(folder, "mine.ts"), "utf8")).toBe("// mine");
});

test.each([
  [["new"], "Which plugin? None was named"],
  [["new", "Bad Name"], "cannot be the name of a plugin"],
  [["new", "slurm"], "jobx plugins eject slurm"],
  [["new", "a", "b"], 'does not take "b"'],
  [["list", "--live"], "takes no --live"],
  [["tset"], "jobx plugins test tset"],
  [["test", "mysite", "--only", "nothing.such"], 'No rule begins with "nothing.such"'],
])("jobx plugins %j is refused with a word", async (words, says) => {
  expect(await jobx.run(["plugins", ...words])).toMatchObject({
    code: 2,
    err: expect.stringContaining(says),
  });
});

test("what is not there is said with exit code 4", async () => {
  for (const words of [
    ["test", "./gone.ts"],
    ["test", "gone"],
    ["eject", "slurmm"],
  ]) {
    expect((await jobx.run(["plugins", ...words])).code).toBe(4);
  }
});

test("new --kind executor writes one with full control, and --dir puts it elsewhere", async () => {
  mkdirSync(join(jobx.cwd, "mine"));
  await jobx.ok(["plugins", "new", "direct", "--kind", "executor", "--dir", "mine"]);
  expect(readFileSync(join(jobx.cwd, "mine", "direct.ts"), "utf8")).toContain("defineExecutor({");
  const env = { JOBX_PLUGIN_PATH: join(jobx.cwd, "mine") };
  expect(
    await jobx.ok(["submit", "--wait", "-q", "-e", "direct", "--array", "0-2", "--", "true"], { env }),
  ).toBe("1\n");
});

test.each(["scheduler", "executor"])(
  "new --kind %s writes a file that is formatted, and whose types are right by the declarations of init alone",
  async (kind) => {
    const dir = join(jobx.root, kind);
    mkdirSync(dir);
    await jobx.ok(["plugins", "new", "mysite", "--kind", kind, "--dir", dir]);
    await jobx.ok(["init", dir]);
    copyFileSync(join(import.meta.dir, "../../bunfig.toml"), join(dir, "bunfig.toml"));
    for (const words of [["check"], ["fmt", "--check", "mysite.ts"]]) {
      const child = Bun.spawn([process.execPath, ...words], { cwd: dir, stdout: "pipe", stderr: "pipe" });
      const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      expect({ words, code, said: code === 0 ? "" : out + err }).toEqual({ words, code: 0, said: "" });
    }
  },
);

test("the door for a plugin's own tests is open to scripts that run in the binary", async () => {
  await jobx.file(
    "tried.ts",
    `import { testPlugin } from "jobx/plugin/test";
     import plugin from ${JSON.stringify(join(folder, "mysite.ts"))};
     const { passed, plugin: name } = await testPlugin(plugin, { levels: ["pure"] });
     console.log(name, passed);\n`,
  );
  expect(await jobx.ok(["run", "tried.ts"])).toBe("mysite true\n");
});

describe("eject writes a built-in one's source, which loads and passes as it is:", () => {
  test.each(["slurm", "sge", "local", "debug"])("%s", async (name) => {
    await jobx.ok(["plugins", "eject", name, "--dir", "ejected"]);
    const [report] = await jobx.json<Report[]>(["plugins", "test", `ejected/${name}.ts`, "--only", "s"]);
    expect(report).toMatchObject({ plugin: name, passed: true });
    expect(report?.outcomes.some(({ state }) => state === "passed")).toBe(true);
  });
});

test("a plugin that others could have written is refused by name with exit code 3, and the chmod to run", async () => {
  const file = await jobx.file("loose.ts", "export default 5;");
  chmodSync(file, 0o666);
  const ran = await jobx.run(["plugins", "test", "./loose.ts"]);
  expect(ran).toMatchObject({ code: 3, err: expect.stringContaining(`chmod go-w ${file}`) });
});
