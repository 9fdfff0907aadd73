import { defineCommand } from "citty";

import { contextOf } from "../context.ts";
import { submitFlags, submitHelp } from "../submit/flags.ts";
import { runSubmit } from "../submit/run.ts";

export const help = submitHelp;

export default defineCommand({
  meta: { name: "submit", description: "run a command, or an exported function, as a job" },
  args: submitFlags,
  run: ({ data }) => runSubmit(contextOf(data)),
});
