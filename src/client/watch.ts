import { type Watched, Watcher, type WatchOptions, type WatchOutcome } from "../orchestrator/watcher.ts";
import { currentDriver } from "./driver.ts";

/** Whatever is waited for in this process is looked at by this one. */
const watcher = new Watcher();

/** Waits until all of these have ended, or gives up; the driver knows of it meanwhile. */
export async function watch(watched: Watched[], options: WatchOptions): Promise<WatchOutcome> {
  const ids = new Set(watched.map(({ reader }) => reader.id));
  const over = currentDriver().waiting?.([...ids]);
  try {
    return await watcher.wait(watched, options);
  } finally {
    over?.();
  }
}
