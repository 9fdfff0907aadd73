import { clock } from "./clock.ts";
import type { ElementContext } from "./element-context.ts";
import type { ElementRun } from "./element-run.ts";

/**
 * Passes signals on to the run until the function it returns is called: SIGUSR2 warns of a preemption, SIGUSR1 of a
 * time limit, SIGTERM and SIGINT end; by SIGCONT the clock learns that time has stood still, and the terminal's closing
 * means nothing here.
 */
export function obeySignals(
  run: ElementRun,
  { family, allocation }: ElementContext,
  settingUp: AbortController,
): () => void {
  const ignored = allocation?.ignoredSignals ?? [];
  const end = () => {
    // Setup and teardown; tasks are told by the run, once: some programs take a second SIGTERM for haste.
    if (run.isIdle) family.signal("SIGTERM");
    run.stop();
    settingUp.abort();
  };
  const ignore = () => undefined;
  const handlers: Record<string, () => void> = {
    SIGUSR2: () => run.preempt("preempted"),
    SIGUSR1: () => run.preempt("timeout"),
    SIGTERM: end,
    SIGINT: end,
    SIGHUP: ignore,
    SIGCONT: () => clock.continued(),
  };
  for (const signal of ignored) handlers[signal] = ignore;
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  const unwatch = clock.watch();
  return () => {
    unwatch();
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}
