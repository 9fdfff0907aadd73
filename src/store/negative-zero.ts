/** Stands for -0, which msgpack's integers lose. */
export class NegativeZero {}

/**
 * A copy of a checked value in which every -0 is a stand-in. Containers are copied, everything else is
 * shared; cycles and shared references stay what they are.
 */
export function withStandIns(value: unknown): unknown {
  return copy(value, new Map());
}

function copy(value: unknown, copies: Map<object, object>): unknown {
  // A fresh one each time: a shared one would be stored as a reference to the first.
  if (typeof value === "number") return Object.is(value, -0) ? new NegativeZero() : value;
  if (typeof value !== "object" || value === null) return value;
  const known = copies.get(value);
  if (known) return known;
  if (Array.isArray(value)) {
    const target: unknown[] = [];
    copies.set(value, target);
    for (const item of value) target.push(copy(item, copies));
    return target;
  }
  if (value instanceof Map) {
    const target = new Map<unknown, unknown>();
    copies.set(value, target);
    for (const [key, item] of value) target.set(copy(key, copies), copy(item, copies));
    return target;
  }
  if (value instanceof Set) {
    const target = new Set<unknown>();
    copies.set(value, target);
    for (const item of value) target.add(copy(item, copies));
    return target;
  }
  if (value instanceof Error) return copyError(value, copies);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Dates, typed arrays and their like hold no -0 that msgpack would lose.
  if (prototype !== null && prototype !== Object.prototype) return value;
  const target: Record<string, unknown> = {};
  copies.set(value, target);
  for (const [key, item] of Object.entries(value)) target[key] = copy(item, copies);
  return target;
}

function copyError(error: Error, copies: Map<object, object>): object {
  const descriptors = Object.getOwnPropertyDescriptors(error);
  const target: object = Object.create(Object.getPrototypeOf(error), descriptors);
  copies.set(error, target);
  for (const [key, descriptor] of Object.entries(descriptors)) {
    if (!("value" in descriptor)) continue;
    Object.defineProperty(target, key, { ...descriptor, value: copy(descriptor.value, copies) });
  }
  return target;
}
