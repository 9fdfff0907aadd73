import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { holdsCheckpoint } from "../../src/store/checkpoints.ts";
import { temporaryFor } from "../../src/store/files.ts";
import { statePath } from "../../src/store/layout.ts";
import { latestMark, listStates } from "../../src/store/task-state.ts";
import { type KeeperPlace, StateKeeper } from "../../src/worker/state-keeper.ts";
import { tempDir } from "../helpers/temp.ts";

/** One attempt after the other at a task with a checkpoint folder of its own, and what they noted. */
function makeTask() {
  const folder = join(tempDir(), "3");
  const notes: string[] = [];
  const open = (place: Partial<KeeperPlace> = {}): StateKeeper =>
    new StateKeeper({
      folder,
      attempt: 0,
      rank: 0,
      ranks: 1,
      upTo: null,
      note: (text) => notes.push(text),
      ...place,
    });
  return { folder, notes, open };
}

function damage(folder: string, number: number): void {
  const path = statePath(folder, number);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

describe("a state", () => {
  test("comes back with its types, and the log says when it was saved and by which attempt", async () => {
    const { folder, notes, open } = makeTask();
    const state = { w: new Float64Array([1, 2]), when: new Date(5), seen: new Map([["a", new Set([1n])]]) };
    await open().save(state);
    expect(open({ attempt: 1 }).restored).toEqual(state);
    const mark = latestMark(folder);
    expect(mark).toMatchObject({ attempt: 0, saved: true });
    expect(notes).toEqual([
      `goes on from the state saved at ${mark?.savedAt.replace(/\.\d+/, "")} by attempt 0`,
    ]);
  });

  test("that is undefined or null is a state all the same", async () => {
    const { folder, open } = makeTask();
    await open().save(undefined);
    expect(open().restored).toBeUndefined();
    expect(latestMark(folder)).toMatchObject({ saved: true });
  });

  test("is the one at the time of the call, whatever becomes of it later", async () => {
    const { open } = makeTask();
    const state = { n: 1 };
    const saved = open().save(state);
    state.n = 2;
    await saved;
    expect(open().restored).toEqual({ n: 1 });
  });

  test("that cannot be stored is refused with its path, and the last one stays", async () => {
    const { open } = makeTask();
    const keeper = open();
    await keeper.save({ n: 1 });
    expect(keeper.save({ model: { fn: () => 1 } })).rejects.toThrow("state.model.fn is a function");
    await keeper.save({ n: 2 });
    expect(open().restored).toEqual({ n: 2 });
  });

  test("of many saves at once is the last one, and all of them are told", async () => {
    const { folder, open } = makeTask();
    const keeper = open();
    await Promise.all(Array.from({ length: 100 }, (_, n) => keeper.save({ n })));
    expect(open().restored).toEqual({ n: 99 });
    expect(listStates(folder).length).toBeLessThanOrEqual(2);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("that is large does not keep the event loop while it is written", async () => {
    const { open } = makeTask();
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await open().save({ w: new Uint8Array(100_000_000).fill(7) });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  test("is not saved any more once the function has ended", async () => {
    const keeper = makeTask().open();
    void keeper.save({ n: 1 });
    await keeper.close();
    expect(keeper.save({ n: 2 })).rejects.toThrow("save() was called after the function had ended");
  });
});

describe("a state that is damaged", () => {
  test("is named, and the one before it is used", async () => {
    const { folder, notes, open } = makeTask();
    const keeper = open();
    for (const n of [1, 2, 3]) await keeper.save({ n });
    const [latest = 0, before = 0, ...others] = listStates(folder);
    expect(others).toEqual([]);
    damage(folder, latest);
    expect(open({ attempt: 1 }).restored).toEqual({ n: 2 });
    expect(notes[0]).toContain(
      `state-${latest}.jobx is passed over: ${statePath(folder, latest)} is damaged`,
    );
    truncateSync(statePath(folder, before), 50);
    expect(open({ attempt: 1 }).restored).toBeNull();
    expect(notes.at(-1)).toBe("no saved state can be read: starts from the beginning");
  });

  test("is no state to fall back on after the next save", async () => {
    const { folder, open } = makeTask();
    const keeper = open();
    for (const n of [1, 2, 3]) await keeper.save({ n });
    const [latest = 0, before = 0] = listStates(folder);
    damage(folder, latest);
    await open({ attempt: 1 }).save({ n: 4 });
    expect(listStates(folder)).toEqual([latest + 1, before]);
  });

  test("of a newer jobx is not passed over", async () => {
    const { folder, open } = makeTask();
    await open().save({ n: 1 });
    const path = statePath(folder, 1);
    const bytes = readFileSync(path);
    bytes[5] = 99;
    bytes.writeUInt32LE(Bun.hash.crc32(bytes.subarray(0, 12)), 12);
    writeFileSync(path, bytes);
    expect(() => open()).toThrow("written by a newer jobx");
  });
});

test("what a save left that was cut short is no checkpoint, and goes when the task is run again", async () => {
  const { folder, open } = makeTask();
  mkdirSync(folder);
  writeFileSync(temporaryFor(statePath(folder, 1)), "half");
  expect(readdirSync(folder)).toHaveLength(1);
  expect(holdsCheckpoint(folder)).toBe(false);
  await open({ attempt: 1 }).save({ n: 1 });
  expect(readdirSync(folder)).toEqual(["state-1.jobx"]);
});

describe("of several ranks", () => {
  test("only the first saves", async () => {
    const { folder, open } = makeTask();
    await open({ rank: 1, ranks: 2 }).save({ n: 1 });
    expect(listStates(folder)).toEqual([]);
  });

  test("one that starts late goes on from where the first did, which has saved since", async () => {
    const { folder, open } = makeTask();
    await open({ ranks: 2 }).save({ n: 1 });
    const [upTo = 0] = listStates(folder);
    const first = open({ attempt: 1, ranks: 2, upTo });
    for (const n of [2, 3, 4]) await first.save({ n });
    expect(open({ attempt: 1, rank: 1, ranks: 2, upTo }).restored).toEqual({ n: 1 });
    expect(open({ attempt: 2, rank: 1, ranks: 2, upTo: listStates(folder)[0] }).restored).toEqual({ n: 4 });
  });
});

describe("what goes with a state", () => {
  test("other arguments are kept with the state, and by the saves after them", async () => {
    const { open } = makeTask();
    const keeper = open();
    await keeper.save({ n: 1 });
    await keeper.callWith(["second", 2]);
    const next = open({ attempt: 1 });
    expect([next.args, next.restored]).toEqual([["second", 2], { n: 1 }]);
    await next.save({ n: 2 });
    expect(open({ attempt: 2 }).args).toEqual(["second", 2]);
  });

  test("the values of finished steps are kept, and the next step begins without a state", async () => {
    const { open } = makeTask();
    const keeper = open();
    await keeper.save({ n: 1 });
    await keeper.finishStep("a");
    expect(open().restored).toBeNull();
    await keeper.save({ n: 2 });
    const next = open({ attempt: 1 });
    expect([next.done, next.restored]).toEqual([["a"], { n: 2 }]);
  });

  test("a folder that is gone is made again", async () => {
    const { folder, open } = makeTask();
    const keeper = open();
    await keeper.save({ n: 1 });
    rmSync(folder, { recursive: true });
    await keeper.save({ n: 2 });
    expect(open().restored).toEqual({ n: 2 });
  });
});
