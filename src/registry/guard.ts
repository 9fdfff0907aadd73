import { basename } from "node:path";

import { JobxError, messageOf } from "../errors.ts";
import type { Executor } from "../executor/contract.ts";
import { placeInPlugin } from "../executor/plugin-place.ts";
import { isNativeState } from "../executor/scheduler/native.ts";

/** The verbs that may be called, and how long each may take before it counts as one that hangs, in seconds. */
const LIMITS = {
  affinity: 15,
  validate: 60,
  plan: 120,
  // Schedulers try for minutes by themselves when their queue is full, and a job may be many arrays.
  submit: 3_600,
  resubmit: 3_600,
  status: 600,
  cancel: 600,
  hold: 600,
  release: 600,
  interrupt: 600,
  requeue: 600,
  find: 600,
  shell: 120,
  examine: 120,
} as const satisfies Partial<Record<keyof Executor, number>>;

type Verb = keyof typeof LIMITS;

/**
 * A plugin's executor, kept from doing harm by accident: whatever a verb throws becomes an error that names the plugin
 * and the verb, and so does what is no answer and what never comes. Errors that the plugin says in jobx's own words
 * pass. `limits` is for tests.
 */
export function guarded(
  executor: Executor,
  from: string,
  limits: Partial<Record<Verb, number>> = {},
): Executor {
  const safe: Executor = { ...executor };
  for (const verb of VERBS) {
    const own = executor[verb];
    if (!own) continue;
    const seconds = limits[verb] ?? LIMITS[verb];
    const call = (...args: unknown[]) =>
      settled(executor.name, from, verb, seconds, () => Reflect.apply(own, executor, args));
    Object.assign(safe, { [verb]: call });
  }
  const { name } = executor;
  safe.environment = (env) => {
    try {
      return executor.environment(env);
    } catch (error) {
      throw failure(name, from, "environment", error);
    }
  };
  return safe;
}

const VERBS = Object.keys(LIMITS).filter((name): name is Verb => Object.hasOwn(LIMITS, name));

async function settled(
  name: string,
  from: string,
  verb: Verb,
  seconds: number,
  call: () => unknown,
): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(hangs(name, from, verb, seconds)), seconds * 1000);
  try {
    const answer = await Promise.race([call(), late.promise]);
    const problem = problemOf(verb, answer);
    if (problem === null) return answer;
    throw new JobxError(codeFor(verb), `The plugin ${name} gave ${problem} from ${verb}`, {
      hint: hintFor(from),
    });
  } catch (error) {
    throw failure(name, from, verb, error);
  } finally {
    clearTimeout(timer);
  }
}

/** What is wrong with an answer; null for one that can be used. */
function problemOf(verb: Verb, answer: unknown): string | null {
  switch (verb) {
    case "affinity":
      return isObject(answer) &&
        [-1, 0, 1, 2].includes(Number(answer["score"])) &&
        typeof answer["why"] === "string"
        ? null
        : `${show(answer)} instead of a score and a reason`;
    case "plan":
      return typeof answer === "string" ? null : `${show(answer)} instead of a text`;
    case "submit":
    case "resubmit":
      return isSubmission(answer) ? null : `${show(answer)} instead of native ids`;
    case "find":
      return answer === null || isSubmission(answer) ? null : `${show(answer)} instead of native ids or null`;
    case "status":
      return listProblem(answer, isStatus, "the status of an element");
    case "examine":
      return listProblem(answer, isFinding, "a finding");
    case "shell":
      return isObject(answer) && Array.isArray(answer["argv"])
        ? null
        : `${show(answer)} instead of a command`;
    default:
      return null;
  }
}

function listProblem(answer: unknown, isOne: (value: unknown) => boolean, what: string): string | null {
  if (!Array.isArray(answer)) return `${show(answer)} instead of a list`;
  const at = answer.findIndex((one: unknown) => !isOne(one));
  return at < 0 ? null : `${show(answer[at])} as ${what}`;
}

function isStatus(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { job, element, state } = value;
  return Number.isInteger(job) && Number.isInteger(element) && (isNativeState(state) || state === "unknown");
}

function isFinding(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, verdict, detail, mend } = value;
  const isText = (text: unknown) => typeof text === "string";
  return isText(name) && isText(detail) && VERDICTS.includes(verdict) && (mend == null || isText(mend));
}

const VERDICTS: unknown[] = ["ok", "warn", "fail"];

function isSubmission(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value["natives"])) return false;
  return value["natives"].every(
    (native: unknown) =>
      isObject(native) &&
      typeof native["id"] === "string" &&
      /^.{1,255}$/.test(native["id"]) &&
      Number.isInteger(native["firstElement"]) &&
      Number.isInteger(native["elements"]),
  );
}

function failure(name: string, from: string, verb: string, error: unknown): JobxError {
  if (error instanceof JobxError) return error;
  const place = placeInPlugin(error);
  const where = place === null ? "" : ` (${basename(place)})`;
  return new JobxError(codeFor(verb), `The plugin ${name} failed in ${verb}: ${messageOf(error)}${where}`, {
    hint: hintFor(from),
    cause: error,
  });
}

function hangs(name: string, from: string, verb: Verb, seconds: number): JobxError {
  return new JobxError(codeFor(verb), `The plugin ${name} gave no answer from ${verb} within ${seconds} s`, {
    hint: hintFor(from),
  });
}

/** After a submission that broke nobody knows whether the job was accepted, so its folder is kept. */
function codeFor(verb: string): "UNREACHABLE" | "PLUGIN" {
  return verb === "submit" || verb === "resubmit" ? "UNREACHABLE" : "PLUGIN";
}

function hintFor(from: string): string {
  return `It is ${from}; \`jobx plugins test ${from}\` finds out more`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
