import { resolveOne } from "../../orchestrator/select.ts";
import type { Services } from "../../orchestrator/services.ts";
import type { Submitted } from "../../orchestrator/submit.ts";
import type { CliContext } from "../context.ts";
import { reportEnd } from "../ending.ts";
import { reportFailures } from "../failures.ts";
import { followToEnd } from "../following.ts";
import { exitCodeOf, waitWithProgress } from "../waiting.ts";
import { printSubmitted } from "./answer.ts";

/** `--wait` and `--follow`: the id at once, then the end, with the exit code of `jobx wait`. */
export async function waitForEnd(
  context: CliContext,
  services: Services,
  submitted: Submitted,
): Promise<number> {
  const { output } = context;
  // The debug executor's job is over by now: how it ended says that there was one.
  const isOver = submitted.executor === "debug" && output.form === "people";
  if (output.form !== "json" && !isOver) printSubmitted(output, submitted, { next: false });
  const selected = await resolveOne(services, [String(submitted.id)]);
  const scopes = context.values.flag("follow")
    ? [await followToEnd(context, services, selected)]
    : await waitWithProgress(context, services, [selected]);
  // What was followed, and what the debug executor ran, has passed by on this very terminal.
  const told = { outputSeen: context.values.flag("follow") === true || submitted.executor === "debug" };
  if (output.form === "people") return reportEnd(output, scopes, told);
  if (output.form === "json") {
    const [scope] = scopes;
    const json = { ...submitted, state: scope?.state, counts: scope?.counts };
    output.result({ json, quiet: [], text: () => "" });
  }
  reportFailures(output, scopes, told);
  return exitCodeOf(scopes);
}
