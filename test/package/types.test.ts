import { expect, test } from "bun:test";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

test("the declarations in types/ and of `jobx init` are what the sources say; scripts/types writes them anew", async () => {
  const child = Bun.spawn([process.execPath, join(root, "scripts", "types.ts"), "--check"], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect({ code, differs: out.match(/.*out of date.*/g), err: code === 0 ? "" : err }).toEqual({
    code: 0,
    differs: null,
    err: "",
  });
});
