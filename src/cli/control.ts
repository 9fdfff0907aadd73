import type { Control } from "../orchestrator/control.ts";
import { resolveSelectors, type Selected } from "../orchestrator/select.ts";
import type { Services } from "../orchestrator/services.ts";
import type { CliContext } from "./context.ts";

/** Words for what a verb did: "Cancelled" and "Nothing to cancel in". */
export type ControlWords = { done: string; nothing: string };

/** Runs a verb over the selected jobs and says, for each, how many tasks it met and how many had ended. */
export async function control(
  context: CliContext,
  verb: (services: Services, selected: Selected[]) => Promise<Control[]>,
  words: ControlWords,
): Promise<void> {
  const services = await context.services();
  const selected = await resolveSelectors(services, context.positionals);
  const controls = await verb(services, selected);
  context.output.result({
    json: controls,
    quiet: controls.filter(({ asked }) => asked > 0).map(({ id }) => String(id)),
    text: () => controls.map((one, at) => controlLine(one, selected[at]?.spec.tasks ?? 1, words)).join("\n"),
  });
}

/** "Cancelled 3 tasks of job 12; 21 had already ended". `size`: how many tasks the job has. */
export function controlLine({ id, asked, alreadyFinal }: Control, size: number, words: ControlWords): string {
  if (asked === 0) {
    const ended = alreadyFinal === 1 ? "its task has" : `all ${alreadyFinal} tasks have`;
    return `${words.nothing} job ${id}: ${ended} already ended`;
  }
  const met = size === 1 ? `job ${id}` : `${asked === 1 ? "1 task" : `${asked} tasks`} of job ${id}`;
  return `${words.done} ${met}${alreadyFinal === 0 ? "" : `; ${alreadyFinal} had already ended`}`;
}
