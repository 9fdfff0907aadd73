import { describe, expect, test } from "bun:test";
import { utimesSync } from "node:fs";
import { join } from "node:path";

import { claimAgain, releaseAgain } from "../../src/store/claims.ts";
import { tempDir } from "../helpers/temp.ts";

describe("the claim to submit what was lost again", () => {
  const grownOld = (path: string) => utimesSync(path, new Date(), new Date(Date.now() - 301_000));

  test("is one process's, until it has given it back or is silent for five minutes", () => {
    const dir = tempDir();
    const first = claimAgain(dir, 1);
    expect(first).toMatchObject({ isRenewed: false });
    expect(claimAgain(dir, 1)).toBeNull();
    expect(claimAgain(dir, 2)).toMatchObject({ isRenewed: false });
    if (first) releaseAgain(first);
    const second = claimAgain(dir, 1);
    expect(second).toMatchObject({ isRenewed: false });
    expect(claimAgain(dir, 1)).toBeNull();
    grownOld(second?.path ?? "");
    expect(claimAgain(dir, 1)).toMatchObject({ isRenewed: true });
    expect(claimAgain(dir, 1)).toBeNull();
    // Whoever was silent for so long takes nothing from its heir.
    if (second) releaseAgain(second);
    expect(claimAgain(dir, 1)).toBeNull();
  });

  test("goes to one of all processes that see it abandoned at once", async () => {
    const dir = tempDir();
    const claims = Array.from({ length: 60 }, (_, index) => index + 1);
    for (const arrays of claims) grownOld(claimAgain(dir, arrays)?.path ?? "");
    const script = join(import.meta.dir, "fixtures/claim.ts");
    const start = String(Date.now() + 400);
    const children = Array.from({ length: 4 }, () =>
      Bun.spawn([process.execPath, script, dir, String(claims.length), start], { stdout: "pipe" }),
    );
    const texts = await Promise.all(children.map((child) => new Response(child.stdout).text()));
    const taken = texts.flatMap((text) => text.trim().split(" ").filter(Boolean).map(Number));
    expect(taken.sort((a, b) => a - b)).toEqual(claims);
  });
});
