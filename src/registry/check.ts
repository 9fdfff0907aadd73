import { JobxError } from "../errors.ts";
import { CONTRACT_VERSION, type Executor, OLDEST_CONTRACT } from "../executor/contract.ts";
import { schedulerProblem } from "./check-scheduler.ts";

const VERBS = ["affinity", "submit", "status", "cancel", "environment"] as const;
const OPTIONAL_VERBS = [
  "validate",
  "plan",
  "hold",
  "release",
  "interrupt",
  "requeue",
  "resubmit",
  "find",
  "shell",
  "examine",
] as const satisfies (keyof Executor)[];

/** The executor that a plugin's module exports; throws PLUGIN that says where, and what it lacks. */
export function executorOf(module: unknown, where: () => string): Executor {
  const problem = problemOf(module);
  if (problem) throw new JobxError("PLUGIN", `${where()} ${problem.what}`, { hint: problem.hint });
  const value = isObject(module) ? module["default"] : undefined;
  if (isExecutor(value)) return value;
  throw new JobxError("BUG", `${where()} passed every check and is no executor`);
}

function problemOf(module: unknown): { what: string; hint: string } | null {
  const value = isObject(module) ? module["default"] : undefined;
  const write = "Write `export default defineExecutor({ name: ..., ... })`, imported from jobx/plugin";
  if (value === undefined) return { what: "has no default export", hint: write };
  if (!isObject(value))
    return { what: `exports ${describe(value)} as its default, not an executor`, hint: write };
  const contract = value["contract"];
  if (contract === undefined)
    return { what: "exports an object that defineExecutor did not make", hint: write };
  const strange = contractProblem(contract);
  if (strange) return strange;
  const name = value["name"];
  if (typeof name !== "string" || !/^[a-z][a-z0-9_-]*$/.test(name) || name === "auto") {
    return {
      what: `has the name ${JSON.stringify(name)}`,
      hint: "A name is lower-case letters, digits, - and _, begins with a letter, and is not auto",
    };
  }
  if (typeof value["description"] !== "string") {
    return { what: "has no description", hint: "Add `description`: one sentence for `jobx plugins`" };
  }
  for (const verb of VERBS) {
    if (typeof value[verb] !== "function") {
      return { what: `lacks ${verb}()`, hint: `Every executor has ${VERBS.join(", ")}` };
    }
  }
  for (const verb of OPTIONAL_VERBS) {
    if (value[verb] !== undefined && typeof value[verb] !== "function") {
      return {
        what: `has a ${verb} that is ${describe(value[verb])}`,
        hint: `Make ${verb} a function, or leave it out`,
      };
    }
  }
  return badOption(value["options"]) ?? schedulerProblem(value["scheduler"]);
}

/** Why a plugin of this version of the contract cannot be used; null for all that this jobx reads. */
function contractProblem(contract: unknown): { what: string; hint: string } | null {
  const version = JSON.stringify(contract);
  if (typeof contract !== "number" || !Number.isInteger(contract)) {
    return {
      what: `has the contract ${version}, which is no version of it`,
      hint: `Write \`contract: ${CONTRACT_VERSION}\`, the version that \`jobx plugins new\` writes`,
    };
  }
  if (contract > CONTRACT_VERSION) {
    return {
      what: `is written for version ${version} of the plugin contract, this jobx knows up to version ${CONTRACT_VERSION}`,
      hint: "Update jobx, or take the plugin's release for this one; `jobx --version` says which it is",
    };
  }
  if (contract >= OLDEST_CONTRACT) return null;
  return {
    what: `is written for version ${version} of the plugin contract, this jobx reads versions from ${OLDEST_CONTRACT} on`,
    hint: "Bring it up to date: `jobx plugins new` writes one of today, and `jobx plugins test` says what is missing",
  };
}

function badOption(options: unknown): { what: string; hint: string } | null {
  const hint = "Make options with option.string(...) and its kin, imported from jobx/plugin";
  if (!isObject(options)) return { what: `has options that are ${describe(options)}`, hint };
  for (const [name, spec] of Object.entries(options)) {
    if (!isObject(spec) || typeof spec["parse"] !== "function") {
      return { what: `has an option "${name}" that is ${describe(spec)}`, hint };
    }
  }
  return null;
}

function isExecutor(value: unknown): value is Executor {
  return isObject(value) && problemOf({ default: value }) === null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" || typeof value === "undefined"
    ? "not what it should be"
    : `a ${typeof value}`;
}
