import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { checkHome, fileSystemOf } from "../../src/cli/doctor/home.ts";
import { checkPinned, checkQueueFolder } from "../../src/cli/doctor/machine.ts";
import { checkPlugins } from "../../src/cli/doctor/plugins.ts";
import { checkChoice, checkSchedulers, examineSchedulers } from "../../src/cli/doctor/schedulers.ts";
import { makeRun } from "../../src/executor/run.ts";
import { openRegistry } from "../../src/registry.ts";
import { tempDir } from "../helpers/temp.ts";

const root = tempDir("doctor");
let made = 0;

function folder(mode = 0o700): string {
  const path = join(root, String(made++));
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

test("a private home is fine, and nothing is left in it", () => {
  const home = folder();
  expect(checkHome(home).map(({ name, verdict }) => [name, verdict])).toEqual([
    ["home", "ok"],
    ["privacy", "ok"],
    ["space", "ok"],
    ["clock", "ok"],
  ]);
  expect([...new Bun.Glob("**").scanSync({ cwd: home, dot: true })]).toEqual([]);
});

test("a home that is still to be made is judged by where it will stand, and not made", () => {
  const home = join(folder(), "a", "b");
  expect(checkHome(home)[0]).toMatchObject({
    verdict: "ok",
    detail: `${home}, made by the first submission`,
  });
  expect(existsSync(home)).toBe(false);
});

test("a home that others can read or write is pointed out with the chmod to run", () => {
  const open = folder(0o755);
  expect(checkHome(open)[1]).toMatchObject({ verdict: "warn", mend: `chmod go-rwx ${open}` });
  const shared = folder(0o770);
  expect(checkHome(shared)[1]).toMatchObject({ verdict: "warn", mend: `chmod go-w ${shared}` });
});

test("a home that is shared with its group is fine", () => {
  const home = folder(0o750);
  mkdirSync(join(home, "jobs"), { mode: 0o750 });
  expect(checkHome(home)[1]).toMatchObject({ verdict: "ok", detail: expect.stringContaining("its group") });
});

test("a home that is a file fails, and the rest is not looked at", () => {
  const file = join(folder(), "file");
  writeFileSync(file, "");
  expect(checkHome(file)).toMatchObject([
    { name: "home", verdict: "fail", detail: `${file} is not a folder` },
  ]);
});

test("the file system is that of the longest mount point above a path", () => {
  const mounts = [
    "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw",
    "30 22 0:40 / /home rw shared:2 - nfs4 server:/home rw",
    "31 30 0:41 / /home/a\\040b rw - lustre x rw",
  ].join("\n");
  expect(fileSystemOf("/home/me", mounts)).toBe("nfs4");
  expect(fileSystemOf("/homes", mounts)).toBe("ext4");
  expect(fileSystemOf("/home/a b/c", mounts)).toBe("lustre");
  expect(fileSystemOf("/", mounts)).toBe("ext4");
  expect(fileSystemOf("/x", "")).toBeNull();
});

test("the queue's folder must be the user's alone", () => {
  const base = folder();
  expect(checkQueueFolder({ JOBX_RUNTIME_DIR: base })).toMatchObject({ verdict: "ok", detail: base });
  const open = folder(0o777);
  expect(checkQueueFolder({ JOBX_RUNTIME_DIR: open })).toMatchObject({
    verdict: "fail",
    mend: `chmod 700 ${open}`,
  });
  expect(checkQueueFolder({ JOBX_RUNTIME_DIR: join(base, "later") }).verdict).toBe("ok");
});

test("pinned runtimes are counted", () => {
  const home = folder();
  expect(checkPinned(home).detail).toStartWith("none yet");
  mkdirSync(join(home, "bin"));
  writeFileSync(join(home, "bin", "jobx-1-x"), "12345");
  expect(checkPinned(home).detail).toStartWith("1 runtime, 5 B");
});

test("schedulers on PATH are asked for their version, and need an executor", async () => {
  const bin = folder();
  const env = { PATH: bin };
  const run = makeRun({ env });
  expect(await checkSchedulers({ PATH: bin }, run, [])).toMatchObject([
    { name: "schedulers", verdict: "ok" },
  ]);
  writeFileSync(join(bin, "sbatch"), "#!/bin/sh\necho slurm 23.11.4\n", { mode: 0o755 });
  writeFileSync(join(bin, "bsub"), "#!/bin/sh\necho no configuration >&2; exit 255\n", { mode: 0o755 });
  expect(await checkSchedulers(env, run, ["slurm"])).toMatchObject([
    { name: "Slurm", verdict: "ok", detail: "slurm 23.11.4" },
    { name: "LSF", verdict: "warn", detail: "bsub -V failed: no configuration" },
  ]);
  expect((await checkSchedulers(env, run, []))[0]).toMatchObject({
    verdict: "warn",
    detail: "slurm 23.11.4; no executor is named slurm",
  });
});

test("refused plugin folders and broken plugins are listed once each", async () => {
  const good = folder();
  writeFileSync(join(good, "bad.ts"), "throw new Error('no licence')");
  const open = folder(0o777);
  writeFileSync(join(open, "toy.ts"), "");
  const registry = openRegistry({
    env: { HOME: root, JOBX_PLUGIN_PATH: `${good}:${open}` },
    home: root,
    runtime: ["jobx"],
    note: () => {},
    binary: null,
  });
  expect(await checkPlugins(registry)).toMatchObject([
    { name: "executors", verdict: "ok", detail: "debug, local, lsf, pbs, sge, slurm" },
    { name: "plugin folder", verdict: "warn", mend: `chmod go-w ${open}` },
    { name: "plugin bad", verdict: "warn", detail: expect.stringContaining("no licence") },
  ]);
});

test("a plugin that fails when it is examined is named, and the others are examined all the same", async () => {
  const plugins = folder();
  const write = (name: string, examine: string) =>
    writeFileSync(
      join(plugins, `${name}.ts`),
      `import { defineExecutor } from "jobx/plugin";
export default defineExecutor({
  name: "${name}",
  description: "For tests",
  affinity: () => ({ score: 0, why: "a test" }),
  submit: async () => ({ natives: [] }),
  status: async () => [],
  cancel: async () => {},
  examine: ${examine},
  environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
});
`,
    );
  write("broken", '() => { throw new TypeError("oh"); }');
  write("sound", 'async () => [{ name: "limits", verdict: "ok", detail: "none", mend: null }]');
  write("strange", "async () => 7");
  write("wrong", "true");
  const registry = openRegistry({
    env: { HOME: root, JOBX_PLUGIN_PATH: plugins, PATH: "" },
    home: root,
    runtime: ["jobx"],
    note: () => {},
    binary: null,
  });
  const hint = expect.stringContaining("jobx plugins test");
  const found = (await examineSchedulers(registry, root, null)).filter(
    ({ name }) => !name.endsWith(": home"),
  );
  expect(found).toMatchObject([
    {
      name: "broken",
      verdict: "warn",
      detail: "The plugin broken failed in examine: oh (broken.ts:9:30)",
      mend: hint,
    },
    { name: "sound: limits", verdict: "ok" },
    {
      name: "strange",
      verdict: "warn",
      detail: "The plugin strange gave 7 instead of a list from examine",
      mend: hint,
    },
  ]);
  expect(await registry.list()).toContainEqual(
    expect.objectContaining({
      name: "wrong",
      why: expect.stringContaining("has a examine that is a boolean"),
    }),
  );
});

test("a scheduler that does not work is a failure where jobs would go to it, and else a warning", async () => {
  const plugins = folder();
  for (const [name, verdict, score] of [
    ["dead", "fail", 1],
    ["sound", "ok", 2],
  ]) {
    writeFileSync(
      join(plugins, `${name}.ts`),
      `import { defineExecutor } from "jobx/plugin";
export default defineExecutor({
  name: "${name}",
  description: "For tests",
  affinity: () => ({ score: ${score}, why: "a test" }),
  submit: async () => ({ natives: [] }),
  status: async () => [],
  cancel: async () => {},
  examine: async () => [{ name: "controller", verdict: "${verdict}", detail: "a test", mend: null }],
  environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
});
`,
    );
  }
  const registry = openRegistry({
    env: { HOME: root, JOBX_PLUGIN_PATH: plugins, PATH: "" },
    home: root,
    runtime: ["jobx"],
    note: () => {},
    binary: null,
  });
  const deadBeside = async (executor: string) => {
    const { check, chosen } = await checkChoice(registry, executor, "jobx.toml:1");
    const found = await examineSchedulers(registry, root, chosen);
    const dead = found.find(({ name }) => name === "dead: controller");
    return [check.verdict, check.detail, dead?.verdict];
  };
  expect(await deadBeside("auto")).toEqual(["ok", "sound, found by itself: a test", "warn"]);
  expect(await deadBeside("dead")).toEqual(["ok", "dead, set by jobx.toml:1", "fail"]);
  expect(await deadBeside("nowhere")).toEqual(["fail", 'There is no executor "nowhere"', "fail"]);
});
