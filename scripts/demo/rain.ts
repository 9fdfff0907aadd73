/**
 * Will it be wet in Seattle tomorrow? A logistic regression on the weather of the last days, fitted by gradient
 * descent, and judged by a year that it has not seen. The table is NOAA's daily record for 2012 to 2015.
 */
import { defineTask, type TaskContext } from "jobx";

/** One fit: how many days it looks back, how long its steps are, and the year that it is judged by. */
export type Fit = { back: number; rate: number; year: number };

/** How well it foretold that year: the mean logarithmic loss, and the share of days that it got right. */
export type Score = { loss: number; right: number; attempt: number };

type Progress = { epoch: number; weights: Float64Array };
type Day = { year: number; inputs: number[]; wet: boolean };

const EPOCHS = 300;

export const fit = defineTask({
  async run(ctx: TaskContext<Progress>, { back, rate, year }: Fit): Promise<Score> {
    const days = await readDays(back);
    const seen = days.filter((day) => day.year !== year);
    const unseen = days.filter((day) => day.year === year);
    let { epoch, weights } = ctx.restored ?? { epoch: 0, weights: new Float64Array(1 + 8 * back) };
    for (; epoch < EPOCHS; epoch++) {
      const loss = lossOf(weights, seen);
      if (loss > 10) throw new RangeError(`diverged: a loss of ${loss} after epoch ${epoch}`);
      if (epoch % 30 === 0) {
        console.log(`epoch ${epoch}: ${loss.toFixed(4)}`);
        await ctx.save({ epoch, weights });
        ctx.signal.throwIfAborted(); // preempted, or out of time: another attempt goes on from here
      }
      weights = descend(weights, seen, rate);
    }
    const right = mean(unseen, ({ inputs, wet }) => Number(chance(weights, inputs) > 0.5 === wet));
    return { loss: lossOf(weights, unseen), right, attempt: ctx.attempt };
  },
});

/** Every day but the first ones, with a constant, what was measured on the days before it, and its squares. */
async function readDays(back: number): Promise<Day[]> {
  const text = await Bun.file(`${import.meta.dir}/seattle-weather.csv`).text();
  const [, ...rows] = text.trim().split("\n");
  const days = rows.map((row) => {
    const [rain = 0, warmest = 0, coldest = 0, wind = 0] = row.split(",").slice(1, 5).map(Number);
    const scaled = [Math.log1p(rain), warmest / 10 - 1.6, coldest / 10 - 0.8, wind / 3 - 1];
    return { year: Number.parseInt(row), wet: rain > 0, measured: scaled.flatMap((x) => [x, x * x]) };
  });
  return days.slice(back).map(({ year, wet }, i) => {
    const before = days.slice(i, i + back);
    return { year, wet, inputs: [1, ...before.flatMap((day) => day.measured)] };
  });
}

/** One step down the slope of the loss. */
function descend(weights: Float64Array, days: Day[], rate: number): Float64Array {
  const next = weights.slice();
  for (const { inputs, wet } of days) {
    const step = (rate * (Number(wet) - chance(weights, inputs))) / days.length;
    for (const [i, input] of inputs.entries()) next[i]! += step * input;
  }
  return next;
}

function lossOf(weights: Float64Array, days: Day[]): number {
  return mean(days, ({ inputs, wet }) => {
    const p = chance(weights, inputs);
    return -Math.log(wet ? p : 1 - p);
  });
}

/** How likely a wet day is. */
function chance(weights: Float64Array, inputs: number[]): number {
  const sum = inputs.reduce((total, input, i) => total + input * (weights[i] ?? 0), 0);
  return 1 / (1 + Math.exp(-sum));
}

function mean(days: Day[], of: (day: Day) => number): number {
  return days.reduce((sum, day) => sum + of(day), 0) / days.length;
}
