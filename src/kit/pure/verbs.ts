import { JobxError, messageOf } from "../../errors.ts";
import { matches, textOf } from "../../executor/scheduler/commands.ts";
import type { SchedulerDefinition } from "../../executor/scheduler/definition.ts";
import type { Target } from "../../executor/scheduler/native.ts";
import { arrayFor, nativeFor } from "../array.ts";
import { check, fail, forSchedulers, show } from "../case.ts";
import { scriptArguments } from "../script.ts";
import { definitionOf, sampleJob, samplesOf, type Subject } from "../subject.ts";
import { checkCommands } from "./status.ts";
import { unless } from "./submit.ts";

/** The commands that steer jobs, what failures mean, and what else is read. */
export const VERBS = forSchedulers([
  {
    rule: "verbs.few",
    title: "many jobs are told in few commands, none of which is longer than the system allows",
    run(subject) {
      for (const [name, argvs] of verbsOf(definitionOf(subject))) {
        const targets = Array.from({ length: 500 }, (_, at) => whole(String(4211 + at)));
        const commands = argvs(targets);
        checkCommands(commands, name);
        check(commands.length <= 50, `${name} takes ${commands.length} commands for 500 jobs; at most 50`);
        const text = commands.flat().join(" ");
        for (const { native } of targets)
          check(text.includes(native.id), `${name} of 500 jobs forgets ${native.id}`);
        for (const argv of commands)
          check(argv.join(" ").length < MOST_BYTES, `${name}: a command of ${argv.join(" ").length} bytes`);
      }
    },
  },
  {
    rule: "verbs.elements",
    title: "single elements of an array are told apart from each other and from the whole",
    skip: (subject) => unless(subject, "arrays"),
    run(subject) {
      for (const [name, argvs] of verbsOf(definitionOf(subject))) {
        const seen = new Map<string, string>();
        for (const indices of [null, [1], [2], [1, 2], [2, 3, 4, 8]]) {
          const target = { native: nativeFor("4211", 10), indices, isArray: true };
          const commands = indices === null ? argvs([target]) : unlessRefused(() => argvs([target]));
          if (commands === null) continue;
          const words = JSON.stringify(commands);
          const what = indices === null ? "the whole array" : `the indices ${indices.join(", ")}`;
          const twin = seen.get(words);
          check(twin === undefined, `${name} of ${what} and of ${twin} is the same: ${words}`);
          check(words.includes("4211"), `${name} of ${what} does not name the job: ${words}`);
          seen.set(words, what);
        }
      }
    },
  },
  {
    rule: "verbs.long",
    title: "every other element of a huge array is told in words that the system takes",
    skip: (subject) => unless(subject, "arrays"),
    run(subject) {
      const indices = Array.from({ length: 20_000 }, (_, at) => at * 2);
      for (const [name, argvs] of verbsOf(definitionOf(subject))) {
        const target = { native: nativeFor("4211", 40_000), indices, isArray: true };
        for (const argv of unlessRefused(() => argvs([target])) ?? []) {
          const longest = Math.max(...argv.map((word) => word.length));
          check(
            longest < MOST_WORD_BYTES,
            `${name}: a word of ${longest} bytes; Linux takes ${MOST_WORD_BYTES}`,
          );
          check(argv.join(" ").length < MOST_BYTES, `${name}: a command of ${argv.join(" ").length} bytes`);
        }
      }
    },
  },
  {
    rule: "verbs.distinct",
    title: "no verb is the same command as another one",
    run(subject) {
      const seen = new Map<string, string>();
      for (const [name, argvs] of verbsOf(definitionOf(subject))) {
        const words = JSON.stringify(argvs([whole("4211")]));
        check(!seen.has(words), `${name} and ${seen.get(words)} are both ${words}`);
        seen.set(words, name);
      }
    },
  },
  {
    rule: "errors.samples",
    title: "failures of the samples mean what they say",
    skip: (subject) => (samplesOf(subject, "error").length > 0 ? null : "there is no sample of a failure"),
    run(subject) {
      const definition = definitionOf(subject);
      for (const sample of samplesOf(subject, "error")) {
        const text = textOf({ code: 1, stdout: "", stderr: "", ...sample });
        const isTransient = matches(definition.transientErrors, text);
        const isUncertain = matches(definition.uncertainErrors, text);
        const isGone = matches(definition.goneErrors, text);
        const where = `${sample.from}: ${show(text)}`;
        check(
          isTransient === (sample.is === "transient" || sample.is === "uncertain"),
          `${where} ${isTransient ? "is" : "is not"} in transientErrors`,
        );
        check(
          isUncertain === (sample.is === "uncertain"),
          `${where} ${isUncertain ? "is" : "is not"} in uncertainErrors`,
        );
        check(isGone === (sample.is === "gone"), `${where} ${isGone ? "is" : "is not"} in goneErrors`);
      }
    },
  },
  {
    rule: "errors.patterns",
    title: "no pattern takes every failure for a passing one",
    run(subject) {
      const { transientErrors, uncertainErrors = [], goneErrors, clusterErrors = [] } = definitionOf(subject);
      for (const pattern of [...transientErrors, ...uncertainErrors, ...goneErrors, ...clusterErrors]) {
        check(pattern instanceof RegExp, `${show(String(pattern))} is no regular expression`);
        check(
          !/[gy]/.test(pattern.flags),
          `${pattern} has the flag g or y, which makes every other test fail`,
        );
        for (const text of ["", "error: no such queue: nope", "error: you are over your quota"]) {
          check(!pattern.test(text), `${pattern} matches ${show(text)}`);
        }
      }
    },
  },
  {
    rule: "errors.hint",
    title: "hints are words, and there need not be any",
    skip: (subject) => (definitionOf(subject).hint ? null : "the plugin gives no hints"),
    run(subject) {
      for (const text of [
        "",
        "error: xyzzy",
        ...samplesOf(subject, "error").map((one) => one.stderr ?? ""),
      ]) {
        const hint: unknown = definitionOf(subject).hint?.(text);
        check(
          hint === null || (typeof hint === "string" && hint !== ""),
          `hint(${show(text)}) is ${show(hint)}: words or null`,
        );
      }
    },
  },
  {
    rule: "limits.samples",
    title: "limits are read, and never guessed from what is none",
    skip: (subject) => (definitionOf(subject).limits ? null : "the plugin asks for no limits"),
    run(subject) {
      const { limits } = definitionOf(subject);
      if (!limits) return;
      checkCommands([limits.argv], "limits.argv");
      for (const sample of samplesOf(subject, "limits")) {
        const asked = { cluster: "dev", maxArraySize: 777 };
        const wanted = "is" in sample ? sample.is : asked;
        const got = limits.parse("is" in sample ? sample.stdout : sample.stdout(asked));
        check(
          got.maxArraySize === wanted.maxArraySize,
          `${sample.from}: maxArraySize is ${got.maxArraySize} instead of ${wanted.maxArraySize}`,
        );
        if ("is" in sample)
          check(got.cluster === wanted.cluster, `${sample.from}: the cluster is ${show(got.cluster)}`);
      }
      for (const text of ["", "Welcome to the cluster!\n", "error: cannot connect\n"]) {
        const got = withoutThrowing(`limits.parse of ${show(text)}`, () => limits.parse(text));
        const size = got.maxArraySize;
        check(
          size === null || (Number.isInteger(size) && size > 0),
          `limits.parse of ${show(text)}: maxArraySize is ${size}`,
        );
      }
    },
  },
  {
    rule: "find.samples",
    title: "a submission is found by its token, and no other one is",
    skip: (subject) => (definitionOf(subject).find ? null : "the plugin has no find"),
    run(subject) {
      const { find } = definitionOf(subject);
      if (!find) return;
      checkCommands([find.argv("1000", "T0ken_-x")], "find.argv");
      for (const sample of samplesOf(subject, "find")) {
        if ("is" in sample) {
          const got = find.parse(sample.stdout, sample.token);
          check(Bun.deepEquals(got, sample.is), `${sample.from}: ${show(got)} instead of ${show(sample.is)}`);
          continue;
        }
        const text = sample.stdout(submitted(subject));
        for (const token of ["T0ken_-x", "0ther"]) {
          const got = find.parse(text, token);
          const wanted = token === "T0ken_-x" ? ["4211"] : ["4305"];
          check(
            Bun.deepEquals(
              got.map((one) => one.id),
              wanted,
            ),
            `${sample.from}: the token ${token} finds ${show(got)}`,
          );
          for (const one of got) {
            check(
              one.firstElement === 0 && one.elements === 1,
              `${sample.from}: ${show(one)}: one element from 0 on`,
            );
            check(
              !Number.isNaN(Date.parse(one.submitted)),
              `${sample.from}: submitted is ${show(one.submitted)}`,
            );
          }
        }
        check(
          find.parse(text, "n0ne").length === 0,
          `${sample.from}: a token that nobody has finds something`,
        );
        const none = withoutThrowing("find.parse without jobs", () =>
          find.parse(sample.stdout([]), "T0ken_-x"),
        );
        check(none.length === 0, `${sample.from}: ${show(none)} is found where there are no jobs`);
      }
      const empty = withoutThrowing("find.parse of no output", () => find.parse("", "T0ken_-x"));
      check(empty.length === 0, `find.parse of no output gives ${show(empty)}`);
    },
  },
]);

