import { ranksOf, type Resources } from "../../model/resources.ts";
import { shellWords } from "../run.ts";
import { wordsOf } from "./texts.ts";

/**
 * The lines of a script that have an MPI launcher start a task's ranks, by an option's words, in which `{ranks}` and
 * `{per-node}` stand for their numbers. None where a task has one rank, or its ranks need no launcher.
 */
export function mpiRankLines(launcher: unknown, resources: Resources): string[] {
  const ranks = ranksOf(resources);
  if (ranks === 1) return [];
  const words = wordsOf(launcher).map((word) =>
    word.replaceAll("{ranks}", `${ranks}`).replaceAll("{per-node}", `${resources.ranksPerNode ?? 1}`),
  );
  if (words.length === 0) return [];
  const { command, variables } = mpiRanks(words);
  return [
    `export JOBX_RANK_COMMAND=${shellWords([JSON.stringify(command)])}`,
    `export JOBX_RANK_VARIABLES=${shellWords([variables])}`,
  ];
}

/**
 * Has an MPI launcher start ranks where the scheduler itself numbers none: `JOBX_RANK_COMMAND` and
 * `JOBX_RANK_VARIABLES` of the script. Each rank's number is taken from what its launcher sets: Open MPI, PMIx, the
 * Hydra of MPICH and Intel MPI, MVAPICH, Cray PALS, IBM JSM. A rank without a number ends with an error in its log.
 */
export function mpiRanks(launcher: string[]): { command: string[]; variables: string } {
  return { command: [...launcher, "sh", "-c", NUMBERED, "sh"], variables: "MPI_RANK MPI_RANK_ON_HOST" };
}

const RANK = ["OMPI_COMM_WORLD_RANK", "PALS_RANKID", "JSM_NAMESPACE_RANK", "MV2_COMM_WORLD_RANK", "PMI_RANK"];
const LOCAL_RANK = [
  "OMPI_COMM_WORLD_LOCAL_RANK",
  "PALS_LOCAL_RANKID",
  "JSM_NAMESPACE_LOCAL_RANK",
  "MV2_COMM_WORLD_LOCAL_RANK",
  "MPI_LOCALRANKID",
];

const NUMBERED = [
  `export MPI_RANK=${firstOf([...RANK, "PMIX_RANK"])}`,
  `export MPI_RANK_ON_HOST=${firstOf(LOCAL_RANK)}`,
  'exec "$@"',
].join("; ");

/** The first of these variables that is set; sh ends with an error where none is. */
function firstOf(names: string[]): string {
  const none = `?the launcher sets none of ${names.join(" ")}`;
  return names.reduceRight(
    (rest, name) => (rest === none ? `\${${name}:${rest}}` : `\${${name}:-${rest}}`),
    none,
  );
}
