import { messageOf } from "../../errors.ts";
import type { StatusQuery } from "../../executor/scheduler/native.ts";
import { arrayFor, nativeFor } from "../array.ts";
import { check, fail, forSchedulers, show } from "../case.ts";
import {
  definitionOf,
  documentOf,
  parseAnswer,
  sampleJob,
  sampleJobs,
  samplesOf,
  type Subject,
  withWord,
} from "../subject.ts";
import { CHATTER, checkAbout, isAbout, read } from "./reading.ts";

/** How a plugin asks what became of jobs, and what it reads from the answers. */
export const STATUS = forSchedulers([
  {
    rule: "status.rows",
    title: "every row of the samples is read as what it says, for jobs alone and in arrays",
    run(subject) {
      for (const { stage, sample, job, text } of rowsOf(subject)) {
        const rows = parseAnswer(stage, { stdout: documentOf(subject, stage.name, [text]) });
        checkAbout(rows, job, sample.is, `${stage.name}, ${sample.from}, ${show(text)}`);
      }
    },
  },
  {
    rule: "status.together",
    title: "rows of several jobs in one answer are kept apart",
    run(subject) {
      for (const stage of definitionOf(subject).status) {
        const samples = samplesOf(subject, "row").filter((sample) => sample.stage === stage.name);
        const jobs = samples.map((sample, at) => ({ sample, job: sampleJob({ id: `${5100 + at * 7}` }) }));
        const document = documentOf(
          subject,
          stage.name,
          jobs.map(({ sample, job }) => sample.row(job)),
        );
        const rows = parseAnswer(stage, { stdout: document });
        for (const { sample, job } of jobs)
          checkAbout(rows, job, { state: sample.is.state }, `${stage.name}, ${sample.from}`);
      }
    },
  },
  {
    rule: "status.answers",
    title: "whole answers of the samples are read as they should be",
    skip: (subject) => unlessSome(samplesOf(subject, "status"), "whole answer"),
    run(subject) {
      for (const sample of samplesOf(subject, "status")) {
        const stage = definitionOf(subject).status.find((one) => one.name === sample.stage);
        if (!stage) continue;
        const where = `${stage.name}, ${sample.from}`;
        const rows = read(stage, sample, where);
        if (sample.is === "no answer") {
          check(rows === null, `${where}: ${show(rows)} instead of an error that says there was no answer`);
          continue;
        }
        check(rows !== null, `${where}: it throws, and should give ${sample.is.length} rows`);
        check(
          rows.length === sample.is.length,
          `${where}: ${rows.length} rows instead of ${sample.is.length}`,
        );
        for (const [at, wanted] of sample.is.entries()) {
          for (const [key, value] of Object.entries(wanted)) {
            const got: unknown = Reflect.get(rows[at] ?? {}, key);
            check(
              Bun.deepEquals(got, value),
              `${where}, row ${at}: ${key} is ${show(got)} instead of ${show(value)}`,
            );
          }
        }
      }
    },
  },
  {
    rule: "status.states",
    title: "every word for a state in the samples stands in the table `states`",
    skip: (subject) => (definitionOf(subject).states ? null : "the plugin has no table `states`"),
    run(subject) {
      const states = definitionOf(subject).states ?? {};
      for (const sample of samplesOf(subject, "row")) {
        const { native, state } = sample.is;
        const word = [native, native.split(" ")[0] ?? ""].find((one) => Object.hasOwn(states, one));
        check(word !== undefined, `${show(native)} (${sample.from}) is not in \`states\``);
        const isEnd = state !== "queued" && state !== "running";
        const said = states[word];
        check(
          said === state || (isEnd && said === "ended"),
          `${show(native)} is ${said} in \`states\` and ${state} in a sample`,
        );
      }
    },
  },
  {
    rule: "status.unknown-word",
    title: "a state that nobody knows is no end, and is shown as it is",
    run(subject) {
      for (const { stage, sample, job, text } of rowsOf(subject)) {
        const { native } = sample.is;
        const strange = withWord(text, native, UNKNOWN_WORD);
        if (strange === text) continue;
        const rows = read(stage, { stdout: documentOf(subject, stage.name, [strange]) }, show(strange));
        for (const row of rows?.filter((one) => isAbout(one, job)) ?? []) {
          const isOpen = row.state === "queued" || row.state === "running";
          check(
            isOpen,
            `${stage.name}: the unknown state ${UNKNOWN_WORD} is read as ${row.state}, so a job that runs would be given up`,
          );
          check(
            row.native.includes(UNKNOWN_WORD),
            `${stage.name}: the unknown state is shown as ${show(row.native)}`,
          );
        }
      }
    },
  },
  {
    rule: "status.empty",
    title: "an answer without jobs has no rows",
    run(subject) {
      for (const stage of definitionOf(subject).status) {
        const rows = read(stage, { stdout: documentOf(subject, stage.name, []) }, "an answer without jobs");
        check(rows?.length === 0, `${stage.name}: ${show(rows)} instead of no rows`);
        const silent = read(stage, { stdout: "" }, "no output at all") ?? [];
        check(silent.length === 0, `${stage.name} makes ${show(silent)} of no output at all`);
      }
    },
  },
  {
    rule: "status.failure",
    title: "a command that failed is no answer, and not an answer without jobs",
    run(subject) {
      for (const stage of definitionOf(subject).status) {
        for (const answer of FAILURES) {
          const rows = read(stage, answer, show(answer.stderr));
          check(
            rows === null,
            `${stage.name}.parse of exit code ${answer.code} and ${show(answer.stderr)} gives ${show(rows)}: all jobs would count as lost; throw a JobxError`,
          );
        }
      }
    },
  },
  {
    rule: "status.chatter",
    title: "what a site prints around an answer changes none of it",
    run(subject) {
      for (const { stage, sample, job, text } of rowsOf(subject)) {
        const document = documentOf(subject, stage.name, [text]);
        const rows = read(
          stage,
          { stdout: `${CHATTER.before}${document}${CHATTER.after}` },
          "an answer amid chatter",
        );
        if (rows !== null) checkAbout(rows, job, { state: sample.is.state }, `${stage.name} amid chatter`);
      }
    },
  },
  {
    rule: "status.truncated",
    title: "an answer that was cut off breaks nothing",
    run(subject) {
      for (const { stage, text } of rowsOf(subject)) {
        const document = documentOf(subject, stage.name, [text]);
        const step = Math.max(1, Math.floor(document.length / 60));
        for (let length = 0; length < document.length; length += step) {
          read(stage, { stdout: document.slice(0, length) }, `an answer cut off after ${length} characters`);
        }
      }
    },
  },
  {
    rule: "status.one-call",
    title: "all jobs are asked about at once, and few calls follow",
    run(subject) {
      for (const [position, stage] of definitionOf(subject).status.entries()) {
        const calls = stage.argv(queryFor(200));
        checkCommands(calls, `${stage.name}.argv`);
        const most = position === 0 ? 1 : 20;
        check(
          calls.length <= most,
          `${stage.name} asks ${calls.length} times about 200 jobs; at most ${most}`,
        );
      }
    },
  },
  {
    rule: "status.query",
    title: "each stage names the jobs or the users that it is asked about",
    run(subject) {
      for (const stage of definitionOf(subject).status) {
        const query = queryFor(1);
        const words = stage.argv(query).flat().join(" ");
        const subjects = stage.scope === "ids" ? query.ids : query.users;
        for (const name of subjects) {
          check(
            words.includes(name) || stage.scope === "user",
            `${stage.name} does not name ${show(name)}: ${words}`,
          );
        }
      }
    },
  },
  {
    rule: "status.explain",
    title: "every failure of the samples has a reason in words",
    skip: (subject) => (definitionOf(subject).explain ? null : "the plugin has no explain"),
    run(subject) {
      const { spec, dir } = arrayFor({ elements: 10 });
      const natives = [nativeFor("4211", 10)];
      for (const { stage, text, sample } of rowsOf(subject)) {
        for (const row of parseAnswer(stage, { stdout: documentOf(subject, stage.name, [text]) })) {
          let reason: unknown;
          try {
            reason = definitionOf(subject).explain?.(row, { id: spec.id, dir, spec, natives });
          } catch (error) {
            fail(`explain throws on ${show(text)}: ${messageOf(error)}`);
          }
          check(
            reason === null || typeof reason === "string",
            `explain of ${show(text)} gives ${show(reason)}`,
          );
          const isBad = row.state === "failed" || row.state === "timeout";
          check(
            !isBad || Boolean(reason),
            `explain says nothing of ${sample.is.native}, a job that is ${row.state}`,
          );
        }
      }
    },
  },
]);

