import type { SlotShape } from "./protocol.ts";

/** An amount of each thing that the queue hands out; GPUs as a count. */
export type Room = SlotShape;

export function plus(a: Room, b: Room): Room {
  return { cpus: a.cpus + b.cpus, memBytes: a.memBytes + b.memBytes, gpus: a.gpus + b.gpus };
}

/** What is left of `a`; never below zero. */
export function minus(a: Room, b: Room): Room {
  return {
    cpus: Math.max(0, a.cpus - b.cpus),
    memBytes: Math.max(0, a.memBytes - b.memBytes),
    gpus: Math.max(0, a.gpus - b.gpus),
  };
}

/** The lesser of both, each thing by itself. */
export function lesser(a: Room, b: Room): Room {
  return {
    cpus: Math.min(a.cpus, b.cpus),
    memBytes: Math.min(a.memBytes, b.memBytes),
    gpus: Math.min(a.gpus, b.gpus),
  };
}

export function times(a: Room, count: number): Room {
  return { cpus: a.cpus * count, memBytes: a.memBytes * count, gpus: a.gpus * count };
}

export function fits(room: Room, shape: SlotShape): boolean {
  return shape.cpus <= room.cpus && shape.memBytes <= room.memBytes && shape.gpus <= room.gpus;
}
