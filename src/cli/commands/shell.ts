import { constants } from "node:os";

import { defineCommand } from "citty";

import { JobxError, messageOf } from "../../errors.ts";
import { shellFor } from "../../orchestrator/control.ts";
import { resolveOne } from "../../orchestrator/select.ts";
import type { CommandHelp } from "../args/command.ts";
import { selector } from "../arguments.ts";
import { contextOf } from "../context.ts";

export const help: CommandHelp = {
  examples: [["jobx shell 12.3", "look around where task 3 runs"]],
  notes:
    "The exit code is the shell's. With --json nothing is started: the command and its folder are shown.",
};

export default defineCommand({
  meta: { name: "shell", description: "a shell inside a running task's folder and environment" },
  args: { sel: selector },
  async run({ data }) {
    const context = contextOf(data);
    const { output } = context;
    const services = context.services();
    const selected = await resolveOne(services, context.positionals);
    const { argv, cwd, env } = await shellFor(services, selected);
    if (output.form === "json") return output.result({ json: { argv, cwd }, quiet: [], text: () => "" });
    return await runShell(argv, cwd, env);
  },
});

/** Runs the shell on this terminal and gives its exit code, 128 plus the signal's number if a signal ended it. */
async function runShell(argv: string[], cwd: string, env: Record<string, string>): Promise<number> {
  // Ctrl-C and Ctrl-\ are for what runs in the shell; this process only waits for it.
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => {});
  }
  const shell = startShell(argv, cwd, env);
  const code = await shell.exited;
  const signal = shell.signalCode;
  return signal === null ? code : 128 + (typeof signal === "number" ? signal : constants.signals[signal]);
}

function startShell(argv: string[], cwd: string, env: Record<string, string>): Bun.Subprocess {
  try {
    return Bun.spawn(argv, { cwd, env, stdio: ["inherit", "inherit", "inherit"] });
  } catch (error) {
    throw new JobxError("NOT_FOUND", `${argv[0]} cannot be started in ${cwd}: ${messageOf(error)}`, {
      hint: "Is the task's folder still there?",
      cause: error,
    });
  }
}
