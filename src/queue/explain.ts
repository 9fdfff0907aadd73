import { formatSize } from "../model/sizes.ts";
import type { Capacity, SlotShape } from "./protocol.ts";
import type { Room } from "./room.ts";

/** A job that holds something, by its id. */
export type Holder = { job: number; slots: number };

/** Why a job waits, e.g. "waits for 4 CPUs: 2 of 2 are used by job 11". */
export function explainWait(shape: SlotShape, capacity: Capacity, used: Room, holders: Holder[]): string {
  const excess = explainExcess(shape, capacity);
  if (excess) return `waits in vain: ${excess}`;
  const who = nameHolders(holders);
  if (shape.cpus > capacity.cpus - used.cpus) {
    return `waits for ${count(shape.cpus, "CPU")}: ${used.cpus} of ${capacity.cpus} are used${who}`;
  }
  if (shape.gpus > capacity.gpus.length - used.gpus) {
    return `waits for ${count(shape.gpus, "GPU")}: ${used.gpus} of ${capacity.gpus.length} are used${who}`;
  }
  if (shape.memBytes > capacity.memBytes - used.memBytes) {
    const figures = `${formatSize(used.memBytes)} of ${formatSize(capacity.memBytes)}`;
    return `waits for ${formatSize(shape.memBytes)} of memory: ${figures} are used${who}`;
  }
  return `waits for its turn${holders.length > 0 ? `: the CPUs are used${who}` : ""}`;
}

/** What a task asks for that this machine never has, naming both figures; null when it fits. */
export function explainExcess(shape: SlotShape, capacity: Capacity): string | null {
  if (shape.cpus > capacity.cpus) {
    return `a task asks for ${count(shape.cpus, "CPU")}, and local jobs may use ${capacity.cpus} here`;
  }
  if (shape.memBytes > capacity.memBytes) {
    return `a task asks for ${formatSize(shape.memBytes)} of memory, and local jobs may use ${formatSize(capacity.memBytes)} here`;
  }
  if (shape.gpus > capacity.gpus.length) {
    return `a task asks for ${count(shape.gpus, "GPU")}, and local jobs may use ${capacity.gpus.length} here`;
  }
  return null;
}

function nameHolders(holders: Holder[]): string {
  const ids = [...new Set(holders.map((holder) => holder.job))];
  if (ids.length === 0) return "";
  if (ids.length > 3) return ` by ${ids.length} jobs`;
  return ` by job${ids.length > 1 ? "s" : ""} ${ids.join(", ")}`;
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}
