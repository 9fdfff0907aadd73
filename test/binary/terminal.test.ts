import { expect, test } from "bun:test";
import { join } from "node:path";

import { JOBX, TestJobx } from "../helpers/jobx.ts";
import { OnTerminal } from "../helpers/terminal.ts";

const jobx = new TestJobx();

/** Ctrl-C, as the keyboard sends it. */
const CTRL_C = "\u0003";

/** A job of which each task ends when its file is there. */
async function waitingJob(tasks: number): Promise<{ id: string; finish(task: number): Promise<unknown> }> {
  const name = crypto.randomUUID();
  const script = `until test -e ${name}-{index}; do sleep 0.02; done`;
  const id = await jobx.submit(["--array", `0-${tasks - 1}`, "--", "sh", "-c", script]);
  return { id, finish: (task) => Bun.write(join(jobx.cwd, `${name}-${task}`), "") };
}

function onTerminal(argv: string[], columns = 80): OnTerminal {
  return new OnTerminal([...JOBX, ...argv], { cwd: jobx.cwd, env: jobx.env, columns });
}

test("wait draws a bar in place, keeps it within the terminal, and takes it away at the end", async () => {
  const { id, finish } = await waitingJob(3);
  const terminal = onTerminal(["wait", id]);
  await terminal.shows(new RegExp(`^job ${id}  .*░.* 0/3`));
  await finish(0);
  await terminal.shows(/█.* 1\/3/);
  expect(terminal.text).not.toContain("\n");

  terminal.resize(24);
  await finish(1);
  await terminal.shows(/^job \d+ .*2\/3$/);
  const narrow = terminal.drawings.find((line) => line.endsWith("2/3")) ?? "";
  expect(Bun.stringWidth(narrow)).toBeLessThan(24);

  await finish(2);
  expect(await terminal.ended()).toBe(0);
  expect(terminal.text).toContain("\r\u001b[JJob");
  expect(terminal.drawings.filter((line) => line !== "").at(-1)).toStartWith(`Job ${id} (sh) succeeded`);
});

test("Ctrl-C ends a wait with 130 and says so, and the job goes on", async () => {
  const { id, finish } = await waitingJob(1);
  const terminal = onTerminal(["wait", id]);
  await terminal.shows(/1 running/);
  terminal.type(CTRL_C);
  expect(await terminal.ended()).toBe(130);
  expect(terminal.text).toContain(`job ${id} goes on`);
  expect((await jobx.json<{ state: string }>(["status", id])).state).toBe("running");
  await finish(0);
  expect((await jobx.run(["wait", id])).code).toBe(0);
});

test("Ctrl-C in submit --wait leaves the job going on too", async () => {
  const terminal = onTerminal([
    "submit",
    "--wait",
    "--",
    "sh",
    "-c",
    "until test -e done; do sleep 0.02; done",
  ]);
  await terminal.shows(/1 running/);
  terminal.type(CTRL_C);
  expect(await terminal.ended()).toBe(130);
  await Bun.write(join(jobx.cwd, "done"), "");
  expect((await jobx.run(["wait", "last"])).code).toBe(0);
});

test("status --watch shows one picture in place until the end", async () => {
  const { id, finish } = await waitingJob(1);
  const terminal = onTerminal(["status", "--watch", id]);
  await terminal.shows(/running/);
  await finish(0);
  expect(await terminal.ended()).toBe(0);
  expect(terminal.text).toContain("\u001b[H");
  expect(terminal.drawings.join("\n")).toContain("succeeded");
});
