import { expect, test } from "bun:test";

import { GOOD, loadText, runKit } from "../helpers/kit.ts";
import { tempDir } from "../helpers/temp.ts";

const folder = tempDir("mutants");

/** One deliberate fault each in a good plugin: the rule that has to find it, what is replaced, and by what. */
const PURE: [rule: string, from: string, to: string][] = [
  ["shape.description", '"Submits to the scheduler of my site"', '"submits jobs."'],
  ["options.documented", 'option.string("Node that the job must have")', 'option.string("")'],
  [
    "options.default",
    'option.string("Node that the job must have")',
    'option.number("Nodes", { default: 0, min: 1 })',
  ],
  ["capabilities.verbs", "arrays: true, ranks: true,", "arrays: true, nodes: true,"],
  ["environment.place", "Number(env.MY_INDEX ?? 0)", "Number(env.MY_INDEX ?? 0) + 1"],
  ["environment.place", "hostnames: null,", "hostnames: [],"],
  ["samples.kinds", 'const from = "the scheduler of my dreams 1.0";', 'const from = "";'],
  ["samples.kinds", "...Object.keys(STATES).map(row),", 'row("waiting"),'],
  ["submit.answers", "/^job (\\d+) submitted$/m", "/^job (\\d)\\d+ submitted$/m"],
  ["submit.chatter", "/^job (\\d+) submitted$/m", "/(\\d+)/"],
  [
    "submit.no-id",
    "return id === undefined ? null :",
    'return id === undefined ? { id: "0", cluster: null } :',
  ],
  ["submit.words", "return [...argv, path,", "return [...argv, `--script=${path}`,"],
  [
    "submit.unasked",
    "if (memBytes !== undefined) argv.push(`--megabytes=${Math.ceil(memBytes / 2 ** 20)}`);",
    "argv.push(`--megabytes=${Math.ceil((memBytes ?? 2 ** 30) / 2 ** 20)}`);",
  ],
  [
    "submit.unasked",
    "argv.push(`--cpus=${cpus}`);",
    "argv.push(`--cpus=${cpus}`);\n  else argv.push('--cpus=1');",
  ],
  ["submit.asked", "if (cpus !== undefined) argv.push(`--cpus=${cpus}`);", ""],
  ["submit.asked", "argv.push(`--queue=${partition}`)", 'argv.push("--queue=default")'],
  ["submit.array", 'parallel === null ? "" : `%${parallel}`', '""'],
  ["submit.array", "--array=0-${elements - 1}", "--array=0-9"],
  ["submit.log", "${array.log(", "/dev/null${0 && array.log("],
  ["submit.folder", "--dir=${spec.cwd}", "--dir=/"],
  ["submit.awkward", 'spec.name.replaceAll(/\\s+/g, " ")', "spec.name"],
  ["submit.dependencies", "--after-${kind}=", "--after="],
  ["submit.dependencies", '${ids.join(",")}', "${ids.length}"],
  ["submit.pure", "return [...argv, path,", "return [...argv, `--nonce=${Math.random()}`, path,"],
  ["script.syntax", "${MY_INDEX:-0} ))", "${MY_INDEX:-0} )"],
  ["script.syntax", '    "#!/bin/bash",\n', ""],
  ["script.element", "$1 + ${MY_INDEX:-0}", "${MY_INDEX:-0}"],
  ["script.element", "$1 + ${MY_INDEX:-0}", "$1"],
  ["script.time", "`exec ${", '"export JOBX_ELEMENT_SECONDS=60",\n    `exec ${'],
  ["script.words", "${shellWords(worker)}", '${worker.join(" ")}'],
  ["script.signals", "\"trap '' USR1 USR2 TERM\",", ""],
  ["script.exit", "`exec ${shellWords(worker)}`", "`${shellWords(worker)} || true`"],
  ["script.silent", "`exec ${", '"echo starting",\n    `exec ${'],
  ["status.rows", 'indices: indices === "-" ? null : indices', "indices: null"],
  ["status.rows", '          state: STATES[native] ?? "queued"', '          state: "running"'],
  ["status.together", 'stdout.split("\\n").flatMap', 'stdout.split("\\n").slice(0, 1).flatMap'],
  ["status.states", "return STATES;", "return { waiting: 'queued' } as const;"],
  [
    "status.unknown-word",
    '          state: STATES[native] ?? "queued"',
    '          state: STATES[native] ?? "failed"',
  ],
  [
    "status.empty",
    "    return stdout.split",
    '    if (stdout === "") throw new TypeError("nothing");\n    return stdout.split',
  ],
  ["status.failure", "if (code !== 0)", "if (code === 99)"],
  [
    "status.chatter",
    "if (!match) return [];",
    'if (!match && line !== "") throw new TypeError(line);\n      if (!match) return [];',
  ],
  [
    "status.truncated",
    "if (!match) return [];",
    'if (!match && line !== "") throw new TypeError(line);\n      if (!match) return [];',
  ],
  [
    "status.one-call",
    'argv: ({ users }) => [["mystat", "-u", users.join(",")]]',
    'argv: ({ ids }) => ids.map((id) => ["mystat", id])',
  ],
  ["status.explain", 'state === "failed" || state === "timeout" ?', 'state === "failed" ?'],
  [
    "verbs.few",
    'cancel: (targets) => [["mydel", ...targets.flatMap(idsOf)]]',
    'cancel: (targets) => targets.map((one) => ["mydel", ...idsOf(one)])',
  ],
  ["verbs.elements", "return indices.map((index) => `${native.id}.${index}`);", "return [native.id];"],
  [
    "verbs.long",
    'cancel: (targets) => [["mydel", ...targets.flatMap(idsOf)]]',
    'cancel: (targets) => [["mydel", targets.flatMap(idsOf).join(",")]]',
  ],
  ["verbs.distinct", '"-s", kind === "timeout" ? "USR1" : "USR2",', '"-s", "USR2",'],
  ["errors.samples", "uncertainErrors: [/timed out/i]", "uncertainErrors: []"],
  ["errors.samples", "goneErrors: [/has already ended/i]", "goneErrors: [/nothing/]"],
  ["errors.patterns", "goneErrors: [/has already ended/i]", "goneErrors: [/./]"],
  ["errors.patterns", "/try again later/i", "/try again later/g"],
];

