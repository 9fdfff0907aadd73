import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { errnoOf, JobxError, messageOf, usageError } from "../errors.ts";
import { distrustError, distrustOf } from "../executor/trust.ts";
import { nearest } from "../model/nearest.ts";
import { userFolder } from "../registry/folders.ts";
import { CONFIG_KEYS, type ConfigValue, isTable, KIND_WORDS, readValue, variableOf } from "./keys.ts";
import { textOf } from "./read-text.ts";
import { lineOf, parseToml } from "./toml.ts";

type Env = Record<string, string | undefined>;

/** What one source says. */
export type Layer = {
  values: Record<string, ConfigValue>;
  /** Tables of executors. */
  settings: Record<string, Record<string, unknown>>;
  profiles: Record<string, Layer>;
  /** Where a key was set: a file with its line, or a variable. */
  originOf(key: string, inner?: string): string;
};

/** The files that are looked for, lowest first; `project` is the nearest `jobx.toml` upwards of the folder. */
export function configFiles(env: Env, cwd: string): { system: string; user: string; project: string | null } {
  return {
    system: "/etc/jobx/config.toml",
    user: join(userFolder(env), "config.toml"),
    project: findUpwards(cwd, "jobx.toml"),
  };
}

/** Reads a configuration file; null where there is none. Throws USAGE that names file, line and the nearest key. */
export function readLayer(path: string, env: Env): Layer | null {
  const text = readText(path);
  if (text === null) return null;
  return toLayer(parseToml(text, path), { path, text, env, within: [] });
}

/** Reads the project's file, which names things to run and so must be nobody else's. */
export function readProjectLayer(path: string, env: Env): Layer | null {
  const distrust = distrustOf(path);
  if (distrust) throw distrustError("USAGE", `The configuration ${path}`, distrust);
  return readLayer(path, env);
}

/** What the JOBX_ variables say. */
export function environmentLayer(env: Env, cwd: string): Layer {
  const values: Record<string, ConfigValue> = {};
  for (const [key, kind] of Object.entries(CONFIG_KEYS)) {
    const text = env[variableOf(key)];
    if (kind === "table" || text === undefined || text === "") continue;
    const value = kind === "switch" ? readSwitch(text) : readValue(kind, text);
    if (value === null) throw usageError(`${variableOf(key)} is ${JSON.stringify(text)}`, "It takes 1 or 0");
    values[key] = anchored(key, value, cwd, env);
  }
  return { values, settings: {}, profiles: {}, originOf: variableOf };
}

/** Makes `~/` and relative paths absolute, for the keys that hold one. */
export function anchored(key: string, value: ConfigValue, folder: string, env: Env): ConfigValue {
  const absolute = (path: string) =>
    path === "~" || path.startsWith("~/") ? join(homeOf(env), path.slice(1)) : resolve(folder, path);
  if (key === "home" && typeof value === "string") return absolute(value);
  if (key === "runtime" && Array.isArray(value)) {
    return value.map((word) => (word.includes("/") ? absolute(word) : word));
  }
  return value;
}

export function homeOf(env: Env): string {
  return env.HOME || homedir();
}

type Source = { path: string; text: string; env: Env; within: string[] };

function toLayer(table: Record<string, unknown>, source: Source): Layer {
  const layer: Layer = {
    values: {},
    settings: {},
    profiles: {},
    originOf: (key, inner) => at(source, inner === undefined ? [key] : [key, inner]),
  };
  for (const [key, value] of Object.entries(table)) {
    const kind = Object.hasOwn(CONFIG_KEYS, key) ? CONFIG_KEYS[key] : undefined;
    if (kind && !(key === "profile" && isTable(value))) {
      const read = readValue(kind, value);
      if (read === null) {
        throw usageError(
          `${at(source, [key])}: ${key} is ${JSON.stringify(value)}`,
          `It takes ${KIND_WORDS[kind]}`,
        );
      }
      if (MUST_NAME.includes(key) && (read === "" || (Array.isArray(read) && !read[0]))) {
        throw usageError(
          `${at(source, [key])}: ${key} is ${JSON.stringify(value)}`,
          `Name one, or leave ${key} out`,
        );
      }
      layer.values[key] = anchored(key, read, dirname(source.path), source.env);
    } else if (key === "profile" && isTable(value) && source.within.length === 0) {
      for (const [name, profile] of Object.entries(value)) {
        if (!isTable(profile)) {
          throw usageError(
            `${at(source, ["profile", name])}: profile.${name} is ${JSON.stringify(profile)}`,
            "A profile is a table with a name: [profile.NAME]",
          );
        }
        layer.profiles[name] = toLayer(profile, { ...source, within: ["profile", name] });
      }
    } else if (isTable(value) && isExecutorTable(key)) {
      layer.settings[key] = value;
    } else {
      throw unknownKey(source, [key]);
    }
  }
  return layer;
}

/** Empty, they would mean the current folder, and a runtime that cannot be started. */
const MUST_NAME = ["home", "runtime"];

const BUILT_IN_TABLES = ["slurm", "local", "debug"];

/** Any table may be a plugin's, unless it looks like a slip of the pen. */
function isExecutorTable(name: string): boolean {
  return BUILT_IN_TABLES.includes(name) || nearest(name, [...BUILT_IN_TABLES, "profile", "env"]) === null;
}

function unknownKey(source: Source, path: string[]): Error {
  const key = path.at(-1) ?? "";
  const near = nearest(key, [...Object.keys(CONFIG_KEYS), ...BUILT_IN_TABLES]);
  return usageError(
    `${at(source, path)}: unknown key ${JSON.stringify(key)}`,
    near
      ? `Did you mean ${near}?`
      : "Keys are the names of submit's flags; executors have tables of their own",
  );
}

function at(source: Source, path: string[]): string {
  return `${source.path}:${lineOf(source.text, [...source.within, ...path])}`;
}

function readSwitch(text: string): boolean | null {
  const word = text.toLowerCase();
  if (["1", "true", "yes", "on"].includes(word)) return true;
  return ["0", "false", "no", "off"].includes(word) ? false : null;
}

function readText(path: string): string | null {
  try {
    return textOf(readFileSync(path), path);
  } catch (error) {
    if (error instanceof JobxError) throw error;
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) return null;
    throw usageError(`${path} cannot be read: ${messageOf(error)}`, "Mend its permissions, or remove it");
  }
}

function findUpwards(folder: string, name: string): string | null {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  const above = dirname(folder);
  return above === folder ? null : findUpwards(above, name);
}
