import { JobxError, messageOf } from "../../errors.ts";
import type { NativeArray, NativeDependency } from "../../executor/scheduler/native.ts";
import type { Resources } from "../../model/resources.ts";
import { type ArrayChanges, arrayFor, nativeFor } from "../array.ts";
import { check, fail, forSchedulers, show } from "../case.ts";
import { definitionOf, sampleJob, samplesOf, type Subject } from "../subject.ts";
import { CHATTER } from "./reading.ts";
import { checkCommands } from "./status.ts";

/** How a plugin submits: the command, and what it reads from the answer. */
export const SUBMIT = forSchedulers([
  {
    rule: "submit.answers",
    title: "the id is read from every answer of the samples",
    run(subject) {
      for (const { from, stdout, is } of answersOf(subject)) {
        const found = parse(subject, stdout);
        if (is === null)
          check(found === null, `${from}: ${show(stdout)} holds no id, and ${show(found)} is read`);
        else {
          check(
            found?.id === is.id,
            `${from}: ${show(found?.id)} is read from ${show(stdout)} instead of ${show(is.id)}`,
          );
          if ("cluster" in is)
            check(found.cluster === is.cluster, `${from}: the cluster is ${show(found.cluster)}`);
        }
      }
    },
  },
  {
    rule: "submit.chatter",
    title: "the id is found whatever a site prints around it",
    run(subject) {
      for (const { from, stdout, is } of answersOf(subject)) {
        if (is === null) continue;
        const found = parse(subject, `${CHATTER.before}${stdout}${CHATTER.after}`);
        check(
          found?.id === is.id,
          `${from}: amid chatter ${show(found?.id ?? null)} is read instead of ${show(is.id)}`,
        );
      }
    },
  },
  {
    rule: "submit.no-id",
    title: "an answer without an id gives none, and breaks nothing",
    run(subject) {
      for (const text of ["", "\n", "Welcome to the cluster!\n", "error: no such queue\n"]) {
        const found = parse(subject, text);
        check(found === null, `${show(found)} is read from ${show(text)}; null stands for no id`);
      }
    },
  },
  {
    rule: "submit.words",
    title: "the submit command is a list of words that names the script once",
    run(subject) {
      for (const array of VARIANTS.map((changes) => arrayFor(fitting(subject, changes)))) {
        const argv = submitArgv(subject, array);
        checkCommands([argv], "submit.argv");
        const count = argv.filter((word) => word === SCRIPT).length;
        check(
          count === 1,
          `the script's path stands ${count} times in ${show(argv)}, and has to be one word`,
        );
      }
    },
  },
  {
    rule: "submit.unasked",
    title: "no resource is asked for that the user did not ask for",
    run(subject) {
      const plain = flagsOf(subject, {});
      for (const [name, ...values] of asked(subject)) {
        const given = values.map((resources) => new Set(flagsOf(subject, { resources })));
        const unasked = plain.filter((word) => !given.every((words) => words.has(word)));
        check(
          unasked.length === 0,
          `without ${name}, ${show(unasked)} is given all the same: many sites refuse that`,
        );
      }
    },
  },
  {
    rule: "submit.asked",
    title: "every resource that the user asked for reaches the scheduler",
    run(subject) {
      const plain = flagsOf(subject, {});
      for (const [name, resources, other] of asked(subject)) {
        const [one, two] = [flagsOf(subject, { resources }), flagsOf(subject, { resources: other })];
        check(!Bun.deepEquals(one, plain), `${name} changes nothing of what the scheduler is told`);
        check(
          !Bun.deepEquals(one, two),
          `${name}: ${show(resources)} and ${show(other)} are asked for in the same words`,
        );
      }
    },
  },
  {
    rule: "submit.array",
    title: "an array is told how many elements it has, and how many may run at once",
    skip: (subject) => unless(subject, "arrays"),
    run(subject) {
      const ten = flagsOf(subject, { elements: 10 });
      check(
        !Bun.deepEquals(ten, flagsOf(subject, { elements: 20 })),
        "10 and 20 elements are submitted in the same words",
      );
      const throttled = flagsOf(subject, { elements: 10, parallel: 4 });
      check(!Bun.deepEquals(ten, throttled), "--parallel 4 changes nothing of what the scheduler is told");
      check(
        !Bun.deepEquals(ten, flagsOf(subject, {})),
        "one element and ten are submitted in the same words",
      );
    },
  },
  {
    rule: "submit.log",
    title: "the scheduler is told where to write what an element prints",
    run(subject) {
      for (const changes of VARIANTS) {
        const paths: string[] = [];
        const array = arrayFor(fitting(subject, changes));
        const { log } = array;
        array.log = (index, escape) => {
          paths.push(log(index, escape));
          return paths.at(-1) ?? "";
        };
        const text = [...submitArgv(subject, array), definitionOf(subject).script(array)].join("\n");
        check(
          paths.some((path) => text.includes(path)),
          "`array.log(…)` stands neither in the command nor in the script",
        );
      }
    },
  },
  {
    rule: "submit.folder",
    title: "the job's folder reaches the scheduler or the script",
    run(subject) {
      const folder = "/scratch/some-folder";
      const array = arrayFor({ cwd: folder });
      const text = [...submitArgv(subject, array), definitionOf(subject).script(array)].join("\n");
      check(text.includes(folder), "`spec.cwd` stands neither in the command nor in the script");
    },
  },
  {
    rule: "submit.awkward",
    title: "awkward names and folders stay one word each",
    run(subject) {
      for (const text of ["two words", "it's", 'a"b', "100%d", "$(touch x)", "ä;b", "a,b=c:d", "-n"]) {
        const plain = submitArgv(subject, arrayFor());
        const argv = submitArgv(subject, arrayFor({ name: text, cwd: `/work/${text}` }));
        checkCommands([argv], "submit.argv");
        check(
          argv.length === plain.length,
          `the name ${show(text)} makes ${argv.length} words of ${plain.length}: ${show(argv)}`,
        );
        check(!argv.some((word) => word.includes("\n")), `the name ${show(text)} makes a word of two lines`);
      }
      const lines = submitArgv(subject, arrayFor({ name: "two\nlines" }));
      check(!lines.some((word) => word.includes("\n")), "a name of two lines is handed on as two lines");
    },
  },
  {
    rule: "submit.dependencies",
    title:
      "what a job waits for is said in native ids, each kind in words of its own unless the worker judges",
    skip: (subject) => unless(subject, "dependencies"),
    run(subject) {
      const plain = flagsOf(subject, {}).join(" ");
      const seen = new Map<string, string>();
      for (const kind of ["ok", "any", "fail"] as const) {
        const after: NativeDependency[] = [{ kind, natives: [{ native: nativeFor("9876"), indices: null }] }];
        const text = attempt(subject, { after });
        if (text === null) continue;
        check(
          text.includes("9876") && !plain.includes("9876"),
          `--after JOB:${kind} does not name the job's native id`,
        );
        const isJudged = definitionOf(subject).waitsForAnyEnd === true;
        const twin = isJudged ? undefined : [...seen].find(([, other]) => other === text)?.[0];
        check(
          twin === undefined,
          `--after JOB:${kind} is told the scheduler in the same words as JOB:${twin}`,
        );
        seen.set(kind, text);
      }
      check(seen.size > 0, "no kind of dependency is taken; say `dependencies: false`");
    },
  },
  {
    rule: "submit.pure",
    title: "the same job is submitted in the same words each time, and is not changed by it",
    run(subject) {
      for (const changes of VARIANTS) {
        const array = arrayFor(fitting(subject, changes));
        const before = JSON.stringify(array);
        const once = [submitArgv(subject, array), definitionOf(subject).script(array)];
        const again = [submitArgv(subject, array), definitionOf(subject).script(array)];
        check(Bun.deepEquals(once, again), "asked twice, submit.argv or script gives something else");
        check(JSON.stringify(array) === before, "submit.argv or script changes what it is given");
      }
    },
  },
]);

