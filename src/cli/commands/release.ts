import { defineCommand } from "citty";

import { releaseJobs } from "../../orchestrator/control.ts";
import { selectors } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { control } from "../control.ts";

export default defineCommand({
  meta: { name: "release", description: "let held tasks start" },
  args: { sel: selectors },
  async run({ data }) {
    await control(contextOf(data), releaseJobs, { done: "Released", nothing: "Nothing to release in" });
  },
});
