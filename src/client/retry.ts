import { toResources } from "../config/resources.ts";
import { cleanJobEnvironment } from "../model/env-clean.ts";
import { retryJob } from "../orchestrator/retry.ts";
import { checkKeys } from "./check-keys.ts";
import { readOptions } from "./given.ts";
import type { ResourceOptions } from "./options.ts";
import { JobFiles, Scope } from "./scope.ts";

const RESOURCES = [
  "time",
  "mem",
  "cpus",
  "gpus",
  "nodes",
  "ranksPerNode",
  "partition",
  "account",
  "qos",
] satisfies (keyof ResourceOptions)[];

export type RetryOptions = ResourceOptions & {
  /** Only tasks that ended without success. */
  failed?: boolean;
  /** Go on from what its tasks have saved, instead of from the beginning. Throws NOT_FOUND where none has saved anything. */
  resume?: boolean;
};

/** Submits the tasks of a scope again, as a new job. Throws USAGE, REFUSED or NOT_FOUND. */
export async function retryScope(
  { files, reader, selected }: Scope,
  { failed = false, resume = false, ...changes }: RetryOptions,
): Promise<Scope> {
  const { services } = files.session;
  const { options } = readOptions(changes);
  checkKeys("retry()", changes, RESOURCES, ", failed, resume");
  const { id } = await retryJob(services, selected, {
    failedOnly: failed,
    resume,
    resources: toResources((flag) => options.text(flag)),
    environment: cleanJobEnvironment(services.env, { cleanEnv: reader.spec.run.cleanEnv }),
  });
  return new Scope(new JobFiles(files.session, id));
}
