import { describe, expect, test } from "bun:test";

import { Broker, type Decision } from "../../src/queue/broker.ts";
import type { Capacity, Slot, SlotShape } from "../../src/queue/protocol.ts";

const ONE: SlotShape = { cpus: 1, memBytes: 0, gpus: 0 };

function capacityOf(cpus: number, memBytes = 0, gpus: string[] = []): Capacity {
  return { cpus, memBytes, gpus, nice: 0, why: "a test" };
}

function grantsOf(decision: Decision): Record<string, number> {
  return Object.fromEntries(decision.grants.map(({ key, slots }) => [key, slots.length]));
}

function reclaimsOf(decision: Decision): Record<string, number> {
  return Object.fromEntries(decision.reclaims.map(({ key, count }) => [key, count]));
}

describe("the broker", () => {
  test("gives a job as many slots as it wants and the machine has", () => {
    const broker = new Broker(capacityOf(4));
    broker.add("a", 1, ONE, 100);
    expect(grantsOf(broker.allocate(0))).toEqual({ a: 4 });
    expect(grantsOf(broker.allocate(0))).toEqual({});
    expect(broker.used.cpus).toBe(4);
  });

  test("lets a later job use what an earlier one leaves", () => {
    const broker = new Broker(capacityOf(4));
    broker.add("a", 1, ONE, 1);
    broker.add("b", 2, { cpus: 2, memBytes: 0, gpus: 0 }, 5);
    expect(grantsOf(broker.allocate(0))).toEqual({ a: 1, b: 1 });
  });

  test("hands out GPUs as distinct entries", () => {
    const broker = new Broker(capacityOf(8, 0, ["2", "5", "GPU-x"]));
    broker.add("a", 1, { cpus: 1, memBytes: 0, gpus: 1 }, 2);
    broker.add("b", 2, { cpus: 1, memBytes: 0, gpus: 1 }, 2);
    const gpus = broker.allocate(0).grants.flatMap(({ slots }) => slots.flatMap((slot) => slot.gpus));
    expect(gpus).toEqual(["2", "5", "GPU-x"]);
  });

  test("counts memory only for jobs that ask for it", () => {
    const broker = new Broker(capacityOf(8, 1000));
    broker.add("a", 1, { cpus: 1, memBytes: 400, gpus: 0 }, 8);
    broker.add("b", 2, ONE, 3);
    expect(grantsOf(broker.allocate(0))).toEqual({ a: 2, b: 3 });
  });

  test("asks a later job for its slots when an earlier one can use them", () => {
    const broker = new Broker(capacityOf(2));
    broker.add("b", 2, ONE, 10);
    broker.allocate(0);
    broker.add("a", 1, ONE, 1);
    expect(reclaimsOf(broker.allocate(0))).toEqual({ b: 1 });
    expect(reclaimsOf(broker.allocate(0))).toEqual({});
    broker.release("b", broker.heldBy("b")[0]?.id ?? 0);
    expect(grantsOf(broker.allocate(0))).toEqual({ a: 1 });
  });

  test("does not ask an earlier job for anything", () => {
    const broker = new Broker(capacityOf(2));
    broker.add("a", 1, ONE, 10);
    broker.allocate(0);
    broker.add("b", 2, ONE, 10);
    const decision = broker.allocate(60_000);
    expect(reclaimsOf(decision)).toEqual({});
    expect(decision.lookAgainAt).toBeNull();
  });

  test("lets small later jobs pass a large one for half a minute, and then keeps room for it", () => {
    const broker = new Broker(capacityOf(4));
    broker.add("small", 2, ONE, 10);
    broker.allocate(0);
    broker.add("large", 1, { cpus: 4, memBytes: 0, gpus: 0 }, 1);
    const first = broker.allocate(1_000);
    expect(reclaimsOf(first)).toEqual({});
    expect(first.lookAgainAt).toBe(31_000);
    broker.release("small", broker.heldBy("small")[0]?.id ?? 0);
    expect(grantsOf(broker.allocate(2_000))).toEqual({ small: 1 });

    expect(reclaimsOf(broker.allocate(31_000))).toEqual({ small: 4 });
    for (let left = 4; left > 0; left--) {
      broker.release("small", broker.heldBy("small")[0]?.id ?? 0);
      expect(grantsOf(broker.allocate(32_000))).toEqual(left > 1 ? {} : { large: 1 });
    }
  });

  test("lets a job that could never start wait without keeping anything from the others", () => {
    const broker = new Broker(capacityOf(2));
    broker.add("huge", 1, { cpus: 3, memBytes: 0, gpus: 0 }, 1);
    broker.add("a", 2, ONE, 2);
    expect(grantsOf(broker.allocate(0))).toEqual({ a: 2 });
    expect(reclaimsOf(broker.allocate(90_000))).toEqual({});
  });

  test("counts slots that were held before it was there, and gives new ones other ids", () => {
    const broker = new Broker(capacityOf(3, 0, ["0", "1"]));
    broker.add("a", 1, { cpus: 1, memBytes: 0, gpus: 1 }, 2);
    broker.adopt("a", [{ id: 77, gpus: ["0"] }]);
    const [grant] = broker.allocate(0).grants;
    expect(grant?.slots).toEqual([{ id: 78, gpus: ["1"] }]);
  });

  test("finds its way through 10,000 waiting jobs in no time", () => {
    const broker = new Broker(capacityOf(2));
    for (let order = 1; order <= 10_000; order++) broker.add(String(order), order, ONE, 1);
    const began = performance.now();
    for (let order = 1; order <= 10_000; order++) {
      broker.allocate(order);
      broker.remove(String(order));
    }
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe("over random histories", () => {
  test("the broker never hands out more than there is, nor a GPU twice", () => {
    for (let seed = 1; seed <= 60; seed++) checkHistory(seed, 300);
  });

  test("every job that fits gets its turn, even when later ones never stop", () => {
    for (let seed = 1; seed <= 30; seed++) checkTurns(seed);
  });
});

function checkHistory(seed: number, steps: number): void {
  const random = generator(seed);
  const capacity = capacityOf(1 + random(8), 100 * random(10), ["0", "1", "2"].slice(0, random(4)));
  const broker = new Broker(capacity);
  let jobs = 0;
  const present: string[] = [];
  for (let step = 0; step < steps; step++) {
    const key = present[random(present.length)] ?? "none";
    const action = random(6);
    if (action === 0) {
      const shape = { cpus: 1 + random(4), memBytes: 50 * random(6), gpus: random(3) };
      present.push(`job${++jobs}`);
      broker.add(`job${jobs}`, jobs, shape, random(10));
    } else if (action === 1 && present.length > 3) {
      broker.remove(key);
      present.splice(present.indexOf(key), 1);
    } else if (action === 2) broker.want(key, random(10));
    else broker.release(key, broker.heldBy(key)[0]?.id ?? 0);
    broker.allocate(step * random(2_000));
    checkBooks(broker, capacity, present);
  }
}

function checkBooks(broker: Broker, capacity: Capacity, keys: string[]): void {
  expect(broker.used.cpus).toBeLessThanOrEqual(capacity.cpus);
  expect(broker.used.memBytes).toBeLessThanOrEqual(capacity.memBytes);
  expect(broker.used.gpus).toBeLessThanOrEqual(capacity.gpus.length);
  const slots = keys.flatMap((key): Slot[] => [...broker.heldBy(key)]);
  const gpus = slots.flatMap((slot) => slot.gpus);
  expect(new Set(gpus).size).toBe(gpus.length);
  expect(gpus.length).toBe(broker.used.gpus);
  expect(new Set(slots.map((slot) => slot.id)).size).toBe(slots.length);
}

/** Ten jobs with work for ever but for the one looked at; slots come back one at a time, as they were asked or not. */
function checkTurns(seed: number): void {
  const random = generator(seed);
  const capacity = capacityOf(2 + random(6), 400, ["0", "1"]);
  const broker = new Broker(capacity);
  const keys = Array.from({ length: 10 }, (_, index) => `job${index}`);
  for (const [index, key] of keys.entries()) {
    if (index === 0) continue;
    broker.add(
      key,
      index,
      { cpus: 1 + random(capacity.cpus), memBytes: 100 * random(4), gpus: random(2) },
      50,
    );
  }
  broker.allocate(0);
  broker.add("job0", 0, { cpus: capacity.cpus, memBytes: 400, gpus: 2 }, 1);
  for (let now = 1_000; now < 400_000; now += 1_000) {
    broker.allocate(now);
    if (broker.heldBy("job0").length > 0) break;
    const holders = broker.holders;
    const key = holders[random(holders.length)] ?? "";
    broker.release(key, broker.heldBy(key)[0]?.id ?? 0);
  }
  expect(broker.heldBy("job0").length).toBe(1);
}

/** Whole numbers below the given one, the same for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0;
    return below > 0 ? state % below : 0;
  };
}