/** execve(2): a word of a command, and all of them with room for the environment. */
const MOST_WORD_BYTES = 131_072;
const MOST_BYTES = 1_500_000;

/** The verbs that take targets, with each kind of signal as one of them. */
function verbsOf(definition: SchedulerDefinition): [string, (targets: Target[]) => string[][]][] {
  const { cancel, hold, release, requeue, interrupt } = definition;
  const all: [string, ((targets: Target[]) => string[][]) | undefined][] = [
    ["cancel", cancel],
    ["hold", hold],
    ["release", release],
    ["requeue", requeue],
    ["interrupt (preempted)", interrupt && ((targets) => interrupt(targets, "preempted"))],
    ["interrupt (timeout)", interrupt && ((targets) => interrupt(targets, "timeout"))],
  ];
  return all.flatMap(([name, verb]) => (verb ? [[name, verb]] : []));
}

function whole(id: string): Target {
  return { native: nativeFor(id), indices: null, isArray: false };
}

/** Two jobs as a look-up sees them, with the words that the plugin's own submit command puts behind the script. */
function submitted(subject: Subject) {
  return [
    { id: "4211", token: "T0ken_-x" },
    { id: "4305", token: "0ther" },
  ].map((one) => sampleJob({ ...one, arguments: argumentsFor(subject, one.token) }));
}

function argumentsFor(subject: Subject, token: string): string[] {
  const { script } = sampleJob();
  return scriptArguments(definitionOf(subject).submit.argv(arrayFor({ token }), script), script);
}

/** A verb may refuse single elements in words, where the scheduler takes whole arrays only. */
function unlessRefused<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof JobxError && error.code === "USAGE") return null;
    throw error;
  }
}

function withoutThrowing<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    return fail(`${what} throws: ${messageOf(error)}`);
  }
}
