import { jobStateOf } from "../../model/states.ts";
import { jobIds, readSpec, readSummary } from "../../store/jobs.ts";
import { jobDir } from "../../store/layout.ts";
import type { CliContext } from "../context.ts";
import { printable } from "../printable.ts";
import { registryFor } from "../services.ts";
import type { Candidate, CompletionSources } from "./complete.ts";

/** More than fit on a screen help nobody. */
const MOST_JOBS = 40;

/** Jobs, executors and profiles of this home and configuration. */
export async function completionSources(context: CliContext): Promise<CompletionSources> {
  const config = context.config();
  return {
    jobs: () => newestJobs(config.home),
    executors: () => ["auto", ...registryFor(context).names()].map((value) => ({ value, about: "" })),
    profiles: () => config.profiles.map((value) => ({ value, about: "" })),
    async topics() {
      const { TOPICS } = await import("../help/topics.ts");
      return TOPICS.map((topic) => ({ value: topic.name, about: topic.summary }));
    },
  };
}

function newestJobs(home: string): Candidate[] {
  const ids = jobIds(home).toSorted((a, b) => b - a);
  const jobs = ids
    .slice(0, MOST_JOBS)
    .map((id) => ({ value: String(id), about: describeJob(jobDir(home, id)) }));
  return jobs.length > 0 ? [...jobs, { value: "last", about: "the newest job" }] : [];
}

/** Name and state, from what can be read at once; a damaged job has none. */
function describeJob(dir: string): string {
  try {
    const { name, executor } = readSpec(dir);
    const summary = readSummary(dir);
    return printable(`${name}, ${summary ? jobStateOf(summary.counts) : `on ${executor}`}`);
  } catch {
    return "";
  }
}
