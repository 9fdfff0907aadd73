import { defineCommand } from "citty";

import { usageError } from "../../errors.ts";
import { ranksOf } from "../../model/resources.ts";
import { existingLogs, logFiles, readLog } from "../../orchestrator/logs.ts";
import { resolveOne } from "../../orchestrator/select.ts";
import type { LogStream } from "../../store/layout.ts";
import type { CommandHelp } from "../args/command.ts";
import { parseWhole, selector } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { followToEnd } from "../following.ts";
import { logWriter } from "../log-writer.ts";
import { logsJson } from "../logs-json.ts";
import { explainNoLogs } from "../no-logs.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx logs 12 -f", "until the job has ended"],
    ["jobx logs 12.3 --stderr -n 50", "the last 50 lines of one stream"],
  ],
  notes:
    "Standard output comes first, then standard error, byte for byte; of several tasks each line is prefixed: 12.3 | ...",
};

export default defineCommand({
  meta: { name: "logs", description: "what tasks have printed" },
  args: {
    sel: selector,
    follow: { type: "boolean", alias: "f", description: "Go on until the end" },
    stdout: { type: "boolean", description: "Only standard output" },
    stderr: { type: "boolean", description: "Only standard error" },
    lines: { type: "string", alias: "n", valueHint: "N", description: "The last N lines of each log" },
  },
  async run({ args, data }) {
    const context = contextOf(data);
    const { output, values } = context;
    const streams = streamsOf(args.stdout === true, args.stderr === true);
    const lines = values.has("lines") ? parseWhole("-n", values.text("lines") ?? "") : null;
    if (args.follow && output.form === "json") {
      throw usageError("--json gives one document, and -f follows", "Leave one of the two out");
    }
    const services = context.services();
    const selected = await resolveOne(services, context.positionals);
    if (streams.includes("err") && streams.length === 1 && selected.spec.run.mergeOutput) {
      output.note(`Job ${selected.id} has its stderr in its stdout (--merge-output)`);
    }
    if (args.follow) {
      await followToEnd(context, services, selected, { streams, lines });
      return;
    }
    const files = existingLogs(logFiles(selected, selected.tasks, selected.rank, streams));
    if (output.form === "json") return output.result(await logsJson(files, lines));
    if (files.length === 0) return await explainNoLogs(output, services, selected);
    const writer = logWriter(output, selected.id, files, { ranks: ranksOf(selected.spec.resources) > 1 });
    let silent = true;
    for (const file of files) {
      for await (const bytes of readLog(file.path, lines)) {
        silent &&= bytes.length === 0;
        writer.write(file, bytes);
      }
      writer.end(file);
    }
    if (silent && lines !== 0) await explainNoLogs(output, services, selected);
  },
});

function streamsOf(stdout: boolean, stderr: boolean): LogStream[] {
  if (stdout === stderr) return ["out", "err"];
  return stdout ? ["out"] : ["err"];
}
