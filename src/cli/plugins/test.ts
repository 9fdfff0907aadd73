import { mkdirSync } from "node:fs";
import { resolve } from "node:path";

import { JobxError, usageError } from "../../errors.ts";
import type { Executor } from "../../executor/contract.ts";
import type { Level } from "../../kit/case.ts";
import { type Outcome, type Report, testPlugin } from "../../kit/kit.ts";
import type { Registry } from "../../registry.ts";
import type { CliContext } from "../context.ts";
import { printable } from "../printable.ts";
import { openServices, registryFor } from "../services.ts";
import { summaryLine, tapLines } from "./tap.ts";

/** `jobx plugins test`: exit code 1 where a plugin breaks a rule of the contract. */
export async function testPlugins(context: CliContext, words: string[]): Promise<number> {
  const { output, values } = context;
  const config = context.config();
  const { runtime } = openServices(context);
  const registry = registryFor(context);
  const subjects = await subjectsOf(context, registry, words);
  const isLive = values.has("live") && values.flag("live");
  const levels: Level[] = isLive ? ["pure", "fake", "live"] : ["pure", "fake"];
  const only = values.text("only");
  if (isLive) mkdirSync(config.home, { recursive: true, mode: 0o700 });
  const reports: (Report & { from: string })[] = [];
  for (const { executor, from } of subjects) {
    if (output.form === "people") {
      if (reports.length === 0) output.write("TAP version 14\n");
      output.write(`# ${executor.name}, ${printable(from)}; levels: ${levels.join(", ")}\n`);
    }
    let number = reports.reduce((sum, report) => sum + report.outcomes.length, 0);
    const report = await testPlugin(executor, {
      levels,
      only,
      runtime,
      env: context.env,
      folder: config.home,
      settings: registry.contextFor(executor).settings,
      log: (line) => output.debug(`$ ${line}`),
      onOutcome: (outcome) => {
        number++;
        if (output.form === "people") output.write(tapLines(number, outcome, output.style));
        output.debug(`${outcome.rule}: ${outcome.state}, ${Math.round(outcome.milliseconds)} ms`);
      },
    });
    if (report.outcomes.length === 0) {
      throw usageError(
        `No rule begins with "${only}"`,
        "Rules are named in the report: jobx plugins test NAME",
      );
    }
    if (output.form === "people") output.write(`# ${summaryLine(report)}\n`);
    reports.push({ ...report, from });
  }
  const outcomes = reports.flatMap((report) => report.outcomes);
  const failed = outcomes.filter(isFailed);
  if (output.form === "people") output.write(`1..${outcomes.length}\n`);
  else output.result({ json: reports, quiet: failed.map((one) => one.rule), text: () => "" });
  return failed.length === 0 ? 0 : 1;
}

type Tested = { executor: Executor; from: string };

/** The plugins that are named, by a file's path or by name; without any, all that are files. */
async function subjectsOf(context: CliContext, registry: Registry, words: string[]): Promise<Tested[]> {
  const named = words.map(async (word): Promise<Tested> => {
    if (!/[/.]/.test(word)) return { executor: await registry.get(word), from: await fromOf(registry, word) };
    const file = resolve(context.cwd, word);
    return { executor: await registry.load(file), from: file };
  });
  if (named.length > 0) return Promise.all(named);
  const files = registry.folders.flatMap((folder) => folder.files);
  if (files.length === 0) {
    throw new JobxError("NOT_FOUND", "There is no plugin of yours to test", {
      hint: "Begin one with `jobx plugins new NAME`, or name a built-in one: jobx plugins test slurm",
    });
  }
  return Promise.all(files.map(async (file) => ({ executor: await registry.load(file), from: file })));
}

async function fromOf(registry: Registry, name: string): Promise<string> {
  const lines = await registry.list();
  return lines.find((line) => line.name === name && line.state === "loaded")?.from ?? "built in";
}

function isFailed({ state }: Outcome): boolean {
  return state === "failed";
}
