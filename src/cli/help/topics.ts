import api from "./api.md" with { type: "text" };
import checkpointing from "./checkpointing.md" with { type: "text" };
import code from "./code.md" with { type: "text" };
import completions from "./completions.md" with { type: "text" };
import configuration from "./configuration.md" with { type: "text" };
import debug from "./debug.md" with { type: "text" };
import exitCodes from "./exit-codes.md" with { type: "text" };
import files from "./files.md" with { type: "text" };
import functions from "./functions.md" with { type: "text" };
import local from "./local.md" with { type: "text" };
import lsf from "./lsf.md" with { type: "text" };
import pbs from "./pbs.md" with { type: "text" };
import plugins from "./plugins.md" with { type: "text" };
import results from "./results.md" with { type: "text" };
import retries from "./retries.md" with { type: "text" };
import selectors from "./selectors.md" with { type: "text" };
import sge from "./sge.md" with { type: "text" };
import slurm from "./slurm.md" with { type: "text" };
import submitit from "./submitit.md" with { type: "text" };
import submitting from "./submitting.md" with { type: "text" };
import sweeps from "./sweeps.md" with { type: "text" };

/** A chapter of the manual. */
export type Topic = { name: string; summary: string; text: string };

/** The chapters, in reading order. */
export const TOPICS: readonly Topic[] = [
  { name: "submitting", summary: "Commands and functions, limits, folders, dependencies", text: submitting },
  { name: "sweeps", summary: "Many tasks: sweeps, parameter files, arrays, placeholders", text: sweeps },
  { name: "selectors", summary: "Naming jobs, tasks and ranks", text: selectors },
  { name: "functions", summary: "TypeScript functions as jobs", text: functions },
  { name: "api", summary: "Scripts that submit, wait and collect: a tour", text: api },
  { name: "code", summary: "What of your code a job takes along, and what it cannot", text: code },
  { name: "submitit", summary: "From submitit to jobx, line by line", text: submitit },
  { name: "results", summary: "Result values, logs, output for programs", text: results },
  { name: "retries", summary: "Failures, time limits, exit code 85", text: retries },
  { name: "checkpointing", summary: "Tasks that keep a state and go on from it", text: checkpointing },
  { name: "local", summary: "Jobs on this machine", text: local },
  { name: "slurm", summary: "Jobs on a Slurm cluster", text: slurm },
  { name: "pbs", summary: "Jobs on OpenPBS or PBS Professional", text: pbs },
  { name: "lsf", summary: "Jobs on IBM Spectrum LSF", text: lsf },
  { name: "sge", summary: "Jobs on a Grid Engine cluster", text: sge },
  { name: "debug", summary: "Jobs in this very process, with a debugger", text: debug },
  { name: "configuration", summary: "Files, profiles, variables", text: configuration },
  { name: "plugins", summary: "Executors, their options, plugin files", text: plugins },
  { name: "files", summary: "Where things are on disk", text: files },
  { name: "exit-codes", summary: "What exit codes mean", text: exitCodes },
  { name: "completions", summary: "Completion in bash, zsh and fish", text: completions },
];
