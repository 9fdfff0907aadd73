import type { Plan } from "../../orchestrator/plan.ts";
import type { Output } from "../output.ts";
import { requestFacts } from "../show-request.ts";
import { factLines } from "../show-text.ts";

/** What `--dry-run` answers: the submission, what it asks for, and what would be done with it. */
export function answerPlan(output: Output, { title, draft, lines }: Plan): void {
  // The tasks' commands and the folder are told by the other lines.
  const facts = requestFacts(draft).filter(([label]) => !["command", "folder"].includes(label));
  const text = [title, ...factLines(facts, output.style), ...lines].join("\n");
  output.result({ json: { plan: text }, quiet: [text], text: () => text });
}
