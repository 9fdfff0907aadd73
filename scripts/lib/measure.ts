import { copyFileSync, mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** A line of the table: what was measured, and whether it is as it has to be. */
export type Row = { what: string; measured: string; target: string; holds: boolean };

/** How long a command takes, in seconds. Throws unless it succeeds. */
export async function time(
  argv: string[],
  env: Record<string, string> = { PATH: "/usr/bin:/bin" },
): Promise<number> {
  return (await measure(argv, env)).seconds;
}

/** As `time`, with the most memory that it had, in bytes. */
export async function measure(
  argv: string[],
  env: Record<string, string>,
): Promise<{ seconds: number; maxRss: number }> {
  const began = performance.now();
  const child = Bun.spawn(argv, { env, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const code = await child.exited;
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${await child.stderr.text()}`);
  return { seconds, maxRss: child.resourceUsage()?.maxRSS ?? 0 };
}

/** Runs a command that must succeed. */
export async function run(argv: string[], env: Record<string, string>): Promise<void> {
  await measure(argv, { PATH: "/usr/bin:/bin", ...env });
}

/** A compiled Bun program that does nothing: what any such program costs. */
export async function emptyProgram(folder: string): Promise<string> {
  const entry = join(folder, "empty.ts");
  const empty = join(folder, "empty");
  mkdirSync(folder, { recursive: true });
  // Not even a line is written: making `process.stdout` takes longer than all the rest.
  writeFileSync(entry, "export {};\n");
  const flags = ["--compile", "--bytecode", "--minify", "--format=esm"];
  await run([process.execPath, "build", ...flags, entry, "--outfile", empty], {});
  return empty;
}

/**
 * Copies of a program, the same in all but where the kernel keeps them in memory: that alone makes one start up to a
 * tenth faster than another for as long as it stays there. Measure each as often as the others.
 */
export function copiesOf(program: string, folder: string, count = 4): string[] {
  const { atime, mtime } = statSync(program);
  return Array.from({ length: count }, (_, copy) => {
    const path = join(folder, `${basename(program)}-${copy}`);
    copyFileSync(program, path);
    utimesSync(path, atime, mtime);
    return path;
  });
}

/** The copy to measure in a pair. */
export function pick(copies: string[], pair: number): string {
  const copy = copies[pair % copies.length];
  if (copy === undefined) throw new Error("There are no copies");
  return copy;
}

/** Runs the benches that have a word in their names, in order, and gives all their lines. */
export async function measureAll(
  benches: Record<string, () => Promise<Row[]>>,
  only: string,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, bench] of Object.entries(benches)) {
    if (!name.includes(only)) continue;
    console.error(`${name} …`);
    rows.push(...(await bench()));
  }
  return rows;
}

/** Runs A B A B …, after one of each that does not count. */
export async function inPairs(
  n: number,
  a: (pair: number) => Promise<number>,
  b: (pair: number) => Promise<number>,
): Promise<[number, number][]> {
  const pairs: [number, number][] = [];
  await a(0);
  await b(0);
  for (let i = 0; i < n; i++) pairs.push([await a(i), await b(i)]);
  return pairs;
}

export function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function ms(seconds: number): string {
  return Math.abs(seconds) >= 1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1000).toFixed(1)} ms`;
}

export function printTable(rows: Row[]): void {
  const width = (pick: (one: Row) => string) => Math.max(...rows.map((one) => pick(one).length));
  const [what, measured, target] = [
    width((one) => one.what),
    width((one) => one.measured),
    width((one) => one.target),
  ];
  for (const one of rows) {
    const verdict = one.target === "" ? "" : one.holds ? "holds" : "DOES NOT HOLD";
    console.log(
      `${one.what.padEnd(what)}  ${one.measured.padEnd(measured)}  ${one.target.padEnd(target)}  ${verdict}`.trimEnd(),
    );
  }
}
