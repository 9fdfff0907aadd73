import { join } from "node:path";

import { createDefu } from "defu";

import { usageError } from "../errors.ts";
import { nearest } from "../model/nearest.ts";
import type { ConfigValue } from "./keys.ts";
import {
  anchored,
  configFiles,
  environmentLayer,
  homeOf,
  type Layer,
  readLayer,
  readProjectLayer,
} from "./layers.ts";

/** One value of the configuration, and where it was set. */
export type ConfigEntry = { key: string; value: unknown; origin: string };

/** The configuration, complete: files, profile, environment and global flags merged. */
export type ResolvedConfig = {
  /** The home folder, absolute. */
  home: string;
  /** Whether the home's group may read it; null where nothing says so. */
  shared: boolean | null;
  /** Words that start jobx where jobs run on other hosts; null for this very jobx. */
  runtime: string[] | null;
  /** Defaults of `submit`, by the flag's name, as the flag would be written. */
  values: Record<string, ConfigValue>;
  /** Tables of executors, as they were written: `{ local: { cpus: 2 } }`. */
  settings: Record<string, Record<string, unknown>>;
  /** Where a key, or a key of a table, was set: "/path/jobx.toml:3", "JOBX_TIME", "--home". */
  originOf(key: string, inner?: string): string;
  /** Every value with its origin, for `jobx config`. */
  entries: ConfigEntry[];
  /** The names of the profiles in all files. */
  profiles: string[];
  /** The files that were looked for, lowest first. */
  files: { path: string; read: boolean }[];
};

/** Where the configuration comes from. */
export type ConfigSources = {
  env: Record<string, string | undefined>;
  cwd: string;
  /** What was given for this run, by key; it beats everything else. */
  given: Record<string, ConfigValue | undefined>;
  /** What messages call a given key: "--home" on the command line. */
  label(key: string): string;
};

/** Reads and merges the configuration: files < profile < JOBX_ variables < what is given. Throws USAGE. */
export function loadConfig(sources: ConfigSources): ResolvedConfig {
  const { env, cwd } = sources;
  const { system, user, project } = configFiles(env, cwd);
  const found = [
    { path: system, layer: readLayer(system, env) },
    { path: user, layer: readLayer(user, env) },
    ...(project && project !== user ? [{ path: project, layer: readProjectLayer(project, env) }] : []),
  ];
  const layers = [givenLayer(sources), environmentLayer(env, cwd)];
  const files = found.flatMap(({ layer }) => (layer ? [layer] : [])).toReversed();
  layers.push(...profileLayers([...layers, ...files], files));
  layers.push(...files);

  const values = mergeTables(layers.map((layer) => layer.values));
  const settings = mergeTables(layers.map((layer) => layer.settings));
  const originOf = (key: string, inner?: string) =>
    layers.find((layer) => holds(layer, key, inner))?.originOf(key, inner) ?? "default";
  const { home = join(homeOf(env), ".jobx"), runtime, shared } = values;
  return {
    home: String(home),
    shared: typeof shared === "boolean" ? shared : null,
    runtime: Array.isArray(runtime) ? runtime : null,
    values,
    settings,
    originOf,
    entries: entriesOf({ home, executor: "auto", ...values }, settings, originOf),
    profiles: profileNames(files),
    files: found.map(({ path, layer }) => ({ path, read: layer !== null })),
  };
}

/** defu, but a list replaces a list of a lower source instead of joining it. */
const mergeTwo = createDefu((target, key, value) => {
  if (!Array.isArray(value)) return false;
  target[key] = value;
  return true;
});

/** Merges tables, the first one winning. */
function mergeTables<V>(tables: Record<string, V>[]): Record<string, V> {
  return tables.reduce<Record<string, V>>((merged, table) => ({ ...mergeTwo(merged, table) }), {});
}

function givenLayer({ given, label, cwd, env }: ConfigSources): Layer {
  const values: Record<string, ConfigValue> = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (key === "home" && value === "") {
      throw usageError(`${label(key)} is ""`, `Name a folder, or leave ${label(key)} out`);
    }
    values[key] = anchored(key, value, cwd, env);
  }
  return { values, settings: {}, profiles: {}, originOf: label };
}

/** The chosen profile as each file has it; nothing without one. */
function profileLayers(layers: Layer[], files: Layer[]): Layer[] {
  const choosing = layers.find((layer) => "profile" in layer.values);
  const name = choosing?.values.profile;
  if (choosing === undefined || typeof name !== "string") return [];
  const found = files.flatMap((layer) =>
    Object.hasOwn(layer.profiles, name) ? (layer.profiles[name] ?? []) : [],
  );
  if (found.length > 0) return found;
  const known = profileNames(files);
  const near = nearest(name, known);
  throw usageError(
    `There is no profile ${JSON.stringify(name)} (from ${choosing.originOf("profile")})`,
    near
      ? `Did you mean ${near}?`
      : known.length > 0
        ? `The configuration has ${known.join(", ")}`
        : `A profile is a table of the configuration: [profile.${name}]`,
  );
}

function profileNames(files: Layer[]): string[] {
  return [...new Set(files.flatMap((layer) => Object.keys(layer.profiles)))];
}

function holds(layer: Layer, key: string, inner: string | undefined): boolean {
  const table: unknown = layer.values[key] ?? layer.settings[key];
  if (inner === undefined || table === undefined) return table !== undefined;
  return typeof table === "object" && table !== null && Object.hasOwn(table, inner);
}

function entriesOf(
  values: Record<string, ConfigValue>,
  settings: Record<string, Record<string, unknown>>,
  originOf: ResolvedConfig["originOf"],
): ConfigEntry[] {
  const tables: Record<string, unknown> = { ...values, ...settings };
  return Object.entries(tables).flatMap(([key, value]): ConfigEntry[] => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return [{ key, value, origin: originOf(key) }];
    }
    return Object.entries(value).map(([inner, one]) => ({
      key: `${key}.${inner}`,
      value: one,
      origin: originOf(key, inner),
    }));
  });
}
