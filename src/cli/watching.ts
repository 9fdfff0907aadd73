import type { Selected } from "../orchestrator/select.ts";
import type { Services } from "../orchestrator/services.ts";
import { waitFor } from "../orchestrator/wait.ts";
import type { CliContext } from "./context.ts";
import { subjectsOf } from "./selection.ts";
import { renderStatus } from "./status-text.ts";
import { scopesOf } from "./waiting.ts";

/** On a terminal a new picture at most this often; elsewhere, where every picture stays, more rarely. */
const TERMINAL_MS = 250;
const LOG_MS = 5000;
const TICK_MS = 1000;

/**
 * Shows the status again and again until everything has ended: in place on a terminal, elsewhere one
 * below the other whenever it has changed. Ctrl-C rejects with INTERRUPTED.
 */
export async function watchStatus(
  context: CliContext,
  services: Services,
  selected: Selected[],
  options: { tasks: boolean },
): Promise<void> {
  const { output } = context;
  const inPlace = process.stdout.isTTY;
  const subjects = subjectsOf(selected);
  let shown = "";
  let shownAt = -Infinity;
  const show = (text: string) => {
    if (text === shown) return;
    // Home, every line cleared as it is written over, then what is left below: no flicker.
    if (inPlace) output.write(`\u001b[H${text.replaceAll("\n", "\u001b[K\n")}\u001b[K\n\u001b[J`);
    else output.write(`${shown === "" ? "" : "\n"}${text}\n`);
    shown = text;
    shownAt = performance.now();
  };
  if (inPlace) output.write("\u001b[2J");
  const render = (views: Parameters<typeof scopesOf>[0]) => {
    const scopes = scopesOf(views, subjects);
    if (output.form === "quiet") return scopes.map((scope) => scope.state).join("\n");
    return renderStatus(scopes, output.style, options);
  };
  const last = await waitFor(services, selected, {
    signal: context.interruptible(),
    // "running for 3s" goes on although nothing else is new; where every picture stays, it must not.
    tickMs: inPlace ? TICK_MS : undefined,
    onProgress: (views) => {
      if (performance.now() - shownAt >= (inPlace ? TERMINAL_MS : LOG_MS)) show(render(views));
    },
  });
  show(render(last));
}
