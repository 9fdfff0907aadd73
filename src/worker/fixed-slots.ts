import type { OrderHandler, Slot, SlotSource } from "../queue/protocol.ts";

/**
 * Slots inside a scheduler's allocation: a fixed number, granted as they are wanted. The allocation's
 * GPUs are shared out, `gpusPerSlot` distinct ones to each slot.
 */
export function fixedSlots(
  options: { count: number; gpus: string[]; gpusPerSlot: number },
  onOrder: OrderHandler,
): SlotSource {
  const free: Slot[] = Array.from({ length: options.count }, (_, id) => ({
    id,
    gpus: options.gpus.slice(id * options.gpusPerSlot, (id + 1) * options.gpusPerSlot),
  }));
  return {
    want(slots) {
      const held = options.count - free.length;
      const granted = free.splice(0, Math.max(0, slots - held));
      if (granted.length > 0) onOrder({ type: "grant", slots: granted });
    },
    release(slot) {
      free.push(slot);
    },
    done: () => Promise.resolve(),
  };
}
