import { expect, test } from "bun:test";

import { makeOutput } from "../../src/cli/output.ts";
import { progressLine, progressText, RateMeter, timeLeft } from "../../src/cli/progress-line.ts";
import { showProgress } from "../../src/cli/progress.ts";
import { type Counts, noCounts } from "../../src/model/states.ts";
import { eventually } from "../helpers/eventually.ts";

const plain = makeOutput(
  { json: false, quiet: false, verbose: false, color: { out: false, err: false } },
  () => {},
);

const counts = (parts: Partial<Counts>): Counts => ({ ...noCounts(), ...parts });

/** An output whose standard error is a terminal of changeable width. */
function fakeTerminal(columns: number | null) {
  const terminal = { columns: columns ?? 0 };
  let written = "";
  const base = makeOutput(
    { json: false, quiet: false, verbose: false, color: { out: false, err: false } },
    (_fd, bytes) => {
      written += new TextDecoder().decode(bytes);
    },
  );
  const output = { ...base, terminal: () => (columns === null ? null : terminal) };
  return { output, terminal, take: () => [written, (written = "")][0] ?? "" };
}

test("the bar shows done, failed, running, time left and rate", () => {
  const progress = {
    label: "job 12",
    counts: counts({ queued: 4, running: 2, succeeded: 17, failed: 1 }),
    rate: 2,
    elapsed: 9,
  };
  const line = progressLine(progress, 100, plain.style);
  expect(line).toContain("18/24  1 failed  2 running  3s left  2.0/s");
  expect(line).toContain("█");
});

test("no line is wider than the terminal, and the count stays longest", () => {
  const progress = {
    label: "job 12",
    counts: counts({ queued: 50, running: 2, failed: 48 }),
    rate: 0.5,
    elapsed: 9,
  };
  for (let width = 14; width < 120; width++) {
    const line = progressLine(progress, width, plain.style);
    expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width);
    expect(line).toContain("48/100");
  }
});

test("a full bar means the end", () => {
  const almost = progressLine(
    { label: "j", counts: counts({ running: 1, succeeded: 9999 }), rate: null, elapsed: 1 },
    80,
    plain.style,
  );
  expect(almost).toContain("▒");
});

test("plain lines say the same in words", () => {
  expect(
    progressText({ label: "job 12", counts: counts({ queued: 5, running: 2, succeeded: 16, lost: 1 }) }),
  ).toBe("job 12: 17 of 24 done, 2 running, 1 failed");
});

test("the rate is what ended of late, else what ended at all", () => {
  const meter = new RateMeter(30);
  expect(meter.perSecond(0)).toBeNull();
  meter.add(0, 0);
  meter.add(10, 20);
  expect(meter.perSecond(10)).toBe(2);
  meter.add(100, 20);
  meter.add(140, 20);
  expect(meter.perSecond(140)).toBeCloseTo(20 / 140);
});

test("time left needs a rate and something left", () => {
  expect(timeLeft(counts({ queued: 10 }), 2)).toBe(5);
  expect(timeLeft(counts({ queued: 10 }), null)).toBeNull();
  expect(timeLeft(counts({ succeeded: 10 }), 2)).toBeNull();
});

test("the bar is redrawn in place, at most ten times a second, and taken away at the end", async () => {
  const { output, take } = fakeTerminal(80);
  const bar = showProgress(output, "job 1");
  for (let done = 0; done <= 100; done++) bar.update(counts({ queued: 100 - done, succeeded: done }));
  const first = take();
  expect(first.split("\r").length - 1).toBe(1);
  expect(first).toContain("0/100");
  const second = await eventually(take);
  expect(second).toStartWith("\r\u001b[J");
  expect(second).toContain("100/100");
  bar.end();
  expect(take()).toBe("\r\u001b[J");
});

test("a bar that a narrower terminal has wrapped is cleared completely", async () => {
  const { output, terminal, take } = fakeTerminal(100);
  const bar = showProgress(output, "job 1");
  bar.update(counts({ queued: 9, succeeded: 1 }));
  const width = Bun.stringWidth(Bun.stripANSI(take()).replace("\r", ""));
  terminal.columns = 30;
  bar.update(counts({ queued: 8, succeeded: 2 }));
  const redrawn = await eventually(take);
  expect(redrawn).toStartWith(`\u001b[${Math.ceil(width / 30) - 1}A\r\u001b[J`);
  bar.end();
});

test("lines come on change only, not of what is soon over, and not at the end", async () => {
  const { output, take } = fakeTerminal(null);
  const lines = showProgress(output, "job 1");
  lines.update(counts({ queued: 2 }));
  lines.update(counts({ queued: 2 }));
  expect(take()).toBe("");
  expect(await eventually(take)).toBe("job 1: 0 of 2 done\n");
  lines.update(counts({ queued: 1, succeeded: 1 }));
  lines.update(counts({ succeeded: 2 }));
  expect(take()).toBe("");
  lines.end();
});
