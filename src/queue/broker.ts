import type { Capacity, Slot, SlotShape } from "./protocol.ts";
import { fits, lesser, minus, plus, type Room, times } from "./room.ts";

/** A job that may run, as the broker sees it. */
type Claimant = {
  key: string;
  /** Its place in the line. */
  order: number;
  shape: SlotShape;
  /** Slots it could use, those it holds included. */
  want: number;
  held: readonly Slot[];
  /** How many of `held` were asked back. */
  reclaiming: number;
  /** Since when others, later in line, work while it waits; in milliseconds. */
  passedOverSince: number | null;
};

/** What follows from one look at the line. */
export type Decision = {
  grants: { key: string; slots: Slot[] }[];
  reclaims: { key: string; count: number }[];
  /** When to look again though nothing has happened; null for never. */
  lookAgainAt: number | null;
};

/** A job that several later slots keep waiting is patient this long before room is kept free for it. */
const PATIENCE_MS = 30_000;

const NO_SLOTS: readonly Slot[] = [];

/**
 * Who gets what: pure bookkeeping with no clock of its own. First come, first served with what fits: an
 * earlier job has first claim, a later one may use what it cannot. Where giving back one later slot lets
 * an earlier job start, that slot is asked back at once; where it takes several, so that CPUs would idle
 * until the last of them is free, only after the earlier job has been passed over for 30 s. From then on
 * nothing that it needs goes to later jobs, so it never starves.
 */
export class Broker {
  readonly #line: Claimant[] = [];
  readonly #byKey = new Map<string, Claimant>();
  readonly #holders = new Set<Claimant>();
  #capacity: Capacity;
  #used: Room = { cpus: 0, memBytes: 0, gpus: 0 };
  #nextSlot: number;

  /** `firstSlot`: ids count up from here; distinct from those that an earlier queue gave. */
  constructor(capacity: Capacity, firstSlot = 1) {
    this.#capacity = capacity;
    this.#nextSlot = firstSlot;
  }

  get capacity(): Capacity {
    return this.#capacity;
  }

  set capacity(capacity: Capacity) {
    this.#capacity = capacity;
  }

  /** What is handed out; above the capacity only after the capacity was lowered. */
  get used(): Room {
    return this.#used;
  }

