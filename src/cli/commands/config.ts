import { defineCommand } from "citty";

import type { CommandHelp } from "../args/command.ts";
import { rows } from "../args/layout.ts";
import { contextOf } from "../context.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx config", "every value and where it was set"],
    ["jobx config --profile gpu --json", "with a profile, for programs"],
  ],
  notes:
    "Later sources win: /etc/jobx/config.toml, ~/.config/jobx/config.toml, the nearest jobx.toml upwards, " +
    "the profile, JOBX_ variables, flags. More: jobx help configuration",
};

export default defineCommand({
  meta: { name: "config", description: "show the configuration and where each value comes from" },
  async run({ data }) {
    const context = contextOf(data);
    const { entries, files } = context.config();
    const { style } = context.output;
    context.output.result({
      json: { values: Object.fromEntries(entries.map(({ key, ...entry }) => [key, entry])), files },
      quiet: entries.map(({ key, value }) => `${key} = ${JSON.stringify(value)}`),
      text: () => {
        const width = Math.max(
          ...entries.map(({ key, value }) => `${key} = ${JSON.stringify(value)}`.length),
        );
        const lines = entries.map(({ key, value, origin }) => {
          const setting = `${key} = ${JSON.stringify(value)}`;
          return `${style.cyan(setting)}${" ".repeat(width - setting.length)}  ${style.dim(`# ${origin}`)}`;
        });
        const read = rows(
          files.map((file) => [file.read ? "read" : "not there", file.path]),
          (text) => text,
          9,
        );
        return `${lines.join("\n")}\n\n${style.bold("Files")}, later ones winning\n${read}`;
      },
    });
  },
});
