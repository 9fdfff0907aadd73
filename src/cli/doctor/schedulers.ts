import { JobxError, messageOf } from "../../errors.ts";
import type { Run } from "../../executor/run.ts";
import type { Registry } from "../../registry.ts";
import { type Check, type Env, ok, warn } from "./check.ts";
import { checkReach } from "./home.ts";

/** How a scheduler is recognised, and asked for its version. */
const SCHEDULERS = [
  { name: "Slurm", executor: "slurm", command: "sbatch", version: ["sbatch", "--version"] },
  // Torque and Grid Engine have a qstat as well.
  { name: "Grid Engine", executor: "sge", command: "qconf", version: ["qconf", "-help"] },
  { name: "PBS", executor: "pbs", command: "pbs_rstat", version: ["qstat", "--version"] },
  { name: "LSF", executor: "lsf", command: "bsub", version: ["bsub", "-V"] },
  { name: "HTCondor", executor: "condor", command: "condor_submit", version: ["condor_version"] },
  { name: "Flux", executor: "flux", command: "flux", version: ["flux", "--version"] },
];

/** The schedulers whose commands are on PATH, whether they answer, and whether an executor is there for them. */
export async function checkSchedulers(env: Env, run: Run, executors: string[]): Promise<Check[]> {
  const found = SCHEDULERS.filter(({ command }) => Bun.which(command, { PATH: env["PATH"] ?? "" }));
  if (found.length === 0) return [ok("schedulers", "none on PATH: jobs run on this machine, with -e local")];
  return Promise.all(
    found.map(async ({ name, executor, version }) => {
      try {
        const { code, stdout, stderr } = await run(version, { timeoutMs: 5_000 });
        const line = (stdout || stderr).trim().split("\n")[0] ?? "";
        if (code !== 0)
          return warn(
            name,
            `${version.join(" ")} failed: ${line}`,
            "Ask it by hand, and see whether its configuration is there",
          );
        if (executors.includes(executor)) return ok(name, line);
        return warn(
          name,
          `${line}; no executor is named ${executor}`,
          `Put a plugin ${executor}.ts into ~/.config/jobx/plugins; see \`jobx help plugins\``,
        );
      } catch (error) {
        return warn(name, messageOf(error), "Ask it by hand; the controller may be down");
      }
    }),
  );
}

/** What the executors of schedulers that are here say of them, and whether their hosts see the home. */
export async function examineSchedulers(registry: Registry, home: string): Promise<Check[]> {
  const found: Check[] = [];
  for (const { name, state } of await registry.list()) {
    if (state !== "loaded") continue;
    const executor = await registry.get(name);
    const context = registry.contextFor(executor);
    try {
      if (!executor.examine || (await executor.affinity(context)).score < 0) continue;
      const checks = await executor.examine(context);
      found.push(...checks.map((check) => ({ ...check, name: `${name}: ${check.name}` })));
      found.push(checkReach(name, home));
    } catch (error) {
      if (!(error instanceof JobxError)) throw error;
      found.push(warn(name, error.message, error.hint ?? null));
    }
  }
  return found;
}