const SCRIPT = "/home/ann/.jobx/jobs/12/submit.sh";

/** Jobs of every kind; what a plugin's capabilities exclude is taken from them. */
export const VARIANTS: ArrayChanges[] = [
  {},
  { elements: 10 },
  { elements: 10, firstElement: 1000, parallel: 3 },
  { run: { requeue: false } },
  { resources: { timeSeconds: 90, memBytes: 2 ** 31, cpus: 3 } },
  { resources: { nodes: 2, ranksPerNode: 3 } },
  { resources: { ranksPerNode: 2 } },
];

/** A job without what the plugin cannot do. */
export function fitting({ executor }: Subject, changes: ArrayChanges): ArrayChanges {
  const { arrays, ranks, nodes } = executor.capabilities;
  const fit = { ...changes, resources: { ...changes.resources } };
  if (!arrays) fit.elements = 1;
  if (!ranks) delete fit.resources.ranksPerNode;
  if (!nodes) delete fit.resources.nodes;
  return fit;
}

/** Why a case does not apply to a plugin without this capability; null where it does. */
export function unless({ executor }: Subject, capability: keyof typeof executor.capabilities): string | null {
  return executor.capabilities[capability] ? null : `the plugin has no \`${capability}\``;
}

function submitArgv(subject: Subject, array: NativeArray): string[] {
  return definitionOf(subject).submit.argv(array, SCRIPT);
}

