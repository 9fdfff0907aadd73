/** What `JSON.stringify` writes without loss. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * A result value as JSON, for `--json`. What JSON has not is written like this:
 *
 *     undefined                  null
 *     NaN, Infinity, -Infinity   "NaN", "Infinity", "-Infinity"
 *     BigInt                     its decimal digits as a string
 *     Date                       ISO 8601 UTC as a string; null for an invalid one
 *     Map                        an array of [key, value]
 *     Set, typed array           an array
 *     ArrayBuffer, DataView      base64 as a string
 *     RegExp                     "/source/flags"
 *     Error                      an object with name, message, stack, cause and its own fields
 *     a value inside itself      {"$ref": "$.path.to.it"}
 */
export function toJson(value: unknown): Json {
  return convert(value, "$", new Map());
}

/** Whether `toJson` changes nothing, so that what people read may be JSON as well. */
export function isPlainJson(value: unknown): boolean {
  return isPlain(value, new Set());
}

function convert(value: unknown, path: string, above: Map<object, string>): Json {
  if (value === null || typeof value !== "object") return convertPrimitive(value);
  const seen = above.get(value);
  if (seen !== undefined) return { $ref: seen };
  const leaf = convertLeaf(value);
  if (leaf !== undefined) return leaf;
  above.set(value, path);
  const inner = (child: unknown, key: string | number) =>
    convert(child, typeof key === "number" ? `${path}[${key}]` : `${path}.${key}`, above);
  const json = convertContainer(value, inner);
  above.delete(value);
  return json;
}

function convertPrimitive(value: unknown): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return String(value);
    default:
      return null;
  }
}

/** Objects that hold no other values; undefined for those that do. */
function convertLeaf(value: object): Json | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value).toBase64();
  if (value instanceof DataView) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).toBase64();
  }
  if (value instanceof BigInt64Array || value instanceof BigUint64Array) return Array.from(value, String);
  if (isNumbers(value)) return Array.from(value, convertPrimitive);
  return undefined;
}

function convertContainer(value: object, inner: (child: unknown, key: string | number) => Json): Json {
  if (Array.isArray(value)) return Array.from(value, inner);
  if (value instanceof Set) return [...value].map(inner);
  if (value instanceof Map) return [...value].map((pair, at) => pair.map((half) => inner(half, at)));
  // No prototype: a key named __proto__ is then a key like any other.
  const json: { [key: string]: Json } = Object.create(null);
  for (const [key, child] of fieldsOf(value)) json[key] = inner(child, key);
  return json;
}

function fieldsOf(value: object): [string, unknown][] {
  if (!(value instanceof Error)) return Object.entries(value);
  const own = Object.entries(value).filter(([key]) => !ERROR_FIELDS.has(key));
  const cause: [string, unknown][] = value.cause === undefined ? [] : [["cause", value.cause]];
  const standard: [string, unknown][] = [
    ["name", value.name],
    ["message", value.message],
    ["stack", value.stack ?? null],
  ];
  return [...standard, ...cause, ...own];
}

const ERROR_FIELDS = new Set(["name", "message", "stack", "cause"]);

function isNumbers(value: object): value is ArrayLike<number> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isPlain(value: unknown, above: Set<object>): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || above.has(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return false;
  above.add(value);
  const plain = Object.values(value).every((child) => isPlain(child, above));
  above.delete(value);
  return plain;
}
