import { expect, test } from "bun:test";

import { completionFor } from "../../src/cli/completions/complete.ts";

const word = (value: string) => ({ value, about: "" });

const sources = {
  jobs: () => ["12", "11", "last"].map(word),
  executors: () => ["auto", "local"].map(word),
  profiles: () => ["big"].map(word),
  topics: async () => ["sweeps", "selectors"].map(word),
};

async function complete(...words: string[]): Promise<string[]> {
  return (await completionFor(words, sources)).candidates.map((one) => one.value);
}

test("values are completed by what they mean", async () => {
  expect(await complete("status", "1")).toEqual(["12", "11"]);
  expect(await complete("submit", "-e", "lo")).toEqual(["local"]);
  expect(await complete("list", "--state", "ca")).toEqual(["cancelled"]);
  expect(await complete("list", "--state=su")).toEqual(["--state=succeeded"]);
  expect(await complete("--profile", "")).toEqual(["big"]);
  expect(await complete("help", "sw")).toEqual(["sweeps"]);
});

test("words that stand for themselves are offered, placeholders are not", async () => {
  expect(await complete("completions", "")).toEqual(["bash", "zsh", "fish"]);
  expect(await complete("plugins", "e")).toEqual(["eject"]);
  expect(await complete("list", "-n", "")).toEqual([]);
});

test("a script is completed as a file, and so are the words after it, which are its own", async () => {
  for (const before of [["run"], ["run", "-v", "sweep.ts"], ["--home", "x", "run", "sweep.ts", "--lr"]]) {
    expect(await completionFor([...before, ""], sources)).toEqual({ mode: "files", candidates: [] });
  }
  expect(await complete("run", "sweep.ts", "--ho")).toEqual([]);
  expect(await complete("run", "--ho")).toEqual(["--home"]);
});
