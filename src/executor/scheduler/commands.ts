import { JobxError } from "../../errors.ts";
import type { ExecutorContext } from "../contract.ts";
import type { CommandResult } from "../run.ts";
import type { SchedulerDefinition } from "./definition.ts";

/** Before each further try of a command that a busy or restarting scheduler refused. */
const RETRY_DELAYS_MS = [500, 1_000, 2_000, 4_000, 8_000];
/** Commands of a scheduler that is down may try for long by themselves: no other try begins after this. */
const RETRY_WITHIN_MS = 8_000;

/** The delays between tries; their number is that of the further tries. */
export function retryDelays(definition: SchedulerDefinition): number[] {
  return definition.retryDelaysMs ?? RETRY_DELAYS_MS;
}

/** Waits before a further try; false once there were enough, or the first one `began` too long ago. */
export async function mayTryAgain(
  definition: SchedulerDefinition,
  tries: number,
  began: number,
): Promise<boolean> {
  const delay = retryDelays(definition)[tries];
  if (delay === undefined || performance.now() - began + delay > RETRY_WITHIN_MS) return false;
  await Bun.sleep(delay);
  return true;
}

/** Runs a command other than submit: with the definition's variables, and on the cluster that is meant. */
export function runOn(
  definition: SchedulerDefinition,
  context: ExecutorContext,
  argv: string[],
  cluster: string | null,
  options: { timeoutMs?: number } = {},
): Promise<CommandResult> {
  const words = cluster === null ? argv : clusterArgv(definition, argv, cluster);
  return context.run(words, { env: { ...context.env, ...definition.variables }, ...options });
}

/** As `runOn`, trying again while the answer is worth it; resolves with the last answer. */
export async function runPatiently(
  definition: SchedulerDefinition,
  context: ExecutorContext,
  argv: string[],
  cluster: string | null,
): Promise<CommandResult> {
  const began = performance.now();
  for (let tries = 0; ; tries++) {
    const result = await runOn(definition, context, argv, cluster);
    if (result.code === 0 || !matches(definition.transientErrors, textOf(result))) return result;
    if (!(await mayTryAgain(definition, tries, began))) return result;
  }
}

/** What a command printed, its errors first. */
export function textOf(result: CommandResult): string {
  return [result.stderr.trim(), result.stdout.trim()].filter((text) => text !== "").join("\n");
}

/** The user that asks, as schedulers take one without knowing the name. */
export function ownUid(): number {
  return process.getuid?.() ?? 0;
}

export function matches(patterns: RegExp[] | undefined, text: string): boolean {
  return patterns?.some((pattern) => pattern.test(text)) ?? false;
}

/** A command's failure as an error: a passing one counts as unreachable, any other as a refusal. */
export function commandError(
  definition: SchedulerDefinition,
  what: string,
  argv: string[],
  result: CommandResult,
): JobxError {
  const text = textOf(result);
  const passing = matches(definition.transientErrors, text);
  return new JobxError(
    passing ? "UNREACHABLE" : "REFUSED",
    `${what}: ${text === "" ? `${argv[0]} ended with exit code ${result.code} and said nothing` : text}`,
    {
      hint:
        definition.hint?.(text) ??
        (passing ? "The scheduler is busy or down: try again in a while" : undefined),
    },
  );
}

function clusterArgv(definition: SchedulerDefinition, argv: string[], cluster: string): string[] {
  if (definition.onCluster) return definition.onCluster(argv, cluster);
  throw elsewhere(cluster);
}

/** A cluster that commands of this host do not reach. */
export function elsewhere(cluster: string): JobxError {
  return new JobxError("REFUSED", `The job is on the cluster ${cluster}, which cannot be reached from here`, {
    hint: `Run jobx on a host of ${cluster}`,
  });
}
