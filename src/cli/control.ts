import type { Control } from "../orchestrator/control.ts";
import { resolveSelectors, type Selected } from "../orchestrator/select.ts";
import type { Services } from "../orchestrator/services.ts";
import type { CliContext } from "./context.ts";

/** Words for what a verb did: "Held", "Nothing to hold in", and why it passes over one task and several. */
export type ControlWords = { done: string; nothing: string; passedOver?: [one: string, several: string] };

/** Runs a verb over the selected jobs and says, for each, how many tasks it met and how many had ended. */
export async function control(
  context: CliContext,
  verb: (services: Services, selected: Selected[]) => Promise<Control[]>,
  words: ControlWords,
): Promise<void> {
  const services = context.services();
  const selected = await resolveSelectors(services, context.positionals);
  const controls = await verb(services, selected);
  context.output.result({
    json: controls,
    quiet: controls.filter(({ asked }) => asked > 0).map(({ id }) => String(id)),
    text: () => controls.map((one, at) => controlLine(one, selected[at]?.spec.tasks ?? 1, words)).join("\n"),
  });
}

/** "Cancelled 3 tasks of job 12; 21 had already ended". `size`: how many tasks the job has. */
export function controlLine(control: Control, size: number, words: ControlWords): string {
  const { id, asked, passedOver, alreadyFinal } = control;
  const [one, several] = words.passedOver ?? ["was passed over", "were passed over"];
  if (asked === 0) return `${words.nothing} job ${id}: ${reasons().join(", ")}`;
  const met = size === 1 ? `job ${id}` : `${asked === 1 ? "1 task" : `${asked} tasks`} of job ${id}`;
  const others = [
    ...(passedOver === 0 ? [] : [`${passedOver} ${passedOver === 1 ? one : several}`]),
    ...(alreadyFinal === 0 ? [] : [`${alreadyFinal} had already ended`]),
  ];
  return [`${words.done} ${met}`, ...others].join("; ");

  function reasons(): string[] {
    const subject = (count: number) => (count === 1 ? (size === 1 ? "it" : "1 task") : `${count} tasks`);
    const all = passedOver === 0 && alreadyFinal > 1 ? "all " : "";
    return [
      ...(passedOver === 0 ? [] : [`${subject(passedOver)} ${passedOver === 1 ? one : several}`]),
      ...(alreadyFinal === 0
        ? []
        : [`${all}${subject(alreadyFinal)} ${alreadyFinal === 1 ? "has" : "have"} already ended`]),
    ];
  }
}
