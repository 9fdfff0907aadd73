import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { distrustError, distrustOf } from "../../src/executor/trust.ts";
import { tempDir } from "../helpers/temp.ts";

const root = tempDir("trust");
const isRoot = process.geteuid?.() === 0;
const STRANGER = 54_321;
let made = 0;

/** A fresh `<dir>/outer/inner/file.ts`, all private. */
function tree() {
  const outer = join(root, String(made++), "outer");
  const inner = join(outer, "inner");
  mkdirSync(inner, { recursive: true, mode: 0o755 });
  const file = join(inner, "file.ts");
  writeFileSync(file, "", { mode: 0o644 });
  for (const path of [outer, inner]) chmodSync(path, 0o755);
  chmodSync(file, 0o644);
  return { outer, inner, file };
}

test("a file of one's own in folders of one's own is trusted, below a sticky folder too", () => {
  const { inner, file } = tree();
  expect(distrustOf(file)).toBeNull();
  expect(distrustOf(inner)).toBeNull();
  expect(distrustOf("/")).toBeNull();
});

test("a file that its group can write is refused with the chmod to run", () => {
  const { file } = tree();
  chmodSync(file, 0o664);
  expect(distrustOf(file)).toEqual({
    path: file,
    why: "can be written by its group (mode 664)",
    mend: `chmod go-w ${file}`,
  });
});

test("a folder that everybody can write is refused, at any distance above", () => {
  for (const which of ["outer", "inner"] as const) {
    const paths = tree();
    chmodSync(paths[which], 0o777);
    expect(distrustOf(paths.file)).toMatchObject({ path: paths[which], mend: `chmod go-w ${paths[which]}` });
  }
});

test("a sticky folder that everybody can write is fine above a path, but not as the path itself", () => {
  const { outer, inner, file } = tree();
  chmodSync(outer, 0o1777);
  expect(distrustOf(file)).toBeNull();
  chmodSync(inner, 0o1777);
  expect(distrustOf(inner)).toMatchObject({ path: inner, why: "can be written by everybody (mode 1777)" });
});

test("what a link leads to is judged, and so is where the link lies", () => {
  const target = tree();
  const place = tree();
  const link = join(place.inner, "link.ts");
  symlinkSync(target.file, link);
  expect(distrustOf(link)).toBeNull();
  chmodSync(target.inner, 0o777);
  expect(distrustOf(link)).toMatchObject({ path: target.inner });
  chmodSync(target.inner, 0o755);
  chmodSync(place.outer, 0o770);
  expect(distrustOf(link)).toMatchObject({ path: place.outer });
});

test("links relative, in the middle of a path and in circles are followed to their end", () => {
  const { outer, inner, file } = tree();
  symlinkSync("../outer/inner", join(outer, "side"));
  expect(distrustOf(join(outer, "side", "file.ts"))).toBeNull();
  expect(() => distrustOf(`${file}.missing`)).toThrow("ENOENT");
  chmodSync(inner, 0o707);
  expect(distrustOf(join(outer, "side", "file.ts"))).toMatchObject({ path: inner });
  symlinkSync("round", join(outer, "round"));
  expect(distrustOf(join(outer, "round"))?.why).toBe("it is a loop of symbolic links");
});

describe.skipIf(!isRoot)("with files of other users (needs root)", () => {
  test("a file or folder of a stranger is refused with the chown to run", () => {
    for (const which of ["outer", "inner", "file"] as const) {
      const paths = tree();
      chownSync(paths[which], STRANGER, STRANGER);
      expect(distrustOf(paths.file)).toEqual({
        path: paths[which],
        why: `belongs to user ${STRANGER}, neither to you nor to root`,
        mend: `chown root ${paths[which]}`,
      });
    }
  });

  test("the user and root are trusted, and nobody else's files are, even by root", () => {
    const { file } = tree();
    expect(distrustOf(file, STRANGER)).toBeNull();
    const own = tree();
    chownSync(own.file, STRANGER, STRANGER);
    expect(distrustOf(own.file, 0)).toMatchObject({ mend: `chown root ${own.file}` });
  });

  test("a stranger's link in a sticky folder is refused by itself", () => {
    const { outer, file } = tree();
    chmodSync(outer, 0o1777);
    const link = join(outer, "link.ts");
    symlinkSync(file, link);
    lchownSync(link, STRANGER, STRANGER);
    expect(distrustOf(link)).toMatchObject({ path: link, mend: `chown -h root ${link}` });
  });
});

test("the refusal names what is refused, why, and the command, quoted for a shell", () => {
  const error = distrustError("PLUGIN", "the plugin folder /a b", {
    path: "/a b",
    why: "can be written by everybody (mode 777)",
    mend: "chmod go-w '/a b'",
  });
  expect(error.message).toBe("The plugin folder /a b is refused: it can be written by everybody (mode 777)");
  expect(error.hint).toBe("Mend it with: chmod go-w '/a b'");
  expect(error.exitCode).toBe(3);
});
