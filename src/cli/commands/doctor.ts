import { defineCommand } from "citty";

import { version } from "../../../package.json";
import { JobxError, messageOf } from "../../errors.ts";
import { makeRun } from "../../executor/run.ts";
import type { CommandHelp } from "../args/command.ts";
import { type CliContext, contextOf } from "../context.ts";
import { type Check, fail } from "../doctor/check.ts";
import { checkHome } from "../doctor/home.ts";
import { checkCapacity, checkPinned, checkQueueFolder, checkVersion } from "../doctor/machine.ts";
import { checkPlugins } from "../doctor/plugins.ts";
import { checkSchedulers } from "../doctor/schedulers.ts";
import type { Style } from "../output.ts";
import { printable } from "../printable.ts";
import { registryFor } from "../services.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx doctor", "check this machine and say how to mend what is wrong"],
    ["jobx doctor --json", "the same for programs"],
  ],
  notes: "Nothing is changed. The exit code is 1 when something must be mended before jobx can work, else 0.",
};

export default defineCommand({
  meta: { name: "doctor", description: "check this machine, and say how to mend it" },
  async run({ data }) {
    const context = contextOf(data);
    const { output } = context;
    const checks = await examine(context);
    output.result({
      json: checks,
      quiet: checks.filter(({ verdict }) => verdict !== "ok").map(({ name }) => name),
      text: () => checks.map((check) => lineOf(check, output.style)).join("\n"),
    });
    return checks.some(({ verdict }) => verdict === "fail") ? 1 : 0;
  },
});

async function examine(context: CliContext): Promise<Check[]> {
  const { env } = context;
  const checks = checkVersion(version);
  try {
    const config = await context.config();
    const registry = registryFor(context, config);
    checks.push(...checkHome(config.home), checkPinned(config.home));
    const local = registry.contextFor(await registry.get("local"));
    checks.push(checkCapacity(env, local.settings), checkQueueFolder(env));
    checks.push(...(await checkSchedulers(env, makeRun({ env }), registry.names())));
    checks.push(...(await checkPlugins(registry)));
  } catch (error) {
    // The rest depends on the configuration, so it ends here.
    const hint = error instanceof JobxError ? (error.hint ?? null) : null;
    checks.push(fail("configuration", messageOf(error), hint));
  }
  return checks;
}

const MARKS = { ok: "ok", warn: "warn", fail: "FAIL" } as const;
const PAINT = { ok: "green", warn: "yellow", fail: "red" } as const;

function lineOf({ name, verdict, detail, mend }: Check, style: Style): string {
  const line = `${style[PAINT[verdict]](MARKS[verdict].padEnd(4))}  ${style.bold(name)}: ${printable(detail)}`;
  return mend ? `${line}\n      ${printable(mend)}` : line;
}
