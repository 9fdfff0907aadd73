import { defineCommand } from "citty";

import { version } from "../../../package.json";
import { JobxError, messageOf, usageError } from "../../errors.ts";
import { makeRun } from "../../executor/run.ts";
import type { CommandHelp } from "../args/command.ts";
import { parseTime } from "../arguments.ts";
import { type CliContext, contextOf } from "../context.ts";
import { type Check, fail } from "../doctor/check.ts";
import { checkHome } from "../doctor/home.ts";
import { checkCapacity, checkPinned, checkQueueFolder, checkVersion } from "../doctor/machine.ts";
import { checkPlugins } from "../doctor/plugins.ts";
import { checkChoice, checkSchedulers, examineSchedulers } from "../doctor/schedulers.ts";
import type { Style } from "../output.ts";
import { printable } from "../printable.ts";
import { registryFor } from "../services.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx doctor", "check this machine and say how to mend what is wrong"],
    ["jobx doctor --probe", "send a tiny job through, and say how long each stage took"],
    ["jobx doctor --probe -e slurm --timeout 10m", "through this executor, and wait so long"],
    ["jobx doctor --json", "the same for programs"],
  ],
  notes:
    "Nothing is changed; the job of --probe is removed again. The exit code is 1 when something must be mended before jobx can work, else 0. Of a scheduler that jobs would not go to it only warns.",
};

export default defineCommand({
  meta: { name: "doctor", description: "check this machine, and say how to mend it" },
  args: {
    probe: { type: "boolean", description: "Submit a tiny job, wait for it and remove it" },
    executor: {
      type: "string",
      alias: "e",
      valueHint: "NAME",
      description: "Where --probe submits to (default: as for submit)",
    },
    timeout: {
      type: "string",
      valueHint: "T",
      description: "How long --probe waits (default 60s): 30 (minutes), 45s, 2h",
    },
  },
  async run({ data }) {
    const context = contextOf(data);
    const { output, values } = context;
    const extra = ["executor", "timeout"].find((name) => values.has(name));
    if (extra && !values.flag("probe"))
      throw usageError(`--${extra} is for --probe`, `Add --probe, or leave --${extra} out`);
    const timeoutSeconds = parseTime(values.text("timeout")) ?? PROBE_SECONDS;
    const checks = await examine(context);
    if (values.flag("probe")) {
      const { probe } = await import("../doctor/probe.ts");
      checks.push(...(await probe(context, timeoutSeconds)));
    }
    output.result({
      json: checks,
      quiet: checks.filter(({ verdict }) => verdict !== "ok").map(({ name }) => name),
      text: () => checks.map((check) => lineOf(check, output.style)).join("\n"),
    });
    return checks.some(({ verdict }) => verdict === "fail") ? 1 : 0;
  },
});

const PROBE_SECONDS = 60;

async function examine(context: CliContext): Promise<Check[]> {
  const { env } = context;
  const checks = checkVersion(version);
  try {
    const config = context.config();
    const registry = registryFor(context);
    checks.push(...checkHome(config.home), checkPinned(config.home));
    const local = registry.contextFor(await registry.get("local"));
    checks.push(checkCapacity(env, local.settings), checkQueueFolder(env));
    checks.push(...(await checkSchedulers(env, makeRun({ env }), registry.names())));
    const named = context.values.text("executor") ?? config.values.executor ?? "auto";
    const { check, chosen } = await checkChoice(registry, String(named), originOf(context));
    checks.push(check, ...(await examineSchedulers(registry, config.home, chosen)));
    checks.push(...(await checkPlugins(registry)));
  } catch (error) {
    // The rest depends on the configuration, so it ends here.
    const hint = error instanceof JobxError ? (error.hint ?? null) : null;
    checks.push(fail("configuration", messageOf(error), hint));
  }
  return checks;
}

function originOf(context: CliContext): string {
  return context.values.has("executor") ? "-e" : context.config().originOf("executor");
}

const MARKS = { ok: "ok", warn: "warn", fail: "FAIL" } as const;
const PAINT = { ok: "green", warn: "yellow", fail: "red" } as const;

function lineOf({ name, verdict, detail, mend }: Check, style: Style): string {
  const line = `${style[PAINT[verdict]](MARKS[verdict].padEnd(4))}  ${style.bold(name)}: ${printable(detail)}`;
  const steps = mend?.split("\n").map((step) => `\n      ${printable(step)}`) ?? [];
  return line + steps.join("");
}
