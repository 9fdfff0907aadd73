import { showUncaught } from "./uncaught.ts";

/**
 * Shows errors that a script leaves unhandled, in place of jobx's own handlers. As under `bun`, an uncaught error
 * ends the process with 1; a rejection leaves what else runs alone and ends it with 1 in the end. Handlers that
 * the script has win.
 */
export function watchErrors(colors: boolean): { inMain: (error: unknown) => void } {
  const fatal = (error: unknown) => {
    showUncaught(error, colors);
    process.exit(1);
  };
  process.removeAllListeners("uncaughtException");
  process.removeAllListeners("unhandledRejection");
  process.on("uncaughtException", (error) => {
    if (isAlone("uncaughtException")) fatal(error);
  });
  process.on("unhandledRejection", (error) => {
    if (!isAlone("unhandledRejection")) return;
    showUncaught(error, colors);
    process.exitCode = 1;
  });
  return {
    inMain(error) {
      if (isAlone("uncaughtException")) fatal(error);
      Reflect.apply(process.emit, process, ["uncaughtException", error, "uncaughtException"]);
    },
  };
}

/** The exit code of a script that waits for what will never come, as in Node. */
const OPEN_AWAIT_EXIT = 13;

/** Tells of a script that ends in the middle of a top-level await because nothing is left that could end it. */
export function warnOfOpenAwait(evaluated: Promise<unknown>): void {
  let open = true;
  let drained = false;
  const settled = () => void (open = false);
  evaluated.then(settled, settled);
  process.on("beforeExit", () => void (drained = true));
  process.on("exit", () => {
    if (!open || !drained || process.exitCode) return;
    console.error("error: The script awaits something that can no longer come: nothing else is running");
    process.exitCode = OPEN_AWAIT_EXIT;
  });
}

function isAlone(event: "uncaughtException" | "unhandledRejection"): boolean {
  return process.listenerCount(event) <= 1;
}
