import type { Services } from "../orchestrator/services.ts";
import type { CliContext } from "./context.ts";

/** Makes the services. */
export async function openServices(_context: CliContext): Promise<Services> {
  throw new Error("not yet");
}