  /** Keys of the jobs that hold slots. */
  get holders(): string[] {
    return [...this.#holders].map((claimant) => claimant.key);
  }

  /** Puts a job in the line at its place. */
  add(key: string, order: number, shape: SlotShape, want: number): void {
    if (this.#byKey.has(key)) return;
    const claimant = { key, order, shape, want, held: NO_SLOTS, reclaiming: 0, passedOverSince: null };
    this.#byKey.set(key, claimant);
    this.#line.splice(this.#placeOf(order), 0, claimant);
  }

  /** Takes a job out of the line; its slots are free. */
  remove(key: string): void {
    const claimant = this.#byKey.get(key);
    if (!claimant) return;
    this.#setHeld(claimant, NO_SLOTS);
    this.#byKey.delete(key);
    this.#line.splice(this.#placeOf(claimant.order), 1);
  }

  want(key: string, slots: number): void {
    const claimant = this.#byKey.get(key);
    if (claimant) claimant.want = slots;
  }

  /** A slot comes back. Unknown ones are ignored. */
  release(key: string, slot: number): void {
    const claimant = this.#byKey.get(key);
    if (!claimant?.held.some((held) => held.id === slot)) return;
    const held = claimant.held.filter((other) => other.id !== slot);
    claimant.reclaiming = Math.max(0, claimant.reclaiming - 1);
    this.#setHeld(claimant, held);
  }

  /** What a job holds by its own word, whatever was known before; nothing of it is being asked back. */
  adopt(key: string, slots: readonly Slot[]): void {
    const claimant = this.#byKey.get(key);
    if (!claimant) return;
    claimant.reclaiming = 0;
    this.#setHeld(claimant, [...slots]);
    for (const slot of slots) this.#nextSlot = Math.max(this.#nextSlot, slot.id + 1);
  }

  heldBy(key: string): readonly Slot[] {
    return this.#byKey.get(key)?.held ?? NO_SLOTS;
  }

  /** What is free now, whoever has a claim to it. */
  get free(): Room {
    return minus(roomOf(this.#capacity), this.#used);
  }

  /** The most slots of this shape that the capacity holds. */
  mostOf(shape: SlotShape): number {
    const { cpus, memBytes, gpus } = roomOf(this.#capacity);
    const byMemory = shape.memBytes > 0 ? Math.floor(memBytes / shape.memBytes) : Infinity;
    const byGpus = shape.gpus > 0 ? Math.floor(gpus / shape.gpus) : Infinity;
    return Math.min(Math.floor(cpus / shape.cpus), byMemory, byGpus);
  }

  /** Hands out what is free and asks back what earlier jobs have a claim to. `now` in milliseconds. */
  allocate(now: number): Decision {
    const decision: Decision = { grants: [], reclaims: [], lookAgainAt: null };
    const lastHolder = Math.max(-1, ...[...this.#holders].map((holder) => holder.order));
    let free = this.free;
    let coming = this.#coming();
    for (const claimant of this.#line) {
      if (free.cpus <= 0 && claimant.order >= lastHolder) break;
      const unmet = claimant.want - claimant.held.length;
      if (unmet <= 0 || !fits(roomOf(this.#capacity), claimant.shape)) {
        claimant.passedOverSince = null;
        continue;
      }
      const granted = this.#grant(claimant, Math.min(unmet, countThatFit(free, claimant.shape)));
      if (granted.length > 0) {
        free = minus(free, times(claimant.shape, granted.length));
        claimant.passedOverSince = null;
        decision.grants.push({ key: claimant.key, slots: granted });
      }
      const left = unmet - granted.length;
      if (left > 0) ({ free, coming } = this.#claim(claimant, left, { free, coming }, now, decision));
    }
    return decision;
  }

  /** Keeps room for slots that a waiting job can have once later jobs give theirs back. */
  #claim(claimant: Claimant, unmet: number, rooms: Rooms, now: number, decision: Decision): Rooms {
    const victims = this.#victimsOf(claimant);
    const waits = rooms.coming.cpus > 0 || victims.length > 0;
    claimant.passedOverSince = waits ? (claimant.passedOverSince ?? now) : null;
    const patienceEnds = (claimant.passedOverSince ?? now) + PATIENCE_MS;
    let { free, coming } = rooms;
    for (let slot = 0; slot < unmet; slot++) {
      const all = plus(free, coming);
      const needed = victimsFor(claimant.shape, all, victims);
      if (needed === null) break;
      if (needed.length > 1 && now < patienceEnds) {
        decision.lookAgainAt = Math.min(decision.lookAgainAt ?? Infinity, patienceEnds);
        break;
      }
      let total = all;
      for (const victim of needed) {
        askBack(victim, decision);
        victims.splice(victims.indexOf(victim), 1);
        total = plus(total, victim.shape);
      }
      const left = minus(total, claimant.shape);
      free = lesser(free, left);
      coming = minus(left, free);
    }
    return { free, coming };
  }

  #grant(claimant: Claimant, count: number): Slot[] {
    if (count <= 0) return [];
    const taken = new Set([...this.#holders].flatMap((holder) => holder.held.flatMap((slot) => slot.gpus)));
    const gpus = this.#capacity.gpus.filter((gpu) => !taken.has(gpu));
    const slots: Slot[] = [];
    for (let index = 0; index < count; index++) {
      slots.push({ id: this.#nextSlot++, gpus: gpus.splice(0, claimant.shape.gpus) });
    }
    this.#setHeld(claimant, [...claimant.held, ...slots]);
    return slots;
  }

  /** What comes back soon: slots that were asked for. */
  #coming(): Room {
    let room: Room = { cpus: 0, memBytes: 0, gpus: 0 };
    for (const holder of this.#holders) room = plus(room, times(holder.shape, holder.reclaiming));
    return room;
  }

  /** One entry per slot of a later job that can still be asked back, the last job's first. */
  #victimsOf(claimant: Claimant): Claimant[] {
    return [...this.#holders]
      .filter((holder) => holder.order > claimant.order)
      .sort((a, b) => b.order - a.order)
      .flatMap((holder) => Array.from({ length: holder.held.length - holder.reclaiming }, () => holder));
  }

  #setHeld(claimant: Claimant, held: readonly Slot[]): void {
    const difference = held.length - claimant.held.length;
    const change = times(claimant.shape, Math.abs(difference));
    this.#used = difference >= 0 ? plus(this.#used, change) : minus(this.#used, change);
    claimant.held = held;
    claimant.reclaiming = Math.min(claimant.reclaiming, held.length);
    if (held.length > 0) this.#holders.add(claimant);
    else this.#holders.delete(claimant);
  }

  /** The place in the line of this order number, by bisection. */
  #placeOf(order: number): number {
    let low = 0;
    let high = this.#line.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#line[middle]?.order ?? Infinity) < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What is free for the jobs that are still to be looked at, now and once asked-for slots are back. */
type Rooms = { free: Room; coming: Room };

/**
 * The later slots to ask back so that the shape fits: none, a single one where that is enough, else as
 * many as it takes of those that hold something that is lacking. Null when even all do not help.
 */
function victimsFor(shape: SlotShape, room: Room, victims: Claimant[]): Claimant[] | null {
  if (fits(room, shape)) return [];
  const single = victims.find((victim) => fits(plus(room, victim.shape), shape));
  if (single) return [single];
  const chosen: Claimant[] = [];
  let total = room;
  for (const victim of victims) {
    if (!helps(victim.shape, total, shape)) continue;
    chosen.push(victim);
    total = plus(total, victim.shape);
    if (fits(total, shape)) return chosen;
  }
  return null;
}

function helps(given: SlotShape, room: Room, shape: SlotShape): boolean {
  return (
    (room.cpus < shape.cpus && given.cpus > 0) ||
    (room.memBytes < shape.memBytes && given.memBytes > 0) ||
    (room.gpus < shape.gpus && given.gpus > 0)
  );
}

function askBack(victim: Claimant, decision: Decision): void {
  victim.reclaiming++;
  const asked = decision.reclaims.find((reclaim) => reclaim.key === victim.key);
  if (asked) asked.count++;
  else decision.reclaims.push({ key: victim.key, count: 1 });
}

function countThatFit(room: Room, shape: SlotShape): number {
  let count = Math.floor(room.cpus / shape.cpus);
  if (shape.memBytes > 0) count = Math.min(count, Math.floor(room.memBytes / shape.memBytes));
  if (shape.gpus > 0) count = Math.min(count, Math.floor(room.gpus / shape.gpus));
  return count;
}

function roomOf(capacity: Capacity): Room {
  return { cpus: capacity.cpus, memBytes: capacity.memBytes, gpus: capacity.gpus.length };
}
