import { describe, expect, test } from "bun:test";
import { appendFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { Journal } from "../../src/queue/journal.ts";
import { requestOf } from "../../src/queue/request.ts";
import { tempDir } from "../helpers/temp.ts";
import { specOf } from "./fixtures/bench.ts";

function requestIn(dir: string) {
  return requestOf(specOf(1, ["true"], {}), dir);
}

describe("the journal", () => {
  test("gives back the living jobs in the order in which they came", () => {
    const path = join(tempDir(), "journal");
    const journal = new Journal(path);
    for (const dir of ["/h/jobs/1", "/h/jobs/2", "/h/jobs/3"])
      journal.append({ kind: "job", request: requestIn(dir) });
    journal.append({ kind: "supervisor", dir: "/h/jobs/1", pid: 77, start: "1234" });
    journal.append({ kind: "slots", dir: "/h/jobs/1", slots: [{ id: 5, gpus: ["0"] }] });
    journal.append({ kind: "held", dir: "/h/jobs/3", held: true });
    journal.append({ kind: "end", dir: "/h/jobs/2" });
    journal.close();
    expect(new Journal(path).read()).toMatchObject([
      {
        request: { dir: "/h/jobs/1" },
        held: false,
        supervisor: { pid: 77, start: "1234" },
        slots: [{ id: 5 }],
      },
      { request: { dir: "/h/jobs/3" }, held: true, supervisor: null, slots: [] },
    ]);
  });

  test("passes over a line that was cut", () => {
    const path = join(tempDir(), "journal");
    const journal = new Journal(path);
    journal.append({ kind: "job", request: requestIn("/h/jobs/1") });
    appendFileSync(path, '{"kind":"job","requ');
    expect(new Journal(path).read()).toHaveLength(1);
  });

  test("goes on after a line that was cut", () => {
    const path = join(tempDir(), "journal");
    appendFileSync(path, '{"kind":"job","requ');
    const journal = new Journal(path);
    journal.append({ kind: "job", request: requestIn("/h/jobs/1") });
    expect(journal.read()).toHaveLength(1);
  });

  test("is written anew when most of it is over", () => {
    const path = join(tempDir(), "journal");
    const journal = new Journal(path);
    const living = { request: requestIn("/h/jobs/1"), held: true, supervisor: null, slots: [] };
    journal.append({ kind: "job", request: living.request });
    journal.append({ kind: "held", dir: "/h/jobs/1", held: true });
    for (let change = 0; change < 3_000; change++)
      journal.append({ kind: "slots", dir: "/h/jobs/1", slots: [] });
    const before = statSync(path).size;
    journal.compact(1, () => [living]);
    expect(statSync(path).size).toBeLessThan(before / 100);
    expect(journal.read()).toEqual([living]);
    journal.append({ kind: "end", dir: "/h/jobs/1" });
    expect(journal.read()).toEqual([]);
  });
});
