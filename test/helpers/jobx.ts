import { afterAll } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { eventually } from "./eventually.ts";

/** The compiled binary where the tests were given one (scripts/test gives it), else the source. */
const BINARY = process.env["JOBX_TEST_BINARY"];
const SOURCE = [process.execPath, "--no-install", join(import.meta.dir, "..", "..", "src", "cli", "main.ts")];
export const JOBX: string[] = BINARY ? [BINARY] : SOURCE;

export type Ran = { code: number; out: string; err: string };

export type RunSettings = {
  cwd?: string;
  env?: Record<string, string | undefined>;
  input?: string | Uint8Array;
};

/**
 * A jobx with a home, a runtime folder and a working folder of its own. When the test file has ended,
 * its jobs are cancelled, its queue has ended, and its folders are gone.
 */
export class TestJobx {
  readonly root = mkdtempSync(join(tmpdir(), "jobx-test-"));
  readonly home = join(this.root, "home");
  readonly cwd = join(this.root, "work");
  readonly env: Record<string, string | undefined>;

  constructor(env: Record<string, string | undefined> = {}) {
    const runtime = join(this.root, "run");
    mkdirSync(this.cwd);
    mkdirSync(runtime, { mode: 0o700 });
    this.env = {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: this.root,
      USER: "tester",
      LANG: "C.UTF-8",
      JOBX_HOME: this.home,
      JOBX_RUNTIME_DIR: runtime,
      // Not whatever scheduler the machine may have.
      JOBX_EXECUTOR: "local",
      // Short, so that no queue outlives its test by much.
      JOBX_QUEUE_IDLE_MS: "1000",
      ...env,
    };
    // One after the other: what a job still writes needs its home.
    afterAll(async () => {
      await this.stop();
      rmSync(this.root, { recursive: true, force: true });
    });
  }

  /** The words that start jobx. */
  protected words(): string[] {
    return JOBX;
  }

  /** Runs a command to its end. */
  async run(argv: string[], settings: RunSettings = {}): Promise<Ran> {
    const child = Bun.spawn([...this.words(), ...argv], {
      cwd: settings.cwd ?? this.cwd,
      env: { ...this.env, ...settings.env },
      stdin: settings.input === undefined ? "ignore" : Buffer.from(settings.input),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, out, err };
  }

  /** Runs a command that must succeed, and gives its standard output. */
  async ok(argv: string[], settings: RunSettings = {}): Promise<string> {
    const ran = await this.run(argv, settings);
    if (ran.code !== 0) {
      throw new Error(`jobx ${argv.join(" ")} ended with ${ran.code}\n${ran.out}${ran.err}`);
    }
    return ran.out;
  }

  /** Runs a command with --json and gives what it printed. */
  async json<T>(argv: string[], settings: RunSettings = {}): Promise<T> {
    const ran = await this.run(["--json", ...argv], settings);
    try {
      return JSON.parse(ran.out) as T;
    } catch {
      throw new Error(
        `jobx --json ${argv.join(" ")} printed no JSON (exit code ${ran.code})\n${ran.out}${ran.err}`,
      );
    }
  }

  /** Submits with the given words and gives the new job's id. */
  async submit(argv: string[], settings: RunSettings = {}): Promise<string> {
    return (await this.ok(["submit", "-q", ...argv], settings)).trim();
  }

  /** The path of a file in the working folder, written with this text. */
  async file(name: string, text: string): Promise<string> {
    const path = join(this.cwd, name);
    await Bun.write(path, text);
    return path;
  }

  /** Waits until a job's state is one of these. */
  async until(id: string, states: string[], timeoutMs = 20_000): Promise<void> {
    await eventually(
      async () => states.includes((await this.json<{ state: string }>(["status", id])).state),
      { timeoutMs, what: `job ${id} in state ${states.join(" or ")}` },
    );
  }

  async stop(): Promise<void> {
    const jobs = await this.json<{ id: number; state: string }[]>(["list"]).catch(() => []);
    const open = jobs.filter((job) => job.state === "queued" || job.state === "running");
    if (open.length === 0) return;
    const ids = open.map((job) => String(job.id));
    await this.run(["cancel", ...ids]);
    await this.run(["wait", "--timeout", "10s", ...ids]);
  }
}
