import type { Console as Printer } from "node:console";

const KEY = Symbol.for("jobx.plugin.globals");

/**
 * What a plugin's source is put behind, on its first line: its `console` and `process.stdout` write to standard error,
 * since standard output is for jobx's one answer, and its `process.exit` throws, since the end is jobx's as well. Names that the plugin declares by itself stay its own.
 */
export function pluginPrelude(source: string): string {
  Reflect.set(globalThis, KEY, { console: quietConsole, process: quietProcess });
  const names = ["console", "process"].filter((name) => !declares(source, name));
  return names.length === 0
    ? ""
    : `const { ${names.join(", ")} } = globalThis[Symbol.for("jobx.plugin.globals")]; `;
}

function declares(source: string, name: string): boolean {
  return new RegExp(`\\b(?:import|const|let|var|function|class)\\b[^;=(]*\\b${name}\\b`).test(source);
}

/** Made when first used: streams take longer to make than most commands. */
let made: Printer | undefined;

const quietConsole: Console = new Proxy(console, {
  get(_, key) {
    made ??= new console.Console({ stdout: process.stderr, stderr: process.stderr });
    const value: unknown = Reflect.get(made, key);
    return value;
  },
});

const quietProcess: typeof process = new Proxy(process, {
  get(target, key) {
    if (key === "exit" || key === "abort") return () => refuseExit(key);
    const value: unknown = Reflect.get(target, key === "stdout" ? "stderr" : key);
    return typeof value === "function" ? value.bind(target) : value;
  },
  set(target, key, value) {
    return key === "exitCode" ? true : Reflect.set(target, key, value);
  },
});

function refuseExit(name: string): never {
  throw new TypeError(`process.${name}() is not for plugins: throw an error instead`);
}
