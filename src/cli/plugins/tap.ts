import type { Outcome, Report } from "../../kit/kit.ts";
import type { Style } from "../output.ts";
import { printable } from "../printable.ts";

/** One outcome as the Test Anything Protocol has it, with what is wrong in the block below. */
export function tapLines(number: number, { level, rule, title, state, why }: Outcome, style: Style): string {
  const name = `${number} - ${level} ${rule}: ${title}`;
  if (state === "passed") return `${style.green("ok")} ${name}\n`;
  if (state === "left out") return `${style.dim(`ok ${name} # SKIP ${printable(why ?? "")}`)}\n`;
  const lines = (why ?? "").split("\n").map((line) => `    ${printable(line)}`);
  return `${style.red("not ok")} ${name}\n  ---\n  message: |\n${lines.join("\n")}\n  ...\n`;
}

/** How many of a plugin's outcomes were which. */
export function summaryLine({ plugin, outcomes }: Report): string {
  const count = (state: Outcome["state"]) => outcomes.filter((one) => one.state === state).length;
  return `${plugin}: ${count("passed")} passed, ${count("failed")} failed, ${count("left out")} left out`;
}
