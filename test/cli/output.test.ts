import { expect, test } from "bun:test";

import { makeOutput, type Output } from "../../src/cli/output.ts";

/** What standard output and standard error got from `use`. */
function written(
  flags: { quiet?: boolean; verbose?: boolean; json?: boolean },
  use: (output: Output) => void,
) {
  const streams = { 1: "", 2: "" };
  const options = { json: false, quiet: false, verbose: false, color: { out: false, err: false }, ...flags };
  use(makeOutput(options, (fd, bytes) => (streams[fd] += new TextDecoder().decode(bytes))));
  return { out: streams[1], err: streams[2] };
}

const sayAll = (output: Output) => {
  output.note("a note");
  output.warn("a warning");
  output.error("an error");
  output.debug("a command");
};

test("what is no result goes to standard error, as much of it as was asked for", () => {
  expect(written({}, sayAll)).toEqual({ out: "", err: "a note\na warning\nan error\n" });
  expect(written({ quiet: true }, sayAll)).toEqual({ out: "", err: "a warning\nan error\n" });
  expect(written({ json: true }, sayAll)).toEqual({ out: "", err: "a note\na warning\nan error\n" });
  expect(written({ verbose: true }, sayAll).err).toEndWith("an error\na command\n");
});

test("lines that are alike all come, each ended once", () => {
  const { err } = written({}, (output) => {
    for (let line = 0; line < 20; line++) output.note(line % 2 === 0 ? "again" : "again\n");
  });
  expect(err).toBe("again\n".repeat(20));
});

test("text is written as it is, without a place for values in it", () => {
  expect(written({}, (output) => output.warn("100%s %d {x}")).err).toBe("100%s %d {x}\n");
});

test("one answer has three forms, and only the wanted one is made", () => {
  const answer = { json: { id: 12 }, quiet: ["12"], text: () => "Job 12" };
  const refuse = (): string => {
    throw new Error("nobody asked");
  };
  expect(written({}, (output) => output.result(answer)).out).toBe("Job 12\n");
  expect(written({ quiet: true }, (output) => output.result({ ...answer, text: refuse })).out).toBe("12\n");
  const { out } = written({ json: true }, (output) => output.result({ ...answer, text: refuse }));
  expect(JSON.parse(out)).toEqual({ id: 12 });
});
