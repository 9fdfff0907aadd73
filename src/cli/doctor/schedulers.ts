import { JobxError, messageOf } from "../../errors.ts";
import type { Run } from "../../executor/run.ts";
import type { Registry } from "../../registry.ts";
import { type Check, type Env, fail, ok, warn } from "./check.ts";
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

/** Where submissions go that name no executor, `auto` resolved; `chosen` is null where that cannot be told. */
export async function checkChoice(
  registry: Registry,
  executor: string,
  origin: string,
): Promise<{ check: Check; chosen: string | null }> {
  try {
    if (executor === "auto") {
      const { executor: found, why } = await registry.pick();
      return { check: ok("executor", `${found.name}, found by itself: ${why}`), chosen: found.name };
    }
    const { name } = await registry.get(executor);
    return { check: ok("executor", `${name}, set by ${origin}`), chosen: name };
  } catch (error) {
    if (!(error instanceof JobxError)) throw error;
    return { check: fail("executor", error.message, error.hint ?? null), chosen: null };
  }
}

/**
 * What the executors of schedulers that are here say of them, and whether their hosts see the home. Where one is
 * `chosen`, jobx works although another scheduler does not.
 */
export async function examineSchedulers(
  registry: Registry,
  home: string,
  chosen: string | null,
): Promise<Check[]> {
  const found: Check[] = [];
  for (const { name, state } of await registry.list()) {
    if (state !== "loaded") continue;
    const executor = await registry.get(name);
    const context = registry.contextFor(executor);
    try {
      if (!executor.examine || (await executor.affinity(context)).score < 0) continue;
      const checks = await executor.examine(context);
      for (const check of checks) {
        const isElsewhere = check.verdict === "fail" && chosen !== null && chosen !== name;
        const verdict = isElsewhere ? "warn" : check.verdict;
        found.push({ ...check, name: `${name}: ${check.name}`, verdict });
      }
      found.push(checkReach(name, home));
    } catch (error) {
      if (!(error instanceof JobxError)) throw error;
      found.push(warn(name, error.message, error.hint ?? null));
    }
  }
  return found;
}
