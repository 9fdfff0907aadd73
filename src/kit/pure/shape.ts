import { messageOf } from "../../errors.ts";
import { schedulerOf } from "../../executor/scheduler/definition.ts";
import type { Sample } from "../../executor/scheduler/samples.ts";
import { type Case, check, fail, forSchedulers, show } from "../case.ts";
import { sampleJob, samplesOf } from "../subject.ts";

/** What any plugin has, however it was made. */
export const SHAPE: Case[] = [
  {
    rule: "shape.description",
    title: "the description is one sentence",
    run({ executor }) {
      const { description } = executor;
      check(
        /^[A-Z].{9,}[^.\s]$/.test(description),
        `it is ${show(description)}: capital first, no full stop`,
      );
    },
  },
  {
    rule: "options.documented",
    title: "every option says what it is and what it takes",
    skip: ({ executor }) => (Object.keys(executor.options).length > 0 ? null : "it has no options"),
    run({ executor }) {
      for (const [name, { description, placeholder }] of Object.entries(executor.options)) {
        check(/^\S.{3,}/.test(description ?? ""), `the option "${name}" has no description`);
        check(Boolean(placeholder), `the option "${name}" does not say what it takes`);
        check(/^[a-z][a-z0-9-]*$/.test(name), `"${name}" is no name for -o: lower-case words joined by -`);
      }
    },
  },
  {
    rule: "options.default",
    title: "the default of an option can be written as the option is",
    skip: ({ executor }) =>
      Object.values(executor.options).some((one) => one.default !== undefined)
        ? null
        : "no option has a default",
    run({ executor }) {
      for (const [name, spec] of Object.entries(executor.options)) {
        if (spec.default === undefined) continue;
        const text = spec.format(spec.default);
        let read: unknown;
        try {
          read = spec.parse(text);
        } catch (error) {
          fail(`the default of "${name}" is written ${show(text)}, which it refuses: ${messageOf(error)}`);
        }
        check(Bun.deepEquals(read, spec.default), `the default of "${name}" is read back as ${show(read)}`);
      }
    },
  },
  {
    rule: "capabilities.verbs",
    title: "what the capabilities promise, the verbs can do",
    run({ executor }) {
      const { capabilities, hold, release } = executor;
      check(Boolean(hold) === Boolean(release), "hold and release go together: one of them is missing");
      if (capabilities.nodes)
        check(capabilities.ranks, "`nodes` without `ranks`: several nodes run several ranks");
      if (!capabilities.wholeJob && !capabilities.thisHost && capabilities.signals) {
        check(Boolean(executor.interrupt), "`signals` without interrupt(): nothing can be sent");
      }
    },
  },
  {
    rule: "environment.place",
    title: "environment reads the element, the rank, the restarts and the hosts",
    skip: (subject) =>
      schedulerOf(subject.executor) && samplesOf(subject, "variables").length === 0
        ? "there is no sample of variables"
        : null,
    run(subject) {
      const { executor } = subject;
      checkPlace(executor.environment({}));
      for (const sample of samplesOf(subject, "variables")) {
        const job = sampleJob({
          restarts: 2,
          range: executor.capabilities.arrays ? { first: 3, last: 3 } : null,
        });
        const place = executor.environment(sample.variables(job));
        checkPlace(place);
        const wanted = {
          element: job.range?.first ?? 0,
          restarts: executor.capabilities.requeue ? 2 : 0,
          ...sample.is,
        };
        for (const [key, value] of Object.entries(wanted)) {
          const got: unknown = Reflect.get(place, key);
          check(
            Bun.deepEquals(got, value),
            `${sample.from}: ${key} is ${show(got)} instead of ${show(value)}`,
          );
        }
      }
    },
  },
  ...forSchedulers([
    {
      rule: "samples.kinds",
      title: "there are samples of everything that the plugin reads",
      run(subject) {
        const definition = schedulerOf(subject.executor);
        const samples = definition?.samples ?? [];
        check(samples.length > 0, "there are none: add `samples`, see `jobx help plugins`");
        for (const sample of samples) checkMembers(sample);
        for (const [kind, hint] of Object.entries(NEEDED)) {
          check(
            samples.some((sample) => sample.of === kind),
            `there is none of "${kind}"${hint}`,
          );
        }
        const states = new Set(samplesOf(subject, "row").map((sample) => sample.is.state));
        for (const state of ["queued", "running"] as const)
          check(states.has(state), `there is no row of a ${state} job`);
        check(
          [...states].some((state) => state !== "queued" && state !== "running"),
          "there is no row of a job that has ended, in any stage",
        );
        const stages = new Set(definition?.status.map((stage) => stage.name));
        for (const sample of samples) {
          if (!("stage" in sample)) continue;
          check(
            stages.has(sample.stage),
            `a sample is of the stage "${sample.stage}", and there is none of that name`,
          );
        }
        for (const stage of definition?.status ?? []) {
          check(
            samplesOf(subject, "row").some((sample) => sample.stage === stage.name),
            `there is no row of the stage "${stage.name}"`,
          );
        }
        if (definition?.limits)
          check(
            samples.some(({ of }) => of === "limits"),
            'there is none of "limits"',
          );
        if (definition?.find)
          check(
            samples.some(({ of }) => of === "find"),
            'there is none of "find"',
          );
      },
    },
  ]),
];

/** The kinds of samples that no scheduler does without. */
const NEEDED = { submit: "", row: "", variables: ": `variables: () => ({})` where it sets none in a job" };

/** What a sample of each kind must have; a file's types prove nothing. */
const MEMBERS: Record<Sample["of"], { functions?: string[]; present?: string[] }> = {
  submit: { present: ["stdout"] },
  row: { functions: ["row"], present: ["stage", "is"] },
  document: { functions: ["stdout"], present: ["stage"] },
  status: { present: ["stage", "is"] },
  error: { present: ["is"] },
  limits: { present: ["stdout"] },
  find: { present: ["stdout"] },
  variables: { functions: ["variables"] },
};

function checkMembers(sample: Sample): void {
  const kinds = Object.keys(MEMBERS).join(", ");
  check(
    Object.hasOwn(MEMBERS, sample.of),
    `${show(sample)} is a sample of ${show(sample.of)}; there are ${kinds}`,
  );
  const { functions = [], present = [] } = MEMBERS[sample.of];
  for (const name of functions) {
    check(
      typeof Reflect.get(sample, name) === "function",
      `${show(sample)} has no function \`${name}\`; a sample of "${sample.of}" needs one`,
    );
  }
  for (const name of present) {
    check(
      Reflect.get(sample, name) !== undefined,
      `${show(sample)} has no \`${name}\`; a sample of "${sample.of}" needs one`,
    );
  }
  check(/\S/.test(sample.from ?? ""), `${show(sample)} does not say where it is from`);
}

function checkPlace(place: unknown): void {
  const { element, rank, restarts, hostnames } = Object(place);
  for (const [key, value] of Object.entries({ element, rank, restarts })) {
    check(Number.isInteger(value) && Number(value) >= 0, `${key} is ${show(value)}, not a number from 0`);
  }
  const isList = Array.isArray(hostnames) && hostnames.length > 0;
  check(hostnames === null || isList, `hostnames is ${show(hostnames)}: a list, or null for this host alone`);
}
