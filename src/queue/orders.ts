import type { Entry, Link } from "./entry.ts";
import type { Slot, WorkerOrder } from "./protocol.ts";

/** Gives the job's supervisor an order: now, or when it connects. */
export function giveOrder(entry: Entry, order: WorkerOrder): void {
  if (entry.link) entry.link.order(order);
  else entry.pending = [...entry.pending, order];
}

/** As `giveOrder`, for slots: those that no supervisor has heard of are held for the next one. */
export function giveSlots(entry: Entry, slots: Slot[]): void {
  if (entry.link) entry.link.order({ type: "grant", slots });
  else entry.undelivered = [...entry.undelivered, ...slots];
}

/** Tells a supervisor that has connected what holds however often it connects, then what was ordered meanwhile. */
export function giveWaitingOrders(entry: Entry, link: Link): void {
  if (entry.waiting && entry.waiting.size > 0) link.order({ type: "block", tasks: [...entry.waiting] });
  for (const order of ordersToCancel(entry.broken)) link.order(order);
  for (const order of entry.pending) link.order(order);
  entry.pending = [];
}

/** One order per reason for tasks whose counterpart did not succeed. */
export function ordersToCancel(broken: Map<number, string> | null): WorkerOrder[] {
  const byReason = Map.groupBy(broken ?? [], ([, reason]) => reason);
  return [...byReason].map(([reason, tasks]) => ({
    type: "cancel",
    tasks: tasks.map(([task]) => task),
    reason,
  }));
}
