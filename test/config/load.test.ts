import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { loadConfig } from "../../src/config/load.ts";
import { lineOf } from "../../src/config/toml.ts";
import { JobxError } from "../../src/errors.ts";
import { tempDir } from "../helpers/temp.ts";

type Setup = {
  user?: string;
  project?: string;
  env?: Record<string, string>;
  home?: string;
  profile?: string;
};

function load({ user, project, env = {}, home, profile }: Setup) {
  const root = tempDir("config");
  const folder = join(root, "work", "deep", "down");
  mkdirSync(folder, { recursive: true });
  const paths = { user: join(root, "xdg/jobx/config.toml"), project: join(root, "work/jobx.toml") };
  if (user !== undefined) write(paths.user, user);
  if (project !== undefined) write(paths.project, project);
  const sources = {
    env: { HOME: root, XDG_CONFIG_HOME: join(root, "xdg"), ...env },
    cwd: folder,
    given: { home, profile },
    label: (key: string) => `--${key}`,
  };
  return { root, folder, paths, load: () => loadConfig(sources) };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
}

function refusal(act: () => unknown): JobxError {
  try {
    act();
  } catch (error) {
    if (error instanceof JobxError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("the configuration", () => {
  test("has a home even where there is nothing", () => {
    const { load: read, root } = load({});
    expect(read()).toMatchObject({ home: join(root, ".jobx"), values: {}, settings: {} });
    expect(read().originOf("home")).toBe("default");
  });

  test("lets the project's file beat the user's, key by key, and says where each came from", () => {
    const { load: read, paths } = load({
      user: 'time = "1h"\nmem = "1G"\n[env]\nA = "1"\nB = "1"\n[local]\ncpus = 1\nmem = "2G"\n',
      project: 'time = "2h"\n[env]\nB = "2"\n[local]\ncpus = 2\n',
    });
    const config = read();
    expect(config.values).toEqual({ time: "2h", mem: "1G", env: { A: "1", B: "2" } });
    expect(config.settings).toEqual({ local: { cpus: 2, mem: "2G" } });
    expect(config.originOf("time")).toBe(`${paths.project}:1`);
    expect(config.originOf("mem")).toBe(`${paths.user}:2`);
    expect(config.originOf("env", "A")).toBe(`${paths.user}:4`);
    expect(config.originOf("local", "cpus")).toBe(`${paths.project}:5`);
  });

  test("lets a profile beat the files, variables the profile, and flags everything", () => {
    const setup = {
      user: '[profile.big]\nmem = "9G"\ncpus = 9\nhome = "here"\n[profile.big.local]\ngpus = 1\n',
      project: 'mem = "1G"\ncpus = 1\n',
      env: { JOBX_PROFILE: "big", JOBX_CPUS: "5", JOBX_REQUEUE: "0" },
    };
    const { load: read, root } = load(setup);
    const config = read();
    expect(config.values).toMatchObject({ mem: "9G", cpus: "5", requeue: false });
    expect(config.settings).toEqual({ local: { gpus: 1 } });
    expect(config.home).toBe(join(root, "xdg/jobx/here"));
    expect(config.originOf("cpus")).toBe("JOBX_CPUS");
    const flagged = load({ ...setup, home: "mine" });
    expect(flagged.load().home).toBe(join(flagged.folder, "mine"));
    expect(flagged.load().originOf("home")).toBe("--home");
  });

  test("replaces lists instead of joining them", () => {
    const { load: read } = load({ user: 'setup = ["a", "b"]', project: 'setup = "c"' });
    expect(read().values.setup).toEqual(["c"]);
  });

  test("takes numbers where a flag takes text", () => {
    expect(load({ user: "cpus = 4\ntime = 90" }).load().values).toEqual({ cpus: "4", time: "90" });
  });

  test.each([
    ['tme = "1h"', 1, 'unknown key "tme"', "Did you mean time?"],
    ['time = "1h"\n\n[loacl]\ncpus = 1', 3, 'unknown key "loacl"', "Did you mean local?"],
    ["[profile.x]\nretires = 1", 2, 'unknown key "retires"', "Did you mean retries?"],
    ["# nothing\ncpus = [1]", 2, "cpus is [1]", "It takes one text or number"],
    ['requeue = "yes"', 1, 'requeue is "yes"', "It takes true or false"],
    ["[profile]\ncpus = 2", 2, "profile.cpus is 2", "A profile is a table with a name: [profile.NAME]"],
    ['home = ""', 1, 'home is ""', "Name one, or leave home out"],
    ['cpus = 1\nruntime = [""]', 2, 'runtime is [""]', "Name one, or leave runtime out"],
    ["runtime = []", 1, "runtime is []", "Name one, or leave runtime out"],
    ['a = "b"\n\nb = = 3\nc = 4', 3, "is not valid TOML: Expected a value but found '='", undefined],
  ])("refuses %j with its line", (text, line, message, hint) => {
    const { load: read, paths } = load({ user: text });
    const error = refusal(read);
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain(`${paths.user}:${line}`);
    expect(error.message).toContain(message);
    if (hint) expect(error.hint).toBe(hint);
  });

  test("keeps tables that may be a plugin's", () => {
    expect(load({ user: '[pbs]\nqueue = "q"' }).load().settings).toEqual({ pbs: { queue: "q" } });
  });

  test("names the nearest profile", () => {
    const { load: read } = load({ user: "[profile.gpu]\ncpus = 1", profile: "gpus" });
    expect(refusal(read)).toMatchObject({
      message: 'There is no profile "gpus" (from --profile)',
      hint: "Did you mean gpu?",
    });
  });

  test("says which file or variable chose a profile that is not there", () => {
    const { load: read, paths } = load({ user: 'time = 1\nprofile = "gpu"' });
    expect(refusal(read).message).toBe(`There is no profile "gpu" (from ${paths.user}:2)`);
    const { load: other } = load({ env: { JOBX_PROFILE: "gpu" } });
    expect(refusal(other).message).toBe('There is no profile "gpu" (from JOBX_PROFILE)');
  });

  test("refuses a project's file that others could change, by name", () => {
    const { load: read, paths } = load({ project: 'time = "1h"' });
    chmodSync(paths.project, 0o666);
    const error = refusal(read);
    expect(error.message).toContain(paths.project);
    expect(error.message).toContain("refused");
    expect(error.hint).toContain(`chmod go-w ${paths.project}`);
  });

  test("refuses a variable that no switch can be", () => {
    const { load: read } = load({ env: { JOBX_REQUEUE: "perhaps" } });
    expect(refusal(read).message).toBe('JOBX_REQUEUE is "perhaps"');
  });
});

test.each([
  ["a.b = 1\n", ["a", "b"], 1],
  ["[a]\nx = 1\n[b]\nx = 2\n", ["b", "x"], 4],
  ['[profile."my gpu"]\nx = 1', ["profile", "my gpu", "x"], 2],
  ["[a]\nb = { c = 1 }", ["a", "b", "c"], 2],
])("finds the line of a key in %j", (text, path, line) => {
  expect(lineOf(text, path)).toBe(line);
});
