import { arrayFor } from "../array.ts";
import { check, fail, forSchedulers, show } from "../case.ts";
import { runScript, syntaxError, variablesOf, workerEnvironment } from "../script.ts";
import { definitionOf, type Subject } from "../subject.ts";
import { fitting, unless, VARIANTS } from "./submit.ts";

/** The batch script: what it tells the worker, tried with bash and the scheduler's variables. */
export const SCRIPT = forSchedulers([
  {
    rule: "script.syntax",
    title: "the script of every kind of job is one that bash can read",
    async run(subject) {
      for (const changes of VARIANTS) {
        const script = definitionOf(subject).script(arrayFor(fitting(subject, changes)));
        check(script.startsWith("#!"), `it begins with ${show(script.slice(0, 20))} instead of #!`);
        const error = await syntaxError(script);
        check(error === null, `bash says of ${show(changes)}: ${error}`);
      }
    },
  },
  {
    rule: "script.element",
    title: "the worker learns which element of the job it is, in every part of a job",
    async run(subject) {
      const cases: { elements: number; firstElement: number; index: number | null }[] = [
        { elements: 1, firstElement: 0, index: null },
      ];
      if (subject.executor.capabilities.arrays) {
        cases.push(
          { elements: 10, firstElement: 0, index: 0 },
          { elements: 10, firstElement: 1000, index: 7 },
        );
        cases.push({ elements: 1, firstElement: 2000, index: null });
      }
      for (const { elements, firstElement, index } of cases) {
        const range = index === null ? null : { first: index, last: index };
        const env = await workerEnvironment(subject, arrayFor({ elements, firstElement }), { range });
        const wanted = String(firstElement + (index ?? 0));
        check(
          env.JOBX_ELEMENT === wanted,
          `JOBX_ELEMENT is ${show(env.JOBX_ELEMENT)} instead of "${wanted}": index ${index} of an array from element ${firstElement} on`,
        );
      }
    },
  },
  {
    rule: "script.restarts",
    title: "the worker learns how often it was started before",
    skip: (subject) => unless(subject, "requeue") ?? unlessCounted(subject),
    async run(subject) {
      for (const restarts of [0, 2]) {
        const { JOBX_RESTARTS = "0" } = await workerEnvironment(subject, arrayFor(), { restarts });
        check(
          JOBX_RESTARTS === String(restarts),
          `JOBX_RESTARTS is ${show(JOBX_RESTARTS)} after ${restarts} restarts`,
        );
      }
    },
  },
  {
    rule: "script.requeue",
    title: "the worker learns how it has its element run again, unless the job must not",
    skip: (subject) => unless(subject, "requeue"),
    async run(subject) {
      const alone = await workerEnvironment(subject, arrayFor());
      const never = await workerEnvironment(subject, arrayFor({ run: { requeue: false } }));
      for (const name of ["JOBX_REQUEUE_COMMAND", "JOBX_REQUEUE_EXIT_CODE"])
        check(never[name] === undefined, `${name} is set in spite of --no-requeue`);
      if (alone.JOBX_REQUEUE_EXIT_CODE !== undefined) {
        const code = alone.JOBX_REQUEUE_EXIT_CODE;
        return check(/^[1-9]\d{0,2}$/.test(code), `JOBX_REQUEUE_EXIT_CODE is ${show(code)}, no exit code`);
      }
      check(
        wordsIn(alone.JOBX_REQUEUE_COMMAND, "JOBX_REQUEUE_COMMAND").join(" ").includes("4211"),
        `JOBX_REQUEUE_COMMAND does not name the job: ${alone.JOBX_REQUEUE_COMMAND}`,
      );
      if (subject.executor.capabilities.arrays) {
        const commands = [];
        for (const index of [6, 7]) {
          const range = { first: index, last: index };
          commands.push(
            (await workerEnvironment(subject, arrayFor({ elements: 10 }), { range })).JOBX_REQUEUE_COMMAND,
          );
        }
        check(
          commands[0] !== commands[1],
          `elements 6 and 7 of an array are requeued by the same words: ${commands[0]}`,
        );
      }
    },
  },
  {
    rule: "script.ranks",
    title: "a task of several ranks learns how they are started, and one of a single rank does not",
    skip: (subject) => unless(subject, "ranks") ?? unless(subject, "nodes"),
    async run(subject) {
      const hosts = ["node1", "node2"];
      const env = await workerEnvironment(subject, arrayFor({ resources: { nodes: 2, ranksPerNode: 3 } }), {
        hosts,
      });
      wordsIn(env.JOBX_RANK_COMMAND, "JOBX_RANK_COMMAND");
      const names = env.JOBX_RANK_VARIABLES ?? "";
      check(/^\w+ \w+$/.test(names), `JOBX_RANK_VARIABLES is ${show(names)}, not two names of variables`);
      check(Boolean(env.JOBX_HOSTLIST), "JOBX_HOSTLIST is not set, so no rank knows where the first one is");
      const alone = await workerEnvironment(subject, arrayFor());
      check(alone.JOBX_RANK_COMMAND === undefined, "JOBX_RANK_COMMAND is set for a task of one rank");
    },
  },
  {
    rule: "script.time",
    title: "the worker learns a time limit that leaves its task the time that was asked for",
    async run(subject) {
      const { JOBX_ELEMENT_SECONDS: seconds } = await workerEnvironment(
        subject,
        arrayFor({ resources: { timeSeconds: 3600 } }),
      );
      check(
        seconds === undefined || (/^\d+$/.test(seconds) && Number(seconds) >= 3600),
        `JOBX_ELEMENT_SECONDS is ${show(seconds)} where --time is an hour`,
      );
      const { JOBX_ELEMENT_SECONDS: none } = await workerEnvironment(subject, arrayFor());
      check(none === undefined, `JOBX_ELEMENT_SECONDS is ${show(none)} where no limit was asked for`);
    },
  },
  {
    rule: "script.words",
    title: "the worker's words arrive as they are, whatever is in them",
    async run(subject) {
      const words = ["/home/a b/it's", "$HOME", "`id`", '"', "*", "", "two\nlines", "\\n", "!x"];
      const { stdout, code, stderr } = await runScript(
        subject,
        arrayFor({ worker: ["/usr/bin/printf", "%s\\0", ...words] }),
      );
      check(code === 0, `the script ended with exit code ${code}: ${stderr.trim()}`);
      const got = stdout.split("\0").slice(0, -1);
      check(
        Bun.deepEquals(got, words),
        `the words ${show(words)} arrive as ${show(got)}; quote them with shellWords(worker)`,
      );
    },
  },
  {
    rule: "script.signals",
    title: "no signal ends the job before the worker listens",
    skip: () => (process.platform === "linux" ? null : "it can only be seen on Linux"),
    async run(subject) {
      const { stdout } = await runScript(subject, arrayFor({ worker: ["/bin/cat", "/proc/self/status"] }));
      const ignored = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)/m.exec(stdout)?.[1] ?? "0"}`);
      for (const [name, number] of [
        ["USR1", 10n],
        ["USR2", 12n],
        ["TERM", 15n],
      ] as const) {
        const isIgnored = ((ignored >> (number - 1n)) & 1n) === 1n;
        check(
          isIgnored,
          `SIG${name} would end the worker in its first moments: begin with trap '' USR1 USR2 TERM`,
        );
      }
    },
  },
  {
    rule: "script.exit",
    title: "the job ends as the worker does",
    async run(subject) {
      const { code } = await runScript(subject, arrayFor({ worker: ["/bin/sh", "-c", "exit 74"] }));
      check(code === 74, `the worker's exit code 74 becomes ${code}`);
    },
  },
  {
    rule: "script.silent",
    title: "the script prints nothing of its own",
    async run(subject) {
      const { stdout, stderr } = await runScript(subject, arrayFor({ worker: ["/bin/true"] }));
      check(stdout + stderr === "", `it prints ${show(stdout + stderr)}`);
    },
  },
]);

/** Why restarts cannot be learnt: a scheduler may not count them, and records tell as much. */
function unlessCounted(subject: Subject): string | null {
  const [once, again] = [1, 2].map((restarts) => variablesOf(subject, { restarts }));
  return Bun.deepEquals(once, again) ? "no variable of its samples counts restarts" : null;
}

function wordsIn(text: string | undefined, name: string): string[] {
  check(text !== undefined, `${name} is not set`);
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === "string"))
      return words;
  } catch {
    // Said below.
  }
  return fail(`${name} is ${show(text)}, not a JSON array of words`);
}
