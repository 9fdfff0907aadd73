import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { TestJobx } from "../helpers/jobx.ts";

setDefaultTimeout(30_000);

const jobx = new TestJobx();
const path = join(import.meta.dir, "../../src/cli/help/checkpointing.md");
const blocks = [...readFileSync(path, "utf8").matchAll(/^```(\w*)\n([^]*?)^```$/gm)];
const [fit = "", asked = ""] = codes("ts");
const [counter = ""] = codes("sh");

function codes(language: string): string[] {
  return blocks.filter(([, word]) => word === language).map(([, , code = ""]) => code);
}

type Task = { state: string; attempt: number; attempts: { why: string }[] };

async function ended(id: string): Promise<Task | undefined> {
  expect((await jobx.run(["wait", id])).code).toBe(0);
  return (await jobx.json<{ tasks: Task[] }>(["show", id])).tasks[0];
}

test("the manual's task with a state goes on after the commands beside it", async () => {
  await jobx.file("fit.ts", fit);
  const id = await jobx.submit(["fit.ts", "--args", '[{ "epochs": 10 }]']);
  const saved = () => [
    ...new Bun.Glob("state-*.jobx").scanSync(join(jobx.home, "jobs", id, "checkpoints/0")),
  ];
  await eventually(() => saved().length > 0, { timeoutMs: 20_000 });
  await jobx.ok(["interrupt", "last"]);
  expect(await ended(id)).toMatchObject({ attempt: 1, attempts: [{ why: "preempted" }] });
  expect(await jobx.json<unknown>(["result", "last"])).toMatchObject({ attempt: 1, w: { length: 8 } });
});

test("the manual's task that is asked for its state goes on from what it answers", async () => {
  await jobx.file("asked.ts", asked);
  const id = await jobx.submit(["asked.ts", "--args", "[200]"]);
  await jobx.until(id, ["running"]);
  await jobx.ok(["interrupt", id]);
  expect(await ended(id)).toMatchObject({ attempt: 1, attempts: [{ why: "preempted" }] });
  // How far it had come decides on its answer.
  const [count] = await jobx.json<[number, number]>(["result", id]);
  expect([20, 200]).toContain(count);
});

test("the manual's command goes on from its checkpoint folder", async () => {
  await jobx.file("count.sh", counter.replaceAll("50", "4").replace("sleep 0.1\n", "sleep 0.5\n"));
  const id = await jobx.submit(["--", "bash", "count.sh"]);
  const state = join(jobx.home, "jobs", id, "checkpoints/0/count");
  await eventually(() => Bun.file(state).exists());
  await jobx.ok(["interrupt", id]);
  expect(await ended(id)).toMatchObject({ state: "succeeded", attempt: 1 });
  expect(readFileSync(state, "utf8")).toBe("4\n");
});
