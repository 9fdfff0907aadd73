import { closeSync, openSync, readSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";

import { usageError } from "../../errors.ts";
import { shellWords } from "../../executor/run.ts";
import { type Directives, parseDirectives } from "../../model/directives.ts";

/** Far more than the comments at a script's head. */
const HEAD_BYTES = 65_536;
const SHELLS = new Set(["sh", "bash", "dash", "ksh", "zsh"]);

/** What runs the command that follows; behind options of theirs nothing is looked for. */
const WRAPPERS = new Set(["env", "nice", "nohup", "time"]);

/**
 * What the `#SBATCH` lines of the command's script ask for; null where it has none or they are to be
 * ignored. Without a decision such a script is refused, since its limits would silently not hold.
 */
export function directivesOf(
  argv: string[],
  cwd: string,
  choice: { use: boolean; ignore: boolean },
): Directives | null {
  if (choice.use && choice.ignore) {
    throw usageError("--use-directives and --ignore-directives exclude each other", "Keep one of them");
  }
  const script = scriptOf(argv);
  const head = script === null || choice.ignore ? null : headOf(resolve(cwd, script));
  const directives = head === null ? null : parseDirectives(head);
  if (directives === null || directives.count === 0) {
    if (!choice.use) return null;
    throw usageError(
      `${script ?? shellWords(argv)} has no #SBATCH lines to use`,
      "Leave --use-directives out, or name the script first after --",
    );
  }
  if (!choice.use) {
    throw usageError(
      `${script} has #SBATCH lines, which jobx does not read unless it is told to`,
      "Add --use-directives to take its options from them, or --ignore-directives to pass over them",
    );
  }
  const [problem] = directives.unknown;
  if (problem !== undefined) {
    throw usageError(
      `${script}: ${directives.unknown.join("; ")}`,
      "Change the line, or add --ignore-directives and give the options here",
    );
  }
  return directives;
}

/**
 * The script that a command runs: its first word, or the first one after a shell's own options, a plain `env A=1` or
 * `nice` before it passed over; null where it runs none.
 */
function scriptOf(argv: string[]): string | null {
  const [program = "", ...words] = argv;
  if (WRAPPERS.has(basename(program))) {
    const isVariable = (word: string) => basename(program) === "env" && /^\w+=/.test(word);
    return scriptOf(words.slice(words.findIndex((word) => !isVariable(word))));
  }
  if (!SHELLS.has(basename(program))) return program.includes("/") ? program : null;
  while (words[0] !== undefined && /^[-+]/.test(words[0])) {
    const option = words.shift() ?? "";
    // bash(1), "OPTIONS".
    if (option === "-" || option === "--") break;
    if (/^-\w*[cs]/.test(option)) return null;
    if (/^(?:[-+]\w*[oO]|--rcfile|--init-file)$/.test(option)) words.shift();
  }
  return words[0] ?? null;
}

/** The beginning of a text file; null for what is missing or no text: the worker says so in its place. */
function headOf(path: string): string | null {
  const bytes = Buffer.alloc(HEAD_BYTES);
  try {
    if (!statSync(path).isFile()) return null;
    const file = openSync(path, "r");
    try {
      const head = bytes.subarray(0, readSync(file, bytes, 0, HEAD_BYTES, 0));
      return head.includes(0) ? null : head.toString("utf8");
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}