/** The same for what only shows in the life of jobs. */
const FAKE: typeof PURE = [
  ["fault.refused", "transientErrors: [/timed out/i,", "transientErrors: [/mysub/,"],
  ["fault.status-fails", "if (code !== 0)", "if (code === 99)"],
  [
    "fault.unknown-state",
    '          state: STATES[native] ?? "queued"',
    '          state: STATES[native] ?? "cancelled"',
  ],
  ["life.success", "`exec ${shellWords(worker)}`", "`exec true ${shellWords(worker)}`"],
  ["life.array", "$1 + ${MY_INDEX:-0}", "$1"],
  [
    "calls.few",
    '[["mydel", ...targets.flatMap(idsOf)]]',
    'Array(9).fill(["mydel", ...targets.flatMap(idsOf)])',
  ],
];

test("the plugin that is mutated is good", async () => {
  const { failures } = await runKit(folder, await loadText(folder, GOOD), ["pure"]);
  expect(failures).toEqual([]);
});

test("every rule of the first level that applies to it has a mutant", async () => {
  const { outcomes } = await runKit(folder, await loadText(folder, GOOD), ["pure"]);
  const applied = outcomes.filter(({ state }) => state === "passed").map(({ rule }) => rule);
  const mutated = new Set(PURE.map(([rule]) => rule));
  // `users` have no names of their own in a query that is about ids, and hints are optional.
  expect(applied.filter((rule) => !mutated.has(rule))).toEqual(["status.query"]);
});

test.each(PURE)("%s finds %j made into %j", async (rule, from, to) => {
  const { outcomes } = await runKit(folder, await mutant(from, to), ["pure"], rule);
  expect(outcomes).toMatchObject([{ rule, state: "failed" }]);
});

test.concurrent.each(FAKE)(
  "%s finds %j made into %j on the pretended scheduler",
  async (rule, from, to) => {
    const { outcomes } = await runKit(folder, await mutant(from, to), ["fake"], rule);
    expect(outcomes).toMatchObject([{ rule, state: "failed" }]);
  },
  90_000,
);

async function mutant(from: string, to: string) {
  expect(GOOD).toContain(from);
  return loadText(
    folder,
    GOOD.replace(from, () => to),
  );
}
