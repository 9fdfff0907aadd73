/**
 * The names that every program of this runtime has, as they were when jobx was loaded: what a script adds to
 * `globalThis` is not there in a job.
 */
export const GLOBAL_NAMES: ReadonlySet<string> = namesOf(globalThis);

function namesOf(object: object): Set<string> {
  const names = new Set<string>();
  for (let at: unknown = object; typeof at === "object" && at !== null; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  return names;
}
