import { planJob } from "../../orchestrator/plan.ts";
import type { Services } from "../../orchestrator/services.ts";
import type { SubmitInput } from "../../orchestrator/submit.ts";
import type { Style } from "../output.ts";
import { requestFacts } from "../show-request.ts";
import { factLines } from "../show-text.ts";

/** What `--dry-run` prints: the submission, what it asks for, and what would be done with it. */
export async function planText(services: Services, input: SubmitInput, style: Style): Promise<string> {
  const { title, draft, lines } = await planJob(services, input);
  // The tasks' commands and the folder are told by the other lines.
  const facts = requestFacts(draft).filter(([label]) => !["command", "folder"].includes(label));
  return [title, ...factLines(facts, style), ...lines].join("\n");
}
