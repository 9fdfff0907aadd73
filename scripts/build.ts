/**
 * Builds the binary: `dist/jobx` for this machine, or with `--all` one `dist/jobx-<target>` for every
 * supported target. Each output that this machine can run is started once; SHA256SUMS lists them all.
 * `--outfile PATH` puts the machine's own binary elsewhere.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { version } from "../package.json";

const root = dirname(import.meta.dir);
const dist = join(root, "dist");

const TARGETS = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-arm64",
  "darwin-x64",
];

// ESM with splitting makes commands load lazily; the two `no` flags keep the folder one stands in
// from injecting code; the next two let users' scripts resolve their packages and paths. The define is for
// the runtime in the binary: without .env files it would write "development" for NODE_ENV into users' code.
const FLAGS = [
  "--compile",
  "--bytecode",
  "--minify",
  "--format=esm",
  "--splitting",
  // Every file of the binary that a command needs costs some 40 µs; small ones are folded into their callers'.
  "--min-chunk-size=16384",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--compile-autoload-package-json",
  "--compile-autoload-tsconfig",
  // Most processes are over before compiled code would pay for its compilation; main.ts ends this for the others.
  "--compile-jit-policy=8",
  "--compile-exec-argv=--define=process.env.NODE_ENV=process.env.NODE_ENV",
];

const { values } = parseArgs({
  options: { all: { type: "boolean", default: false }, outfile: { type: "string" } },
});

mkdirSync(dist, { recursive: true });
const built: string[] = [];
if (values.all) {
  for (const target of TARGETS) {
    built.push(await build(join(dist, `jobx-${target}`), `bun-${target}`));
  }
  for (const file of built) await smoke(file);
} else {
  const file = await build(values.outfile ?? join(dist, "jobx"), null);
  built.push(file);
  if (!(await smoke(file))) throw new Error(`${file} cannot run on the machine that built it`);
}
if (!values.outfile) {
  copyFileSync(join(root, "scripts", "install"), join(dist, "install"));
  chmodSync(join(dist, "install"), 0o755);
  await writeChecksums();
}

/** Compiles one binary and returns its path; whoever uses the one that was there is never without. */
async function build(outfile: string, target: string | null): Promise<string> {
  const name = basename(outfile);
  mkdirSync(dirname(outfile), { recursive: true });
  const folder = mkdtempSync(join(dirname(outfile), ".build-"));
  try {
    await compile(join(folder, name), target);
    renameSync(join(folder, name), outfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return outfile;
}

async function compile(outfile: string, target: string | null): Promise<void> {
  const main = join(root, "src", "cli", "main.ts");
  const argv = [process.execPath, "build", ...FLAGS, main, "--outfile", outfile];
  if (target) argv.push(`--target=${target}`);
  const child = Bun.spawn(argv, { cwd: root, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  // A bad combination of flags prints an error and still exits 0, so the output is what counts.
  if (code !== 0 || !existsSync(outfile) || /^error/m.test(err)) {
    throw new Error(`Building ${basename(outfile)} failed\n${out}${err}`);
  }
  chmodSync(outfile, 0o755);
}

/** Starts the binary where this machine can, and says when it cannot; true when it answered with its version. */
async function smoke(file: string): Promise<boolean> {
  const name = basename(file);
  try {
    const child = Bun.spawn([file, "--version"], {
      stdout: "pipe",
      stderr: "pipe",
      env: { PATH: "/usr/bin:/bin" },
    });
    const [out, code] = await Promise.all([child.stdout.text(), child.exited]);
    if (code === 0 && out.trim() === version) {
      console.log(`${name}: runs here, version ${version}, ${megabytes(file)} MB`);
      return true;
    }
    console.log(`${name}: built, ${megabytes(file)} MB; not run here (exit code ${code})`);
  } catch {
    console.log(`${name}: built, ${megabytes(file)} MB; not run here (made for another machine)`);
  }
  return false;
}

function megabytes(file: string): number {
  return Math.round(Bun.file(file).size / 1e6);
}

async function writeChecksums(): Promise<void> {
  const lines: string[] = [];
  for (const name of readdirSync(dist).sort()) {
    if (!name.startsWith("jobx")) continue;
    const hasher = new Bun.CryptoHasher("sha256");
    for await (const chunk of Bun.file(join(dist, name)).stream()) hasher.update(chunk);
    lines.push(`${hasher.digest("hex")}  ${name}`);
  }
  writeFileSync(join(dist, "SHA256SUMS"), `${lines.join("\n")}\n`);
}