function* answersOf(
  subject: Subject,
): Iterable<{ from: string; stdout: string; is: { id: string; cluster?: string | null } | null }> {
  for (const sample of samplesOf(subject, "submit")) {
    const { from } = sample;
    if ("is" in sample) yield { from, stdout: sample.stdout, is: sample.is };
    else yield { from, stdout: sample.stdout(sampleJob()), is: { id: sampleJob().id } };
  }
}

function parse(subject: Subject, stdout: string): { id: string; cluster: string | null } | null {
  try {
    const found = definitionOf(subject).submit.parse(stdout, arrayFor());
    check(
      found === null || (typeof found?.id === "string" && found.id !== ""),
      `submit.parse gives ${show(found)}: an id, or null`,
    );
    return found;
  } catch (error) {
    return fail(`submit.parse throws on ${show(stdout)}: ${messageOf(error)}`);
  }
}

/** Every resource alone, with two values that must not be the same to the scheduler. */
function* asked(subject: Subject): Iterable<[string, Resources, Resources]> {
  const all: [string, Resources, Resources][] = [
    ["--mem", { memBytes: 2 ** 30 }, { memBytes: 3 * 2 ** 30 }],
    ["--cpus", { cpus: 3 }, { cpus: 5 }],
    ["--gpus", { gpus: { count: 2 } }, { gpus: { count: 3 } }],
    ["--partition", { partition: "long" }, { partition: "short" }],
    ["--account", { account: "physics" }, { account: "chemistry" }],
    ["--qos", { qos: "high" }, { qos: "low" }],
  ];
  const { ranks, nodes, signals } = subject.executor.capabilities;
  // Without signals the worker keeps the limit by its own clock.
  if (signals) all.push(["--time", { timeSeconds: 3600 }, { timeSeconds: 7200 }]);
  if (nodes) all.push(["--nodes", { nodes: 3 }, { nodes: 5 }]);
  if (ranks) all.push(["--ranks-per-node", { ranksPerNode: 3 }, { ranksPerNode: 5 }]);
  for (const one of all) if (isTaken(subject, one[1])) yield one;
}

/** A plugin may refuse what its scheduler does not have, in words, before anything is submitted. */
function isTaken(subject: Subject, resources: Resources): boolean {
  const { spec } = arrayFor({ resources });
  const run = async () => ({ code: 0, stdout: "", stderr: "" });
  try {
    const note = () => undefined;
    definitionOf(subject).validate?.(spec, {
      home: "/",
      env: {},
      settings: {},
      note,
      runtime: [],
      run,
      taskOutput: 2,
    });
    return true;
  } catch (error) {
    if (error instanceof JobxError && error.code === "USAGE") return false;
    throw error;
  }
}

/** What the scheduler itself is told: the command up to the script, and the script's own directives. */
function flagsOf(subject: Subject, changes: ArrayChanges): string[] {
  const array = arrayFor(changes);
  const argv = submitArgv(subject, array);
  const directives = definitionOf(subject)
    .script(array)
    .split("\n")
    .filter((line) => /^#[A-Z$]/.test(line));
  return [...argv.slice(0, argv.indexOf(SCRIPT)), ...directives.flatMap((line) => line.split(/\s+/))];
}

function attempt(subject: Subject, changes: ArrayChanges): string | null {
  try {
    return flagsOf(subject, changes).join(" ");
  } catch (error) {
    if (error instanceof JobxError) return null;
    throw error;
  }
}
