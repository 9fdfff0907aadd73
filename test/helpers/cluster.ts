import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "./eventually.ts";
import { JOBX, TestJobx } from "./jobx.ts";

/** What a task looks like in `status --tasks --json`. */
export type TaskStatus = {
  index: number;
  state: string;
  attempt: number;
  exitCode: number | null;
  reason: string | null;
  native: string | null;
  node: string | null;
};

export type ClusterSettings = { user?: string; env?: Record<string, string | undefined> };

/**
 * A jobx whose jobs run on a live cluster: its home lies where all nodes see it, and the scheduler's commands on its
 * PATH note that they were called. `user` runs it as somebody other than root.
 */
export class TestCluster extends TestJobx {
  readonly #bin: string;
  readonly #calls: string;
  readonly #user: { name: string; uid: number; gid: number } | null;

  constructor(executor: string, commands: string[], settings: ClusterSettings = {}) {
    super({ JOBX_EXECUTOR: executor, USER: settings.user ?? "root", ...settings.env });
    this.#bin = join(this.root, "bin");
    this.#calls = join(this.root, "calls");
    this.#user = settings.user === undefined ? null : userOf(settings.user);
    mkdirSync(this.#bin);
    writeFileSync(this.#calls, "");
    chmodSync(this.#calls, 0o666);
    for (const name of commands) {
      const script = `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>'${this.#calls}'\nexec /usr/bin/${name} "$@"\n`;
      writeFileSync(join(this.#bin, name), script, { mode: 0o755 });
    }
    this.env["PATH"] = `${this.#bin}:${this.env["PATH"]}`;
    if (!this.#user) return;
    const { uid, gid } = this.#user;
    for (const path of [this.root, this.cwd, this.env["JOBX_RUNTIME_DIR"] ?? ""]) chownSync(path, uid, gid);
  }

  protected override words(): string[] {
    if (!this.#user) return JOBX;
    const { uid, gid } = this.#user;
    return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", ...JOBX];
  }

  /** How often a scheduler's command was called through this PATH, by jobx and by its jobs. */
  calls(name: string): number {
    return this.callLines(name).length;
  }

  callLines(name: string): string[] {
    const lines = readFileSync(this.#calls, "utf8").split("\n");
    return lines.filter((line) => line.startsWith(`${name} `));
  }

  forgetCalls(): void {
    writeFileSync(this.#calls, "");
  }

  /** The native ids of a job, without array indices. */
  async natives(id: string): Promise<string[]> {
    const shown = await this.json<{ nativeIds?: string[]; natives?: { id: string }[] }>(["show", id]);
    return shown.nativeIds ?? (shown.natives ?? []).map((native) => native.id);
  }

  async tasks(id: string): Promise<TaskStatus[]> {
    return (await this.json<{ tasks: TaskStatus[] }>(["status", "--tasks", id])).tasks;
  }

  /** The text of a task's log; empty while it is not there. */
  log(id: string, name = "0.out"): string {
    const path = join(this.home, "jobs", id, "logs", name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Waits until a log holds this text. */
  async untilLogged(id: string, text: string, name = "0.out", timeoutMs = 60_000): Promise<void> {
    await eventually(() => this.log(id, name).includes(text), {
      timeoutMs,
      what: `${text} in ${name} of ${id}`,
    });
  }

  /** Waits until all of a job's tasks are final, by jobx's own wait; gives its exit code. */
  async wait(id: string, seconds = 120): Promise<number> {
    return (await this.run(["wait", "--timeout", `${seconds}s`, id])).code;
  }
}

/** Runs a command of the cluster's administrator, root; throws with its words when it fails. */
export async function admin(...argv: string[]): Promise<string> {
  const child = Bun.spawn(argv, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${err}${out}`);
  return out;
}

function userOf(name: string): { name: string; uid: number; gid: number } {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`There is no user ${name}`);
  return { name, uid: Number(uid), gid: Number(gid) };
}
