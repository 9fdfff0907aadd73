import { describe, expect, test } from "bun:test";

import lsf from "../../plugins/lsf.ts";
import pbs from "../../plugins/pbs.ts";
import sge from "../../plugins/sge.ts";
import slurm from "../../plugins/slurm.ts";
import { flagsOf } from "../../src/cli/args/flags.ts";
import { GLOBAL_ARGS } from "../../src/cli/args/globals.ts";
import { renderCommandHelp, renderRootHelp } from "../../src/cli/args/help.ts";
import { rows } from "../../src/cli/args/layout.ts";
import { COMMANDS, loadCommand } from "../../src/cli/commands.ts";
import { renderMarkdown } from "../../src/cli/help/render.ts";
import { TOPICS } from "../../src/cli/help/topics.ts";
import { makeOutput } from "../../src/cli/output.ts";
import { describeOptions } from "../../src/executor/options.ts";

const { style } = makeOutput({
  json: false,
  quiet: false,
  verbose: false,
  color: { out: false, err: false },
});
const shown = COMMANDS.filter((command) => command.group !== "hidden");

function tooWide(text: string): string[] {
  return text.split("\n").filter((line) => Bun.stringWidth(line) > 80);
}

test("the help fits 80 columns and names every command", () => {
  const text = renderRootHelp(style);
  expect(tooWide(text)).toEqual([]);
  for (const { name } of shown) expect(text).toContain(`  ${name}`);
});

describe.each(shown.map((command) => [command.name, command] as const))("jobx %s", (name, entry) => {
  test("has a help that fits 80 columns and explains every option", async () => {
    const command = await loadCommand(entry);
    const text = renderCommandHelp(command, style);
    expect(tooWide(text)).toEqual([]);
    expect(text).toStartWith(`jobx ${name}: `);
    for (const flag of flagsOf(command.args)) {
      expect(text).toContain(flag.long);
      expect(flag.description).not.toBe("");
    }
  });

  test("ends its help with examples of itself", async () => {
    const { help } = await loadCommand(entry);
    expect(help.examples?.length).toBeGreaterThan(0);
    for (const [line] of help.examples ?? []) expect(line).toContain(`jobx ${name}`);
  });

  test("takes no spelling of a global option for one of its own", async () => {
    const spellings = (args: Parameters<typeof flagsOf>[0]) =>
      flagsOf(args).flatMap((flag) => [flag.long, ...flag.longAliases, ...flag.shorts]);
    const taken = spellings(GLOBAL_ARGS);
    expect(spellings((await loadCommand(entry)).args).filter((one) => taken.includes(one))).toEqual([]);
  });

  test("groups only options that it has", async () => {
    const { args, help } = await loadCommand(entry);
    const names = flagsOf(args).map((flag) => flag.name);
    expect(
      Object.values(help.groups ?? {})
        .flat()
        .filter((one) => !names.includes(one)),
    ).toEqual([]);
  });
});

describe.each(TOPICS.map((topic) => [topic.name, topic] as const))("the chapter %s", (_, topic) => {
  const text = renderMarkdown(topic.text, style);

  test("fits 80 columns", () => {
    expect(tooWide(text)).toEqual([]);
  });

  test("names only commands, chapters and options that exist", async () => {
    const names = new Set([
      ...shown.flatMap((one) => [one.name, ...one.aliases]),
      "command",
      "result",
      "binary",
    ]);
    for (const [, word = ""] of text.matchAll(/(?:^|[`(]|  )jobx (?!COMMAND)([a-z_]+)/gm))
      expect(names).toContain(word);
    const chapters = [...TOPICS.map((one) => one.name), ...names, "local", "debug"];
    for (const [, word = ""] of text.matchAll(/jobx help ([a-z-]+)/g)) expect(chapters).toContain(word);
    const loaded = await Promise.all(shown.map(loadCommand));
    const flags = [GLOBAL_ARGS, ...loaded.map((one) => one.args)].flatMap(flagsOf);
    const spelled = flags.flatMap((flag) => [`--${flag.long}`, `--no-${flag.long}`]);
    const before = text.replace(/ -- .*$/gm, "").replace(/cases\.csv.*$/gm, "");
    for (const [flag] of before.matchAll(/--[a-z][a-z-]+/g)) expect(spelled).toContain(flag);
  });
});

test.each([slurm, sge, pbs, lsf].map((executor) => [executor.name, executor] as const))(
  "the options of %s fit 80 columns",
  (_, { options }) => {
    expect(tooWide(rows(describeOptions(options), String))).toEqual([]);
  },
);
