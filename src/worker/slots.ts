import type { JobSpec } from "../model/job.ts";
import type { OrderHandler, SlotSource } from "../queue/protocol.ts";
import type { Element } from "./element.ts";
import { fixedSlots } from "./fixed-slots.ts";

/** Slots from the host's queue where one started this worker, else as many as the element has by itself. */
export async function openSlots(options: {
  dir: string;
  spec: JobSpec;
  element: Element;
  onOrder: OrderHandler;
}): Promise<SlotSource> {
  const { dir, spec, element, onOrder } = options;
  const socket = process.env.JOBX_QUEUE_SOCKET;
  if (socket) {
    const { connectQueue } = await import("../queue/worker-link.ts");
    return connectQueue({ socket, dir, runtime: spec.runtime, env: process.env, onOrder });
  }
  const gpus = (process.env.CUDA_VISIBLE_DEVICES ?? "").split(",").filter((gpu) => gpu !== "");
  return fixedSlots({ count: element.slots, gpus, gpusPerSlot: spec.resources.gpus?.count ?? 0 }, onOrder);
}
