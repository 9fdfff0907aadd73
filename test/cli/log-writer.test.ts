import { expect, test } from "bun:test";

import { LinePrefix } from "../../src/cli/line-prefix.ts";
import { logWriter } from "../../src/cli/log-writer.ts";
import { makeOutput } from "../../src/cli/output.ts";
import type { LogFile } from "../../src/orchestrator/logs.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const file = (task: number, stream: "out" | "err" = "out", rank = 0): LogFile => ({
  task,
  rank,
  stream,
  path: `/logs/${task}.${rank}.${stream}`,
});

function collector(options: { quiet?: boolean } = {}) {
  const chunks: Uint8Array[] = [];
  const settings = {
    json: false,
    quiet: options.quiet ?? false,
    verbose: false,
    color: { out: false, err: false },
  };
  const output = makeOutput(settings, (fd, each) => {
    if (fd === 1) chunks.push(each.slice());
  });
  return { output, bytes: () => Buffer.concat(chunks) };
}

test("one task's bytes pass unchanged, invalid UTF-8 and a missing final newline too", () => {
  const { output, bytes: written } = collector();
  const writer = logWriter(output, 12, [file(0)], { ranks: false });
  const raw = new Uint8Array([0xff, 0x0a, 0x80, 0xc3, 0x00, 0x61]);
  writer.write(file(0), raw.subarray(0, 4));
  writer.write(file(0), raw.subarray(4));
  writer.end(file(0));
  expect([...written()]).toEqual([...raw]);
});

test("between stdout and stderr of one task a missing newline is added", () => {
  const { output, bytes: written } = collector();
  const writer = logWriter(output, 12, [file(0), file(0, "err")], { ranks: false });
  writer.write(file(0), bytes("out"));
  writer.write(file(0, "err"), bytes("err"));
  expect(written().toString()).toBe("out\nerr");
});

test("several tasks are prefixed line by line and never mixed within a line", () => {
  const { output, bytes: written } = collector();
  const files = [file(0), file(3)];
  const writer = logWriter(output, 12, files, { ranks: false });
  writer.write(file(0), bytes("a"));
  writer.write(file(3), bytes("one\ntwo\nthr"));
  writer.write(file(0), bytes("b\n"));
  for (const each of files) writer.end(each);
  expect(written().toString()).toBe("12.3 | one\n12.3 | two\n12.0 | ab\n12.3 | thr\n");
});

test("ranks are named where a task has several", () => {
  const { output, bytes: written } = collector();
  const files = [file(0), file(0, "out", 1)];
  const writer = logWriter(output, 12, files, { ranks: true });
  writer.write(file(0, "out", 1), bytes("x\n"));
  expect(written().toString()).toBe("12.0:1 | x\n");
});

test("with --quiet there are no prefixes", () => {
  const { output, bytes: written } = collector({ quiet: true });
  logWriter(output, 12, [file(0), file(1)], { ranks: false }).write(file(1), bytes("x\n"));
  expect(written().toString()).toBe("x\n");
});

test("prefixing keeps bytes that are no UTF-8", () => {
  const prefix = new LinePrefix("p ");
  const lines = prefix.push(new Uint8Array([0xff, 0x0a, 0xfe]));
  expect([...lines]).toEqual([...bytes("p "), 0xff, 0x0a]);
  expect([...prefix.end()]).toEqual([...bytes("p "), 0xfe, 0x0a]);
});
