import { requestFrom } from "../config/request.ts";
import { SubmitSettings } from "../config/settings.ts";
import { JobxError, usageError } from "../errors.ts";
import type { Executor } from "../executor/contract.ts";
import { validateOptions } from "../executor/options.ts";
import { resolveOne } from "../orchestrator/select.ts";
import type { Services } from "../orchestrator/services.ts";
import { chooseExecutor, type SubmitInput } from "../orchestrator/submit.ts";
import { readOptions } from "./given.ts";
import type { ExecutorOptions, OptionTable } from "./options.ts";
import type { Session } from "./session.ts";
import type { TaskSet } from "./work.ts";

/** The request of a submission with an executor's options; nothing is written. Throws USAGE or NOT_FOUND. */
export async function inputFrom(
  { config, services }: Session,
  options: ExecutorOptions,
  { entry, tasks, count, command }: TaskSet,
): Promise<SubmitInput> {
  const own = command && {
    cwd: command.cwd ?? options.cwd,
    env: { ...options.env, ...command.env },
    capture: command.capture ?? options.capture ?? true,
  };
  const given = readOptions({ ...options, ...own });
  const settings = new SubmitSettings({ flags: given.options, directives: {}, config });
  const { executor } = await chooseExecutor(services, settings.text("executor") ?? "auto");
  const tables = await checkTables(services, given.tables);
  return requestFrom(settings, {
    entry,
    tasks,
    count,
    templated: false,
    keys: [],
    someKeys: [],
    bare: false,
    array: null,
    executor: executor.name,
    options: tables[executor.name] ?? {},
    env: services.env,
    cwd: process.cwd(),
    async resolveAfter(selector) {
      const selected = await resolveOne(services, [selector]);
      return selected.tasks === null ? { job: selected.id } : { job: selected.id, tasks: selected.tasks };
    },
  });
}

/**
 * Checks the tables of all executors, whichever is used, and gives them with the names that their options have:
 * `srunArgs` is `srun-args`. Throws USAGE that names what is wrong, the nearest executor included.
 */
export async function checkTables(
  services: Services,
  given: Record<string, OptionTable>,
): Promise<Record<string, OptionTable>> {
  const tables: Record<string, OptionTable> = {};
  for (const [name, values] of Object.entries(given)) {
    const executor = await find(services, name);
    const table = withOptionNames(executor, values);
    validateOptions(name, executor.options, table, `${name}: { … }`);
    tables[name] = table;
  }
  return tables;
}

async function find(services: Services, name: string): Promise<Executor> {
  try {
    return await services.executors.get(name);
  } catch (error) {
    if (!(error instanceof JobxError) || error.code !== "NOT_FOUND") throw error;
    throw usageError(`There is neither an option nor an executor ${name}`, error.hint);
  }
}

function withOptionNames({ options }: Executor, values: OptionTable): OptionTable {
  const table: OptionTable = {};
  for (const [key, value] of Object.entries(values)) {
    const dashed = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    table[!Object.hasOwn(options, key) && Object.hasOwn(options, dashed) ? dashed : key] = value;
  }
  return table;
}
