import type { ArgsDef } from "citty";

import type { CommandHelp } from "../args/command.ts";
import { resourceFlags } from "../resource-flags.ts";
import { answerFlags } from "./answer.ts";

/** Every option of `jobx submit`. */
export const submitFlags = {
  task: {
    type: "positional",
    required: false,
    valueHint: "FILE.ts[#EXPORT]",
    description: "A function to call: the default export if none is named",
  },
  executor: {
    type: "string",
    alias: "e",
    valueHint: "NAME",
    description: "slurm, local, debug, a plugin's, or auto: the best one available (default)",
  },
  name: { type: "string", alias: "J", valueHint: "TEXT", description: "Job name" },
  option: {
    type: "string",
    alias: "o",
    valueHint: "KEY=VALUE",
    description: "An executor's own option; slurm.KEY=VALUE counts only on slurm",
  },
  ...resourceFlags,
  array: { type: "string", valueHint: "SPEC", description: "Indices as in sbatch: 0-9, 1,3, 1-10:2%4" },
  sweep: {
    type: "string",
    valueHint: "KEY=V1,V2",
    description:
      "Also KEY=1..10, KEY=0..1/0.25 (step), KEY=@FILE (a line each); repeat for every combination",
  },
  params: {
    type: "string",
    valueHint: "FILE",
    description: "A task per row of a .csv, .tsv, .jsonl or .json file; - reads lines or JSONL from stdin",
  },
  parallel: { type: "string", valueHint: "N", description: "At most N tasks at once" },
  pack: { type: "string", valueHint: "N[/K]", description: "N tasks per scheduler element, K at once" },
  "max-payload": {
    type: "string",
    valueHint: "SIZE",
    description: "How much argument data a submission may carry (default 1G)",
  },
  args: { type: "string", valueHint: "JSON", description: "Function: an array of positional arguments" },
  arg: {
    type: "string",
    valueHint: "VALUE",
    description: "Function: one argument, JSON if it parses, else text; repeatable",
  },
  snapshot: {
    type: "boolean",
    default: true,
    description: "Bundle the function's code as it is now",
    negativeDescription: "Function: import the file as it is when the task runs",
  },
  capture: { type: "boolean", description: "Command: keep standard output as the result value" },
  launcher: { type: "string", valueHint: "CMD", description: "Put before the command inside the job" },
  "use-directives": { type: "boolean", description: "Take options from the script's #SBATCH lines" },
  "ignore-directives": { type: "boolean", description: "Pass over the script's #SBATCH lines" },
  after: {
    type: "string",
    valueHint: "SEL[:KIND]",
    description: "Start after other jobs: ok (default), any, fail, or each (task by task); repeatable",
  },
  retries: { type: "string", valueHint: "N", description: "Run a failed task again up to N times" },
  requeue: {
    type: "boolean",
    description: "Run again from the start after preemption, timeout or loss",
    negativeDescription: "never",
  },
  "max-timeouts": {
    type: "string",
    valueHint: "N",
    description: "Requeue after a timeout up to N times (default 3), when the task can resume",
  },
  "signal-delay": {
    type: "string",
    valueHint: "T",
    description: "Warn the task this long before the limit (default 90s)",
  },
  env: { type: "string", valueHint: "K=V", description: "Set a variable; repeatable" },
  "env-file": { type: "string", valueHint: "FILE", description: "Set the variables of a file of K=V lines" },
  "clean-env": { type: "boolean", description: "Pass only HOME, USER, PATH, LANG and TERM" },
  chdir: { type: "string", valueHint: "DIR", description: "Run in this folder (default: the current one)" },
  setup: { type: "string", valueHint: "LINE", description: "A bash line to run before; repeatable" },
  teardown: { type: "string", valueHint: "LINE", description: "A bash line to run after; repeatable" },
  distributed: {
    type: "boolean",
    description: "Set MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE",
  },
  "merge-output": { type: "boolean", description: "Standard error goes where standard output goes" },
  ...answerFlags,
  "dry-run": { type: "boolean", description: "Print the script and commands; touch nothing" },
  inspect: { type: "boolean", description: "Debug executor: wait for a debugger" },
} as const satisfies ArgsDef;

export const submitHelp: CommandHelp = {
  usage: ["submit [options] -- COMMAND [ARG...]", "submit [options] FILE.ts[#EXPORT]"],
  rest: "COMMAND [ARG...]",
  groups: {
    "What runs it": ["executor", "name", "option"],
    "What one task needs": Object.keys(resourceFlags),
    "Many tasks": ["array", "sweep", "params", "parallel", "pack", "max-payload"],
    "Functions and commands": [
      "args",
      "arg",
      "snapshot",
      "capture",
      "launcher",
      "use-directives",
      "ignore-directives",
    ],
    "When it starts, and again": ["after", "retries", "requeue", "max-timeouts", "signal-delay"],
    "Where it runs": [
      "chdir",
      "env",
      "env-file",
      "clean-env",
      "setup",
      "teardown",
      "distributed",
      "merge-output",
    ],
    "After submitting": ["wait", "follow", "dry-run", "inspect"],
  },
  notes:
    "With --sweep, --params or --array, the command's words and --env values may hold {key}, {index} and " +
    "{job}, with --params also {} (the whole row); {{x}} is a literal {x}. More: jobx help sweeps",
  examples: [
    ["jobx submit -- ./simulate --steps 1000", "a command, on the best executor there is"],
    ["jobx submit -t 2h --mem 8G -c 4 -- python train.py", "with limits"],
    ["jobx submit --sweep lr=0.1,0.01 --sweep seed=1..5 -- ./fit {lr} {seed}", "ten tasks"],
    ["jobx submit --params cases.csv --parallel 8 -- ./case {name} {size}", "a task per row"],
    ["jobx submit fit.ts#main --arg 3 --arg '{\"depth\": 2}' --wait", "an exported function"],
    ["jobx submit --use-directives -- ./job.sh", "a script with #SBATCH lines"],
  ],
  foreign: {
    "--output": "jobx keeps the output itself: jobx logs shows it",
    "--error": "jobx keeps the output itself: jobx logs shows it; --merge-output joins both streams",
    "--job-name": "jobx calls it --name, or -J",
    "--cpus-per-task": "jobx calls it --cpus, or -c",
    "--ntasks": "jobx counts ranks per node: --ranks-per-node N, with --nodes N",
    "-n": "jobx counts ranks per node: --ranks-per-node N, with --nodes N",
    "--gpus-per-node": "That is what jobx calls --gpus",
    "--gres": "jobx asks for GPUs with --gpus [TYPE:]N; other resources: -o slurm.gres=VALUE",
    "-G": "jobx asks for GPUs per node with --gpus [TYPE:]N",
    "--mem-per-cpu": "jobx asks for memory per node: --mem SIZE",
    "--wrap": "The command goes after --: jobx submit -- bash -c 'COMMAND'",
    "--dependency": "jobx writes --after JOB, --after JOB:any, :fail or :each",
    "-d": "jobx writes --after JOB, --after JOB:any, :fail or :each",
    "-a": "jobx writes --array SPEC",
    "-D": "jobx writes --chdir DIR",
    "--workdir": "jobx writes --chdir DIR",
    "-W": "jobx writes --wait",
    "--parsable": "jobx submit -q prints the id alone",
    "--export": "jobx writes --env K=V, and --clean-env to pass little else",
  },
};
