import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { submitJob } from "../../src/orchestrator/submit.ts";
import { homeDirs } from "../../src/store/layout.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";

/** The words that a job of this executor runs by, and its home, where the configuration names `remote`. */
async function runtimeOf(remote: string[], definition: { thisHost?: boolean } = {}) {
  const memory = new MemoryExecutor(definition);
  const services = { ...memory.services(tempDir()), remoteRuntime: remote };
  await submitJob(services, input(1));
  const [request] = memory.submitted;
  expect(request?.worker).toEqual([...(request?.spec.runtime ?? []), "_worker", request?.dir ?? ""]);
  return { home: services.home, runtime: request?.spec.runtime ?? [] };
}

test("jobs on other hosts run a copy of the runtime that the configuration names", async () => {
  const binary = join(tempDir(), "jobx-arm64");
  writeFileSync(binary, "the binary of another architecture");
  const { home, runtime } = await runtimeOf([binary]);
  expect(runtime).toHaveLength(1);
  expect(runtime[0]).toStartWith(homeDirs.bin(home));
  expect(readFileSync(runtime[0] ?? "", "utf8")).toBe("the binary of another architecture");
});

test("several words, or a name for the PATH over there, are taken as they stand", async () => {
  expect((await runtimeOf(["/opt/bun", "/opt/jobx/main.ts"])).runtime).toEqual([
    "/opt/bun",
    "/opt/jobx/main.ts",
  ]);
  expect((await runtimeOf(["jobx"])).runtime).toEqual(["jobx"]);
});

test("jobs on this host run the jobx that submits them", async () => {
  const { runtime } = await runtimeOf(["/nowhere/jobx-arm64"], { thisHost: true });
  expect(runtime).toEqual(["bun", "main.ts"]);
});

test("a runtime that is not there is refused, and no job is left", async () => {
  const services = new MemoryExecutor().services(tempDir());
  const submitted = submitJob({ ...services, remoteRuntime: ["/nowhere/jobx"] }, input(1));
  expect(submitted).rejects.toMatchObject({ code: "USAGE", hint: expect.stringContaining("runtime") });
  await submitted.catch(() => {});
  expect(existsSync(join(homeDirs.jobs(services.home), "1"))).toBe(false);
});
