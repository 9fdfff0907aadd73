/**
 * How far to look back, and by which steps, to foretell Seattle's rain? Every setting is judged by each of four
 * years, a task for each. Some steps are too long on purpose: their fits fail, and the others go on.
 *
 *     jobx run study.ts       submits, waits, and shows the table
 *     jobx run study.ts 12    waits for job 12, which an earlier run submitted
 */
import { asCompleted, command, createExecutor, Job } from "jobx";

import { fit, type Score } from "./rain.ts";

const YEARS = [2012, 2013, 2014, 2015];
const settings = [1, 2, 4].flatMap((back) => [0.03, 0.3, 300].map((rate) => ({ back, rate })));
const fits = settings.flatMap((setting) => YEARS.map((year) => ({ ...setting, year })));

const executor = await createExecutor({ time: "5m", cpus: 1 });
const [, , submitted] = process.argv;
const job = submitted ? await Job.attach<Score>(Number(submitted)) : await executor.map(fit, fits);
console.log(`Job ${job.id}: ${job.length} fits`);

// What has to be beaten: tomorrow will be as today.
const asToday = "NR > 1 { same += wet == ($2 > 0); wet = $2 > 0 } END { print same / (NR - 1) }";
const table = `${import.meta.dir}/seattle-weather.csv`;
const baseline = await executor.submit(command(["awk", "-F,", asToday, table]));

let ended = 0;
for await (const task of asCompleted(job)) {
  const failure = await task.exception();
  console.log(
    `${++ended} of ${job.length}: ${JSON.stringify(fits[task.index])} ${failure?.message ?? "fitted"}`,
  );
}

const outcomes = await Promise.allSettled(job.tasks.map((task) => task.result()));
const rows = settings.map((setting, i) => {
  const scores = outcomes
    .slice(i * YEARS.length, (i + 1) * YEARS.length)
    .flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const loss = mean(scores.map((score) => score.loss));
  return { ...setting, loss, right: mean(scores.map((score) => score.right)), fits: scores.length };
});
rows.sort((a, b) => b.fits - a.fits || a.loss - b.loss);
console.table(rows);
console.log(`As today: ${await baseline.result()}`);
console.log(`Best: ${JSON.stringify(rows[0])}`);

function mean(values: number[]): number {
  return Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(4));
}
