import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

const pathOf = (id: string, name: string) => join(jobx.home, "jobs", id, name);

/** A finished job of ten tasks, each of which has left a line in `name`. */
async function finished(name: string): Promise<string> {
  // With a word of its own each, so that there is a payload.
  const script = `echo {index} >> ${name}; echo value {index}`;
  const id = await jobx.submit(["--sweep", "index=0..9", "--capture", "--", "sh", "-c", script]);
  await jobx.ok(["wait", id]);
  return id;
}

function change(path: string, edit: (bytes: Buffer) => Buffer): void {
  writeFileSync(path, edit(readFileSync(path)));
}

function flipAt(offset: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes.writeUInt8(bytes.readUInt8(offset) ^ 0x10, offset);
    return bytes;
  };
}

describe("damaged files of a finished job", () => {
  test("a flipped byte costs the record it hits, is named by file and offset, and runs nothing again", async () => {
    const id = await finished("flipped");
    const segment = pathOf(id, "results/0/0.0.0.seg");
    const at = readFileSync(segment).indexOf("value 4");
    change(segment, flipAt(at));
    const shown = await jobx.run(["status", id]);
    expect(shown.err).toMatch(new RegExp(`${segment} at offset \\d+, \\d+ bytes`));
    expect(JSON.parse((await jobx.run(["--json", "result", id])).out)).toEqual(
      Array.from({ length: 10 }, (_, index) => (index === 4 ? null : `value ${index}`)),
    );
    // Its end would come after the grace for slow file systems; what counts is that it does not succeed again.
    expect((await jobx.run(["wait", "--timeout", "1s", id])).code).not.toBe(0);
    expect(readFileSync(join(jobx.cwd, "flipped"), "utf8").trim().split("\n")).toHaveLength(10);
  });

  test("a segment that was cut anywhere keeps the records before the cut", async () => {
    const id = await finished("cut");
    const segment = pathOf(id, "results/0/0.0.0.seg");
    const whole = readFileSync(segment);
    for (const share of [0, 0.001, 0.1, 0.35, 0.5, 0.77, 0.99]) {
      writeFileSync(segment, whole.subarray(0, Math.floor(whole.length * share)));
      const values = JSON.parse((await jobx.run(["--json", "result", id])).out) as unknown[];
      const wrong = values.filter((value, index) => value !== null && value !== `value ${index}`);
      expect(wrong).toEqual([]);
      if (share >= 0.5) expect(values.filter((value) => value !== null).length).toBeGreaterThan(2);
    }
    expect(readFileSync(join(jobx.cwd, "cut"), "utf8").trim().split("\n")).toHaveLength(10);
  });

  test.each(["job.msgpack", "payload.msgpack", "native.msgpack", "summary.msgpack"])(
    "a damaged %s is named where it is needed and never a reason to crash",
    async (name) => {
      const id = await finished(name);
      await jobx.ok(["list"]);
      change(pathOf(id, name), flipAt(40));
      for (const argv of [["status", id], ["result", id], ["show", id], ["logs", id], ["list"]]) {
        const ran = await jobx.run(argv);
        expect(ran.code).toBeLessThan(2);
        if (ran.code === 1) expect(ran.err).toContain(`${pathOf(id, name)} is damaged at byte`);
        expect(ran.err).not.toContain("    at ");
      }
    },
  );
});
