/** What a configuration key holds: a flag's text, an on/off switch, a list of lines, or a table of texts. */
export type KeyKind = "text" | "switch" | "list" | "table";

/** A value as the flag of that name would be written. */
export type ConfigValue = string | boolean | string[] | Record<string, string>;

/**
 * Every key of the configuration: the flags' names, where a default makes sense, plus `home`, `shared`,
 * `profile` and `runtime`. `JOBX_` and the name in capitals sets it by the environment, tables excepted.
 */
export const CONFIG_KEYS: Readonly<Record<string, KeyKind>> = {
  home: "text",
  shared: "switch",
  profile: "text",
  runtime: "list",
  executor: "text",
  time: "text",
  mem: "text",
  cpus: "text",
  gpus: "text",
  nodes: "text",
  "ranks-per-node": "text",
  partition: "text",
  account: "text",
  qos: "text",
  parallel: "text",
  pack: "text",
  retries: "text",
  "max-timeouts": "text",
  requeue: "switch",
  "signal-delay": "text",
  env: "table",
  "clean-env": "switch",
  setup: "list",
  teardown: "list",
  distributed: "switch",
  "merge-output": "switch",
  "max-payload": "text",
  launcher: "text",
  capture: "switch",
  snapshot: "switch",
};

/** The variable that sets a key. */
export function variableOf(key: string): string {
  return `JOBX_${key.toUpperCase().replaceAll("-", "_")}`;
}

/** Reads a value of the configuration; null where its type does not fit the key. */
export function readValue(kind: KeyKind, value: unknown): ConfigValue | null {
  switch (kind) {
    case "text":
      return isText(value) ? String(value) : null;
    case "switch":
      return typeof value === "boolean" ? value : null;
    case "list":
      if (typeof value === "string") return [value];
      return Array.isArray(value) && value.every((line) => typeof line === "string") ? value : null;
    case "table":
      return isTable(value) && Object.values(value).every(isText)
        ? Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]))
        : null;
  }
}

/** What a kind takes, for messages. */
export const KIND_WORDS: Record<KeyKind, string> = {
  text: "one text or number",
  switch: "true or false",
  list: "a text or a list of texts",
  table: "a table of texts",
};

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isText(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}