const UNKNOWN_WORD = "Xyzzy";

const FAILURES = [
  { code: 1, stdout: "", stderr: "error: cannot connect to the server: Connection refused\n" },
  { code: 137, stdout: "", stderr: "" },
];

/** Words that a command can be started with. */
export function checkCommands(commands: unknown, where: string): asserts commands is string[][] {
  check(Array.isArray(commands), `${where} gives ${show(commands)}, not a list of commands`);
  for (const argv of commands) {
    const isArgv = Array.isArray(argv) && argv.length > 0 && argv.every((word) => typeof word === "string");
    check(isArgv, `${where} gives ${show(argv)}, not the words of a command`);
    check(!argv.some((word: string) => word.includes("\0")), `${where} gives a word with a NUL character`);
  }
}

function* rowsOf(subject: Subject) {
  for (const stage of definitionOf(subject).status) {
    for (const sample of samplesOf(subject, "row")) {
      if (sample.stage !== stage.name) continue;
      for (const job of sampleJobs(subject, sample.is.state))
        yield { stage, sample, job, text: sample.row(job) };
    }
  }
}

function queryFor(count: number): StatusQuery {
  const ids = Array.from({ length: count }, (_, at) => String(4211 + at));
  return { ids, users: ["1000"], since: "2026-11-22T18:10:04.000Z" };
}

function unlessSome(list: unknown[], what: string): string | null {
  return list.length > 0 ? null : `there is no sample of a ${what}`;
}
