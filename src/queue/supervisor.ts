import { closeSync } from "node:fs";
import { setPriority } from "node:os";

import { openFile } from "../store/files.ts";
import { elementLogPath } from "../store/layout.ts";
import { queueEnvironment } from "./environment.ts";
import { lives } from "./identity.ts";
import { startOf } from "./proc.ts";
import type { EnqueueRequest } from "./protocol.ts";

/** A supervisor's process, started by this queue or by one before it. */
export type Supervisor = {
  pid: number;
  start: string | null;
  alive(): boolean;
};

export type SupervisorOptions = {
  request: EnqueueRequest;
  socket: string;
  env: Record<string, string | undefined>;
  nice: number;
  /** Called once when the process has ended, with how. */
  exited(how: string): void;
};

/**
 * Starts the supervisor of a job: in a session of its own, output to the element's log. What it needs of
 * the submitter's environment it reads from the job's folder. Throws what the system says.
 */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const { request, nice } = options;
  const log = openFile(elementLogPath(request.dir, 0), "a");
  try {
    const child = Bun.spawn(niced(request.worker, nice), {
      cwd: request.dir,
      env: {
        ...queueEnvironment(options.env),
        JOBX_QUEUE_SOCKET: options.socket,
        // By this a supervisor that adopts orphans tells another job's supervisor from a task's remains.
        JOBX_SERVICE: "worker",
        // It seldom lives long enough to win back, from code that is optimised further, the CPU time that this takes from its tasks.
        BUN_JSC_useDFGJIT: "0",
      },
      stdio: ["ignore", log, log],
      detached: true,
      onExit: (_, code, signal) => options.exited(signal === null ? `exit code ${code}` : `signal ${signal}`),
    });
    return {
      pid: child.pid,
      start: startOf(child.pid),
      alive: () => child.exitCode === null && child.signalCode === null,
    };
  } finally {
    closeSync(log);
  }
}

/** A supervisor that an earlier queue started: not a child, so its end has to be looked for. */
export function adoptSupervisor(pid: number, start: string | null): Supervisor {
  return { pid, start, alive: () => lives(pid, start) };
}

/** With nice(1), since Linux keeps a priority per thread and a running process has several. */
function niced(argv: string[], nice: number): string[] {
  if (nice === 0) return argv;
  const program = Bun.which("nice", { PATH: "/usr/bin:/bin" });
  if (program) return [program, "-n", String(nice), ...argv];
  setPriority(nice);
  return argv;
}
