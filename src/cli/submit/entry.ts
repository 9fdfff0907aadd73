import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { usageError } from "../../errors.ts";
import { shellWords } from "../../executor/run.ts";

/** What is to run, as the command line has it. */
export type EntryWords = { kind: "command"; argv: string[] } | { kind: "function"; reference: string };

const MODULE = /\.[cm]?[jt]sx?(?:#.*)?$/;

/** Decides between a command (after `--`) and a function (one module reference). Throws USAGE. */
export function entryFrom(positionals: string[], rest: string[] | null, cwd: string): EntryWords {
  const [first, second] = positionals;
  if (rest !== null) {
    if (first !== undefined) {
      throw usageError(
        `${JSON.stringify(first)} stands before the --, and a command after it`,
        MODULE.test(first)
          ? "Submit one of them; arguments of a function are given with --arg"
          : "Put every word of the command after the --",
      );
    }
    const [program] = rest;
    if (program === undefined) throw usageError("There is no command after --", EITHER);
    if (program === "") throw usageError('The command is ""', "Write its name after --");
    return { kind: "command", argv: rest };
  }
  if (first === undefined) throw usageError("There is nothing to submit", EITHER);
  if (!MODULE.test(first)) throw bareWords(positionals, cwd);
  if (second !== undefined) {
    throw usageError(
      `Unexpected argument ${JSON.stringify(second)}`,
      `Arguments of a function are given with --arg: jobx submit ${first} --arg ${shellWords([second])}`,
    );
  }
  return { kind: "function", reference: first };
}

const EITHER =
  "Write a command after --, as in jobx submit -- ./run.sh, or name a module: jobx submit FILE.ts#EXPORT";

/** A command without its `--`, or a script as one gives it to sbatch. */
function bareWords(words: string[], cwd: string): Error {
  const [first = "", ...more] = words;
  if (first === "")
    return usageError('The first word is ""', "Write a command after --, or the name of a module");
  const isHere = !first.includes("/") && existsSync(resolve(cwd, first)) && Bun.which(first) === null;
  const command = shellWords([isHere ? `./${first}` : first, ...more]);
  return usageError(
    `${JSON.stringify(first)} is neither an option nor a module (.ts, .tsx, .mts, .cts, .js, .jsx, .mjs, .cjs)`,
    `If it is a command, it goes after --: jobx submit [options] -- ${command}`,
  );
}
