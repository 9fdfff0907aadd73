import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { schedulerOf } from "../../executor/scheduler/definition.ts";
import { Bench, makeHome } from "../bench.ts";
import type { Case } from "../case.ts";
import type { KitOptions } from "../kit.ts";
import { LIFE } from "../life.ts";
import { samplesOf, type Subject } from "../subject.ts";
import { FakeCluster } from "./cluster.ts";
import { type FaultCase, FAULTS } from "./faults.ts";

/** The life of jobs on a scheduler that is made from the plugin's samples, then with everything going wrong on it. */
export function fakeCases(options: Pick<KitOptions, "runtime" | "env">): Case[] {
  const life = LIFE.map((one): FaultCase => ({ ...one, run: (bench) => one.run(bench) }));
  return [...life, ...FAULTS].map((one) => ({
    rule: one.rule,
    title: one.title,
    skip: (subject) => unlessPretended(subject) ?? one.skip?.(subject) ?? null,
    run: (subject) => onCluster(subject, options, one),
  }));
}

async function onCluster(
  subject: Subject,
  options: Pick<KitOptions, "runtime" | "env">,
  one: FaultCase,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "jobx-kit-"));
  const cluster = new FakeCluster(subject, folder);
  try {
    const bench = new Bench(cluster.executor, {
      home: makeHome(folder, "home"),
      // By way of env(1), so that no home of a minute gets a copy of the binary.
      runtime: ["/usr/bin/env", ...options.runtime],
      env: options.env,
      run: cluster.run,
      settings: {},
      isLive: false,
    });
    await one.run(bench, cluster, subject);
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Why no scheduler can be made from a plugin; null where one can. */
function unlessPretended(subject: Subject): string | null {
  if (!schedulerOf(subject.executor))
    return "only a scheduler of defineScheduler can be pretended; --live runs real jobs";
  if (!samplesOf(subject, "submit").some((sample) => !("is" in sample))) {
    return "there is no sample of submit whose text is made of the job's id";
  }
  return null;
}
