import { expect, test } from "bun:test";

import { runInline } from "../../src/worker/inline.ts";
import { FakeCommands, requestFor } from "../helpers/scheduler.ts";
import { tempDir } from "../helpers/temp.ts";

test("a job that cannot begin in this process leaves its signals to whoever had them", async () => {
  const home = tempDir("inline");
  const before = process.rawListeners("SIGINT");
  const { context } = new FakeCommands(home, () => ({}));
  // Its arguments were never written.
  await expect(runInline(requestFor(home, 1), context)).rejects.toThrow("does not exist");
  expect(process.rawListeners("SIGINT")).toEqual(before);
});
