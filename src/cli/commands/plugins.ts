import { defineCommand } from "citty";

import { usageError } from "../../errors.ts";
import type { CommandHelp } from "../args/command.ts";
import { contextOf } from "../context.ts";
import { printable } from "../printable.ts";

export const help: CommandHelp = {
  usage: [
    "plugins [list]",
    "plugins new NAME [--kind scheduler|executor] [--dir DIR]",
    "plugins eject NAME [--dir DIR]",
    "plugins test [FILE-or-NAME ...] [--live] [--only RULE]",
  ],
  examples: [
    ["jobx plugins", "every executor, where it is from, and why it did not load"],
    ["jobx plugins new mysite", "a plugin to begin with, which passes its own test"],
    ["jobx plugins test mysite", "whether it keeps the contract; exit code 1 where it does not"],
    ["jobx plugins test mysite --live", "the same, and real jobs on the scheduler that is there"],
    ["jobx plugins test ./mysite.ts --only status -v", "some rules alone, with all that is run"],
    ["jobx plugins eject slurm", "the source of a built-in one, to adapt"],
  ],
  notes:
    "Later places win by name: built in, plugins/ beside the binary, ~/.config/jobx/plugins, the folders of " +
    "JOBX_PLUGIN_PATH. A file is named after its executor: pbs.ts. More: jobx help plugins",
};

export default defineCommand({
  meta: { name: "plugins", description: "executors: loaded from where, or why not; write and test your own" },
  args: {
    action: {
      type: "positional",
      required: false,
      valueHint: "list|new|eject|test",
      description: "What to do (default: list)",
    },
    name: {
      type: "positional",
      required: false,
      valueHint: "PLUGIN...",
      description:
        "The plugin that it is about; a file's path as well for test, which takes several, or all of yours",
    },
    dir: {
      type: "string",
      valueHint: "DIR",
      description: "new, eject: write to this folder instead of your plugin folder",
    },
    kind: {
      type: "enum",
      options: ["scheduler", "executor"],
      description: "new: driven by commands (scheduler, the default), or with full control (executor)",
    },
    live: { type: "boolean", description: "test: real jobs as well, on the scheduler that is there" },
    only: {
      type: "string",
      valueHint: "RULE",
      description: "test: only rules that begin like this: status, fault.lost",
    },
  },
  async run({ data }) {
    const context = contextOf(data);
    const { positionals, values } = context;
    const [action = "list", ...names] = positionals;
    const known = Object.keys(OPTIONS).includes(action);
    if (!known) {
      throw usageError(
        `There is no "jobx plugins ${printable(action)}"`,
        `It does ${Object.keys(OPTIONS).join(", ")}; \`jobx plugins test ${printable(action)}\` would test that one`,
      );
    }
    for (const option of ["dir", "kind", "live", "only"]) {
      if (values.has(option) && !OPTIONS[action]?.includes(option)) {
        throw usageError(`\`jobx plugins ${action}\` takes no --${option}`, "See jobx plugins --help");
      }
    }
    if (action === "test") return (await import("../plugins/test.ts")).testPlugins(context, names);
    const [name, ...more] = names;
    const extra = action === "list" ? name : more[0];
    if (extra !== undefined) {
      throw usageError(
        `\`jobx plugins ${action}\` does not take "${printable(extra)}"`,
        "See jobx plugins --help",
      );
    }
    if (action === "list") return (await import("../plugins/list.ts")).listPlugins(context);
    if (name === undefined) {
      throw usageError(`Which plugin? None was named`, `Write: jobx plugins ${action} NAME`);
    }
    const { ejectPlugin, newPlugin } = await import("../plugins/write.ts");
    return action === "new" ? newPlugin(context, name) : ejectPlugin(context, name);
  },
});

/** What each action takes. */
const OPTIONS: Record<string, string[]> = {
  list: [],
  new: ["dir", "kind"],
  eject: ["dir"],
  test: ["live", "only"],
};
