import type { Element } from "./element.ts";
import { type ElementHistory, readHistory } from "./history.ts";

/** The history of an element, once an earlier run on another host has left, or has had its time for it. */
export async function readLeftHistory(
  dir: string,
  element: Element,
  place: { ranks: number; node: string },
): Promise<ElementHistory> {
  const { restarts = 0, handoverSeconds = 0 } = element.allocation ?? {};
  const deadline = performance.now() + (restarts > 0 ? handoverSeconds * 1000 : 0);
  for (;;) {
    const history = readHistory(dir, element.element, place.ranks, restarts);
    const isLeft = [...history.tasks.values()].every(({ open }) =>
      open.every(({ node }) => node === place.node),
    );
    if (isLeft || performance.now() > deadline) return history;
    await Bun.sleep(HANDOVER_LOOK_MS);
  }
}

const HANDOVER_LOOK_MS = 250;
