import { cleanJobEnvironment } from "../model/env-clean.ts";
import type { JobSpec, TaskPayload } from "../model/job.ts";
import { fillTemplate, type TemplateValues } from "../model/placeholders.ts";
import { masterPort, taskVariables } from "../model/task-vars.ts";
import type { Slot } from "../queue/protocol.ts";
import { ensureDir, writeFileAtomic } from "../store/files.ts";
import { checkpointDir, jobFiles, paramsPath, resultFilePath } from "../store/layout.ts";

/** One rank of one attempt, as its environment needs to know it. */
export type RankPlace = {
  dir: string;
  spec: JobSpec;
  /** Host name. */
  node: string;
  task: number;
  rank: number;
  attempt: number;
  ranks: number;
  /** Host names of all the task's ranks, that of rank 0 first; without, `node` alone. */
  hostnames?: string[] | null;
  /** The rank's number on its host; without, the rank itself. */
  localRank?: number | null;
  slot: Slot;
  payload: TaskPayload;
};

/**
 * The environment that an element's tasks start from: the stored one of the submitter, or, where a
 * scheduler carried it here, this process's own without what is jobx's.
 */
export function elementEnvironment(
  spec: JobSpec,
  stored: Record<string, string> | null,
  own: Record<string, string | undefined>,
): Record<string, string> {
  if (stored) {
    const extra = schedulerVariables(own);
    return cleanJobEnvironment(stored, { cleanEnv: spec.run.cleanEnv, extra });
  }
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !OWN.has(name)) kept[name] = value;
  }
  return kept;
}

/** What the scheduler tells a job of itself, of the names that its script gave. */
function schedulerVariables(own: Record<string, string | undefined>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const word of (own.JOBX_SCHEDULER_VARIABLES ?? "").split(" ")) {
    const names = word.endsWith("*")
      ? Object.keys(own).filter((name) => name.startsWith(word.slice(0, -1)))
      : [word];
    for (const name of names) if (own[name] !== undefined) kept[name] = own[name];
  }
  return kept;
}

/**
 * The base, then the user's `--env`, then what jobx says of the task, then the slot's GPUs. Parameters that are
 * too long for a variable are written to the file that JOBX_PARAMS_FILE names; throws STORAGE.
 */
export function rankEnvironment(base: Record<string, string>, place: RankPlace): Record<string, string> {
  const { dir, spec, task, rank, attempt, payload, slot } = place;
  const index = payload.params?.index;
  const environment: Record<string, string> = {
    ...base,
    ...userVariables(place),
    ...taskVariables({
      job: spec.id,
      task,
      rank,
      attempt,
      tasks: spec.tasks,
      params: payload.params,
      dir,
      checkpointDir: checkpointDir(dir, spec.tasks, task),
      paramsFile: paramsPath(dir, task),
      resultFile: resultFilePath(dir, task, attempt, rank),
      arrayIndex: spec.array && typeof index === "number" ? index : null,
      distributed: spec.run.distributed ? distributedPlace(place) : null,
      place: {
        executor: spec.executor,
        node: place.node,
        hostnames: place.hostnames ?? [place.node],
        ranks: place.ranks,
        localRank: place.localRank ?? rank,
      },
    }),
  };
  if (environment.JOBX_PARAMS_FILE !== undefined) {
    ensureDir(jobFiles.params(dir));
    writeFileAtomic(environment.JOBX_PARAMS_FILE, Buffer.from(JSON.stringify(payload.params)));
  }
  if (slot.gpus.length > 0) environment.CUDA_VISIBLE_DEVICES = slot.gpus.join(",");
  return environment;
}

/** The words of a command, or, where it has none, the task's own, with the task's values filled in; the launcher's before them. */
export function commandWords(argv: string[], spec: JobSpec, task: number, payload: TaskPayload): string[] {
  const words = [...spec.run.launcher, ...(argv.length > 0 ? argv : payload.args.map(String))];
  if (!spec.templated) return words;
  const values = templateValues(spec, task, payload);
  return words.map((word) => fillTemplate(word, values));
}

function userVariables({ spec, task, payload }: RankPlace): Record<string, string> {
  if (!spec.templated) return spec.run.env;
  const values = templateValues(spec, task, payload);
  const filled: Record<string, string> = {};
  for (const [name, text] of Object.entries(spec.run.env)) filled[name] = fillTemplate(text, values);
  return filled;
}

function templateValues(spec: JobSpec, task: number, payload: TaskPayload): TemplateValues {
  return { job: spec.id, index: spec.indices?.[task] ?? task, params: payload.params, line: payload.line };
}

/** Without other host names, all ranks of a task run on this host. */
function distributedPlace({ spec, task, rank, attempt, ranks, hostnames, localRank }: RankPlace) {
  return {
    masterAddr: (hostnames && hostnames.length > 1 && hostnames[0]) || "127.0.0.1",
    masterPort: masterPort(spec.token, task, attempt),
    worldSize: ranks,
    localRank: localRank ?? rank,
    localWorldSize: hostnames ? (spec.resources.ranksPerNode ?? 1) : ranks,
  };
}

const OWN = new Set([
  "BUN_JSC_useDFGJIT",
  "JOBX_QUEUE_SOCKET",
  "JOBX_SERVICE",
  "JOBX_ELEMENT",
  "JOBX_RESTARTS",
  "JOBX_HOSTLIST",
  "JOBX_REQUEUE_COMMAND",
  "JOBX_REQUEUE_EXIT_CODE",
  "JOBX_SCHEDULER_VARIABLES",
  "JOBX_IGNORED_SIGNALS",
  "JOBX_JUDGE_AFTER",
  "JOBX_HANDOVER_SECONDS",
  "JOBX_RANK_COMMAND",
  "JOBX_LAUNCHED",
  "JOBX_RANK_VARIABLES",
  "JOBX_ELEMENT_SECONDS",
  "JOBX_TIME_LEFT_COMMAND",
  "BUN_OPTIONS",
  "BUN_BE_BUN",
]);
