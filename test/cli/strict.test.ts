import { describe, expect, test } from "bun:test";

import { type ArgsDef, defineCommand } from "citty";

import type { CommandHelp, LoadedCommand } from "../../src/cli/args/command.ts";
import { type Invocation, parseCommand, parseInvocation } from "../../src/cli/args/strict.ts";
import { JobxError } from "../../src/errors.ts";

const args: ArgsDef = {
  task: { type: "positional", required: false, valueHint: "FILE" },
  name: { type: "string", alias: ["J", "job"], valueHint: "TEXT", description: "A name" },
  sweep: { type: "string", valueHint: "KEY=V", description: "A sweep" },
  requeue: { type: "boolean", description: "Again" },
  snapshot: { type: "boolean", default: true, description: "Bundle" },
  maxTimeouts: { type: "string", default: "3", description: "How often" },
  form: { type: "enum", options: ["table", "lines"], description: "How it looks" },
};

function command(help: CommandHelp = { rest: "COMMAND" }): LoadedCommand {
  return { name: "submit", description: "", args, definition: defineCommand({ args }), help };
}

function run(argv: string[], help?: CommandHelp): Extract<Invocation, { kind: "run" }> {
  const invocation = parseCommand(command(help), argv);
  if (invocation.kind !== "run") throw new Error(`it gave ${invocation.kind}`);
  return invocation;
}

function refusal(act: () => unknown): { message: string; hint: string | undefined } {
  try {
    act();
  } catch (error) {
    if (!(error instanceof JobxError)) throw error;
    expect(error.code).toBe("USAGE");
    return { message: error.message, hint: error.hint };
  }
  throw new Error("it was accepted");
}

describe("the strict layer", () => {
  test("collects repeated options, the last one winning where one is asked for", () => {
    const { values, args: found } = run(["--sweep", "a=1", "--sweep=b=2"]);
    expect(values.all("sweep")).toEqual(["a=1", "b=2"]);
    expect(found["sweep"]).toBe("b=2");
  });

  test("keeps everything after -- word for word, help flags included", () => {
    expect(run(["--name", "x", "--", "ls", "-h", "--", "--name"]).rest).toEqual(["ls", "-h", "--", "--name"]);
    expect(run(["--"]).rest).toEqual([]);
    expect(run([]).rest).toBeNull();
  });

  test("takes the words after -- as ordinary ones where the command has no use for them", () => {
    const { positionals, rest } = run(["--", "-x.ts"], {});
    expect(positionals).toEqual(["-x.ts"]);
    expect(rest).toBeNull();
  });

  test.each([
    [["-J", "x"], "x"],
    [["-Jx"], "x"],
    [["--job=x"], "x"],
    [["--name", "-3"], "-3"],
    [["--name="], ""],
    [["--name=--json"], "--json"],
  ])("reads a value from %j", (argv, value) => {
    expect(run(argv).values.text("name")).toBe(value);
  });

  test("reads several switches of one letter from one word, and a value behind the last", () => {
    const { values, globals } = run(["-qvJx"]);
    expect(globals).toMatchObject({ quiet: true, verbose: true });
    expect(values.text("name")).toBe("x");
    expect(run(["-qJ", "x"]).values.text("name")).toBe("x");
  });

  test("takes a single dash for a word", () => {
    expect(run(["-"]).positionals).toEqual(["-"]);
    expect(run(["--name", "-"]).values.text("name")).toBe("-");
  });

  test.each([
    [["--requeue"], true],
    [["--no-requeue"], false],
    [["--requeue", "--no-requeue"], false],
    [[], undefined],
  ])("reads a switch from %j", (argv, value) => {
    expect(run(argv).values.flag("requeue")).toBe(value);
  });

  test("fills in defaults for the command but not for what was typed", () => {
    const { args: found, values } = run([]);
    expect(found).toMatchObject({ snapshot: true, maxTimeouts: "3" });
    expect(values.has("snapshot")).toBe(false);
  });

  test("writes the name of an option with dashes", () => {
    expect(run(["--max-timeouts", "5"]).args["maxTimeouts"]).toBe("5");
  });

  test.each([
    [["--nmae", "x"], "Unknown option --nmae", "Did you mean --name?"],
    [["--jsn"], "Unknown option --jsn", "Did you mean --json?"],
    [["-qz"], "Unknown option -z", "jobx submit --help lists the options"],
    [["--requeue="], '--requeue takes no value, got ""', "Write --requeue or --no-requeue"],
    [["-z"], "Unknown option -z", "jobx submit --help lists the options"],
    [["--constructor"], "Unknown option --constructor", "jobx submit --help lists the options"],
    [["--name"], "--name needs a value: TEXT", "A name. See jobx submit --help"],
    [["--name", "--", "ls"], "--name needs a value: TEXT", "A name. See jobx submit --help"],
    [["--name", "--json"], "--name needs a value: TEXT", 'If "--json" is the value, write --name=--json'],
    [["--requeue=yes"], '--requeue takes no value, got "yes"', "Write --requeue or --no-requeue"],
    [["--form", "tabel"], '--form does not know "tabel"', "Did you mean table? It is one of table, lines"],
    [
      ["python", "--epochs"],
      "Unknown option --epochs",
      "If it belongs to python, put -- before it: jobx submit [options] -- python --epochs",
    ],
  ])("refuses %j and says what to do", (argv, message, hint) => {
    expect(refusal(() => run(argv))).toEqual({ message, hint });
  });

  test("refuses a word too many, but leaves it to a command that takes others behind --", () => {
    const words = ["python", "fit.py"];
    expect(refusal(() => run(words, {}))).toEqual({
      message: 'Unexpected argument "fit.py"',
      hint: "jobx submit takes only FILE",
    });
    expect(run(words).positionals).toEqual(words);
  });

  test("knows the flags of other tools", () => {
    const help = { rest: "COMMAND", foreign: { "--wrap": "Use --" } };
    expect(refusal(() => run(["--wrap", "x"], help)).hint).toBe("Use --");
  });

  test("takes global options after the command", () => {
    expect(run(["--json", "-q", "--home", "/x"]).globals).toMatchObject({
      json: true,
      quiet: true,
      home: "/x",
    });
  });
});

describe("a whole command line", () => {
  test("takes global options before the command", async () => {
    const invocation = await parseInvocation(["--home", "/x", "--no-color", "config", "--json"]);
    expect(invocation).toMatchObject({ kind: "run", globals: { home: "/x", color: false, json: true } });
  });

  test.each([[[]], [["--help"]], [["-h"]]])("shows the help for %j", async (argv) => {
    expect(await parseInvocation(argv)).toMatchObject({ kind: "help", command: null });
  });

  test("shows a command's help before or after its name, but not behind --", async () => {
    for (const argv of [
      ["submit", "-h"],
      ["-h", "submit"],
      ["submit", "--name", "x", "--help"],
    ]) {
      expect(await parseInvocation(argv)).toMatchObject({ kind: "help", command: { name: "submit" } });
    }
    expect(await parseInvocation(["submit", "--", "ls", "-h"])).toMatchObject({
      kind: "run",
      rest: ["ls", "-h"],
    });
  });

  test("names the nearest command", async () => {
    const error = await parseInvocation(["sumbit"]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: 'Unknown command "sumbit"', hint: "Did you mean jobx submit?" });
  });

  test("says that a command must come first", async () => {
    const error = await parseInvocation(["--", "ls"]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "USAGE", hint: "To run a program: jobx submit -- PROGRAM" });
  });
});
