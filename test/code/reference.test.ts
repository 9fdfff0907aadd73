import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { resolveReference } from "../../src/code/reference.ts";
import { tempDir } from "../helpers/temp.ts";

const folder = tempDir();
writeFileSync(join(folder, "train.ts"), "export default () => 1;");
writeFileSync(join(folder, "odd#name.ts"), "export default () => 1;");
mkdirSync(join(folder, "sub"));

describe("A function reference", () => {
  test("names a file relative to the folder it is given in, and its default export", () => {
    expect(resolveReference("train.ts", folder)).toEqual({
      file: join(folder, "train.ts"),
      export: "default",
    });
    expect(resolveReference("../train.ts", join(folder, "sub")).file).toBe(join(folder, "train.ts"));
  });

  test("names an export after a #", () => {
    expect(resolveReference(`${folder}/train.ts#run`, "/")).toEqual({
      file: join(folder, "train.ts"),
      export: "run",
    });
  });

  test("may be a file with a # in its name", () => {
    expect(resolveReference("odd#name.ts", folder).file).toBe(join(folder, "odd#name.ts"));
    expect(resolveReference("odd#name.ts#go", folder)).toEqual({
      file: join(folder, "odd#name.ts"),
      export: "go",
    });
  });

  test("to a file that is missing names the nearest one", () => {
    expect(() => resolveReference("trian.ts#run", folder)).toThrow(
      expect.objectContaining({
        code: "NOT_FOUND",
        message: "There is no file trian.ts",
        hint: "Did you mean train.ts?",
      }),
    );
    expect(() => resolveReference("nowhere/x.ts", folder)).toThrow("does not exist");
  });

  test("to a file that is no script is refused, with the command that would run it", () => {
    writeFileSync(join(folder, "run.sh"), "true");
    expect(() => resolveReference("run.sh", folder)).toThrow(
      expect.objectContaining({ code: "USAGE", hint: "To run it as a command: jobx submit -- ./run.sh" }),
    );
  });

  test("to a folder, or without a name after the #, is refused", () => {
    expect(() => resolveReference("sub", folder)).toThrow("sub is a folder");
    expect(() => resolveReference("train.ts#", folder)).toThrow("No export is named");
  });
});
