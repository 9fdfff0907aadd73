import { defineCommand } from "citty";

import { JobxError } from "../../errors.ts";
import { describeOptions } from "../../executor/options.ts";
import { nearest } from "../../model/nearest.ts";
import type { CommandHelp } from "../args/command.ts";
import { renderCommandHelp } from "../args/help.ts";
import { rows } from "../args/layout.ts";
import { COMMANDS, findCommand, loadCommand } from "../commands.ts";
import { type CliContext, contextOf } from "../context.ts";
import { renderMarkdown } from "../help/render.ts";
import { TOPICS } from "../help/topics.ts";
import { registryFor } from "../services.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx help", "the chapters"],
    ["jobx help sweeps", "one of them"],
    ["jobx help local", "about an executor, with its options"],
  ],
};

export default defineCommand({
  meta: { name: "help", description: "read the manual" },
  args: {
    topic: {
      type: "positional",
      required: false,
      valueHint: "TOPIC",
      description: "A chapter, a command or an executor",
    },
  },
  async run({ args, data }) {
    const context = contextOf(data);
    const { output } = context;
    const text = args.topic === undefined ? contents(context) : await textOf(args.topic, context);
    output.result({
      json: args.topic === undefined ? TOPICS.map(({ name, summary }) => ({ name, summary })) : { text },
      quiet: args.topic === undefined ? TOPICS.map((topic) => topic.name) : [text],
      text: () => text,
    });
  },
});

function contents({ output: { style } }: CliContext): string {
  const chapters = rows(
    TOPICS.map(({ name, summary }) => [name, summary]),
    style.cyan,
  );
  return `${style.bold("Chapters")}\n${chapters}\n\njobx help TOPIC shows one; jobx help COMMAND and jobx help EXECUTOR work as well.`;
}

/** A chapter, and for an executor's name its options; else a command's help. */
async function textOf(name: string, context: CliContext): Promise<string> {
  const { style } = context.output;
  const topic = TOPICS.find((one) => one.name === name);
  const options = await optionsText(name, context, topic !== undefined);
  if (topic) return [renderMarkdown(topic.text, style).trimEnd(), ...options].join("\n\n");
  const command = findCommand(name);
  if (command) return renderCommandHelp(await loadCommand(command), style).trimEnd();
  if (options.length > 0) return options.join("\n\n");
  const known = [...TOPICS.map((one) => one.name), ...COMMANDS.map((one) => one.name)];
  const near = nearest(name, known);
  throw new JobxError("NOT_FOUND", `The manual has no chapter ${JSON.stringify(name)}`, {
    hint: near ? `Did you mean jobx help ${near}?` : "jobx help lists the chapters",
  });
}

/** An executor's own options; nothing where there is no such executor. */
async function optionsText(name: string, context: CliContext, isTopic: boolean): Promise<string[]> {
  const registry = registryFor(context);
  if (!registry.names().includes(name)) return [];
  const { style } = context.output;
  const executor = await registry.get(name);
  const options = describeOptions(executor.options);
  const body = options.length > 0 ? rows(options, style.cyan) : "  It has none of its own.";
  const parts = [`${style.bold(`Options of ${name}`)}\n${body}`];
  if (options.length > 0) {
    parts.push(`Give them with -o KEY=VALUE, or in the table [${name}] of the configuration.`);
  }
  return isTopic ? parts : [`${style.bold(name)}: ${executor.description}`, ...parts];
}
