import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { JOBX, TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

/** Writes a script, runs it, and gives what came of it. */
async function script(name: string, text: string, ...words: string[]) {
  await jobx.file(name, text);
  return jobx.run(["run", name, ...words]);
}

/** A script that prints its last expression as JSON. */
async function value(name: string, text: string, ...words: string[]): Promise<unknown> {
  const ran = await script(name, text, ...words);
  expect(ran).toMatchObject({ code: 0, err: "" });
  return JSON.parse(ran.out);
}

describe("jobx run", () => {
  test("makes the script the program: its words, its path, import.meta.main", async () => {
    await jobx.file("beside.ts", "export const main = import.meta.main;\n");
    const told = await value(
      "program.ts",
      `import { main } from "./beside.ts";
       const same = [import.meta.main, main, import.meta.path === Bun.main, require.main === module];
       console.log(JSON.stringify({ argv: process.argv.slice(1), bun: Bun.argv.slice(1), same }));`,
      "one",
      "-h",
      "--json",
      "--",
      "--home",
      "x",
    );
    const argv = [join(jobx.cwd, "program.ts"), "one", "-h", "--json", "--", "--home", "x"];
    expect(told).toEqual({ argv, bun: argv, same: [true, false, true, true] });
  });

  test("gives the script's path without symbolic links, from any folder", async () => {
    mkdirSync(join(jobx.cwd, "deep"));
    await jobx.file("deep/real.ts", `console.log(import.meta.path, process.argv[1]);`);
    symlinkSync(join(jobx.cwd, "deep", "real.ts"), join(jobx.root, "link.ts"));
    const real = join(jobx.cwd, "deep", "real.ts");
    expect(await jobx.ok(["run", "../link.ts"])).toBe(`${real} ${real}\n`);
  });

  test("imports what lies beside it: files, data, packages, paths of an extended tsconfig", async () => {
    const files: Record<string, string> = {
      "sub/node_modules/plain/package.json": `{ "name": "plain", "main": "lib/x.js" }`,
      "sub/node_modules/plain/lib/x.js": "module.exports = { plain: require('./y') };",
      "sub/node_modules/plain/lib/y.js": "module.exports = 1;",
      "sub/node_modules/esm/package.json": `{ "name": "esm", "type": "module", "module": "m.js" }`,
      "sub/node_modules/esm/m.js": "export const esm = 2;",
      "sub/node_modules/maps/package.json": `{ "name": "maps", "exports": { ".": { "import": "./a.mjs", "require": "./a.cjs" }, "./f/*": "./g/*.mjs" } }`,
      "sub/node_modules/maps/a.mjs": "export const how = 'import';",
      "sub/node_modules/maps/a.cjs": "exports.how = 'require';",
      "sub/node_modules/maps/g/x.mjs": "export const deep = 3;",
      "sub/base/tsconfig.json": `{ "compilerOptions": { "paths": { "@/*": ["../src/*"] } } }`,
      "sub/tsconfig.json": `{ "extends": "./base/tsconfig.json" }`,
      "sub/src/util.ts": "export const util = 4;",
      "sub/data.json": `{ "json": 5 }`,
      "sub/data.toml": "toml = 6",
      "sub/data.txt": "text",
    };
    for (const [name, text] of Object.entries(files)) await jobx.file(name, text);
    const found = await value(
      "sub/imports.ts",
      `import { plain } from "plain";
       import { esm } from "esm";
       import { how } from "maps";
       import { deep } from "maps/f/x";
       import { util } from "@/util.ts";
       import { json } from "./data.json";
       import { toml } from "./data.toml";
       import text from "./data.txt" with { type: "text" };
       const later = await import("./src/util.ts");
       console.log(JSON.stringify([plain, esm, how, require("maps").how, deep, util, json, toml, text, later.util]));`,
    );
    expect(found).toEqual([1, 2, "import", "require", 3, 4, 5, 6, "text", 4]);
  });

  test("gives this very jobx for `jobx`, whatever a node_modules or a tsconfig says", async () => {
    await jobx.file("own/node_modules/jobx/package.json", `{ "name": "jobx", "main": "i.js" }`);
    await jobx.file("own/node_modules/jobx/i.js", "exports.jobContext = 'a package';");
    await jobx.file("own/tsconfig.json", `{ "compilerOptions": { "paths": { "jobx": ["./fake.ts"] } } }`);
    await jobx.file("own/fake.ts", "export const jobContext = 'a path';");
    await jobx.file("own/lib.ts", `export { JobxError } from "jobx";`);
    const told = await value(
      "own/own.ts",
      `import { jobContext, JobxError } from "jobx";
       import * as lib from "./lib.ts";
       let error: unknown;
       try { jobContext(); } catch (thrown) { error = thrown; }
       console.log(JSON.stringify([error instanceof JobxError, lib.JobxError === JobxError]));`,
    );
    expect(told).toEqual([true, true]);
  });

  test("hands --home, --profile and -v to the API in the script, and keeps --json and -q for it", async () => {
    const file = await jobx.file(
      "env.ts",
      `const { JOBX_HOME, JOBX_PROFILE, JOBX_VERBOSE } = process.env;
       console.log(JSON.stringify([JOBX_HOME, JOBX_PROFILE, JOBX_VERBOSE]));`,
    );
    const told = await jobx.ok(["--home", "elsewhere", "run", "-v", "--profile", "gpu", file, "--home", "x"]);
    expect(JSON.parse(told)).toEqual([join(jobx.cwd, "elsewhere"), "gpu", "1"]);
    const refused = await jobx.run(["--json", "run", file]);
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain(`jobx run SCRIPT.ts --json`);
  });

  test("stays alive for timers and servers, and reads its own standard input", async () => {
    await jobx.file(
      "alive.ts",
      `const server = Bun.serve({ port: 0, fetch: () => new Response("served") });
       setTimeout(async () => {
         console.log(await (await fetch(server.url)).text(), await Bun.stdin.text());
         await server.stop();
       }, 20);`,
    );
    expect(await jobx.ok(["run", "alive.ts"], { input: "typed" })).toBe("served typed\n");
  });

  test("ends with what the script says: exit, exitCode, a top-level await that cannot end", async () => {
    expect((await script("exit.ts", "setTimeout(() => {}, 60_000); process.exit(7);")).code).toBe(7);
    expect(
      await script("code.ts", "process.exitCode = 8; process.on('exit', (code) => console.log(code));"),
    ).toEqual({ code: 8, out: "8\n", err: "" });
    const open = await script("open.ts", "console.log('x'); await new Promise(() => {});");
    expect(open).toMatchObject({ code: 13, out: "x\n" });
    expect(open.err).toContain("awaits something");
  });

  test("loads no .env and no bunfig.toml of the folder", async () => {
    const cwd = join(jobx.root, "injected");
    const files = {
      ".env": "FROM_ENV_FILE=1\n",
      "bunfig.toml": `preload = ["./preload.ts"]\n`,
      "preload.ts": "console.log('preloaded');\n",
      "main.ts": "console.log(process.env.FROM_ENV_FILE ?? 'none');\n",
    };
    for (const [name, text] of Object.entries(files)) await Bun.write(join(cwd, name), text);
    // From source, Bun itself reads both.
    if (JOBX.length === 1) expect(await jobx.ok(["run", "main.ts"], { cwd })).toBe("none\n");
  });

  test("leaves NODE_ENV to the environment, in the script and in the functions that it submits", async () => {
    const text = `import { createExecutor } from "jobx";
      export const told = () =>
        [process.env.NODE_ENV ?? null, process.env.NODE_ENV === "development", process.execArgv];
      if (import.meta.main) {
        const executor = await createExecutor({ executor: "local" });
        const jobs = [executor.submit(told), executor.submit(() => process.env.NODE_ENV ?? null)];
        const values = await Promise.all(jobs.map(async (job) => (await job).result()));
        console.log(JSON.stringify([told(), ...values]));
      }`;
    await jobx.file("node-env.ts", text);
    const tell = async (env: Record<string, string>) =>
      JSON.parse((await jobx.run(["run", "node-env.ts"], { env })).out);
    expect(await tell({})).toEqual([[null, false, ["run"]], [null, false, ["run"]], null]);
    expect(await tell({ NODE_ENV: "development" })).toEqual([
      ["development", true, ["run"]],
      ["development", true, ["run"]],
      "development",
    ]);
  });

  // From source, a module that is forked runs in a plain Bun.
  test.skipIf(JOBX.length > 1)("forks modules that import jobx, as a function of its jobs does", async () => {
    await jobx.file(
      "child.ts",
      `import { createExecutor } from "jobx";
       process.send?.([typeof createExecutor, process.argv[2]]);`,
    );
    const ran = await script(
      "forks.ts",
      `import { fork } from "node:child_process";
       import { once } from "node:events";
       import { createExecutor } from "jobx";
       export async function ask(word: string) {
         const [answer] = await once(fork(import.meta.dir + "/child.ts", [word]), "message");
         return answer;
       }
       if (import.meta.main) {
         const executor = await createExecutor({ executor: "local" });
         const job = await executor.submit(ask, "job");
         console.log(JSON.stringify([await ask("script"), await job.result()]));
       }`,
    );
    expect(ran.code).toBe(0);
    expect(ran.out).toBe('[["function","script"],["function","job"]]\n');
  });

  test("runs workers and reads files that lie beside the script", async () => {
    await jobx.file("worker.ts", "postMessage({ main: Bun.isMainThread });");
    await jobx.file("note.txt", "beside");
    const ran = await script(
      "parent.ts",
      `const text = await Bun.file(import.meta.dir + "/note.txt").text();
       const worker = new Worker(new URL("./worker.ts", import.meta.url));
       worker.onmessage = ({ data }) => { console.log(text, data.main); worker.terminate(); };`,
    );
    expect(ran).toEqual({ code: 0, out: "beside false\n", err: "" });
  });
});

describe("what a script leaves unhandled", () => {
  test("is shown with its own lines and its cause, and ends with 1", async () => {
    const text = `interface Row { lr: number }

function step(row: Row): number {
  throw new RangeError("too large: " + row.lr, { cause: new Error("why") });
}
`;
    for (const how of [
      "step({ lr: 3 });",
      "setTimeout(() => { const x = step({ lr: 3 }); return x; }, 1);",
      "async function main() { await 1; step({ lr: 3 }); }\nvoid main();",
    ]) {
      const ran = await script("throws.ts", text + how);
      expect(ran.code).toBe(1);
      expect(ran.err).toContain("RangeError: too large: 3");
      expect(ran.err).toMatch(/4 \| +throw new RangeError/);
      expect(ran.err).toContain("throws.ts:4:");
      expect(ran.err).toContain("error: why");
    }
  });

  test("shows an error of jobx with its hint and no frame of jobx", async () => {
    const ran = await script(
      "own-error.ts",
      `import { jobContext } from "jobx";\n\nconst context = jobContext();\nconsole.log(context);\n`,
    );
    expect(ran.code).toBe(1);
    expect(ran.err).toStartWith(`1 | import { jobContext } from "jobx";`);
    expect(ran.err).toContain("JobxError: jobContext() was called outside of a job\n  Call it in");
    expect(ran.err).toContain("own-error.ts:3:");
    expect(ran.err).not.toMatch(/bunfs|context\.ts|code: "/);
  });

  test("of a failed job shows where it was waited for, and what its function threw in its own file and line", async () => {
    await jobx.file(
      "task.ts",
      `export function step(lr: number) {\n  throw new RangeError("too large: " + lr);\n}\n`,
    );
    const ran = await script(
      "failing.ts",
      `import { createExecutor } from "jobx";
       import { step } from "./task.ts";
       const executor = await createExecutor();
       await (await executor.submit(step, 3)).result();`,
    );
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toMatch(
      /JobFailedError: Job (\d+) failed: RangeError: too large: 3\n  [\s\S]*jobx logs \1\b/,
    );
    expect(ran.err).toMatch(/^4 \| .*step, 3/m);
    expect(ran.err).toContain("failing.ts:4:");
    expect(ran.err).toMatch(/caused by:\n[\s\S]*2 \| +throw new RangeError[\s\S]*task\.ts:2:/);
    expect(ran.err).not.toContain("bunfs");
  });

  test("goes to the script's own handlers where it has some", async () => {
    const ran = await script(
      "handled.ts",
      `process.on("uncaughtException", (error) => console.log("uncaught", error.message));
       process.on("unhandledRejection", (error) => console.log("rejected", (error as Error).message));
       setTimeout(() => { throw new Error("timer"); }, 1);
       setTimeout(() => { void Promise.reject(new Error("promise")); }, 5);
       setTimeout(() => console.log("went on"), 20);
       throw new Error("main");`,
    );
    expect(ran).toEqual({
      code: 0,
      out: "uncaught main\nuncaught timer\nrejected promise\nwent on\n",
      err: "",
    });
  });

  test("leaves what else runs alone when it is a rejection, as Bun does", async () => {
    const ran = await script(
      "rejection.ts",
      `void Promise.reject(new Error("forgotten"));\nsetTimeout(() => console.log("went on"), 5);`,
    );
    expect(ran).toMatchObject({ code: 1, out: "went on\n" });
    expect(ran.err).toContain("rejection.ts:1:");
  });

  test("names the export that an import of jobx probably meant", async () => {
    const wrong = await script(
      "slip.ts",
      'import { createExecuter } from "jobx";\nawait createExecuter();\n',
    );
    expect(wrong).toMatchObject({ code: 1, out: "" });
    expect(wrong.err).toBe("JobxError: jobx has no export createExecuter\n  Did you mean createExecutor?\n");
    const whole = await script("whole.ts", 'import jobx from "jobx";\nconsole.log(jobx);\n');
    expect(whole.err).toContain('Name what you need: import { … } from "jobx"');
  });

  test("names file, line and column of a syntax error, and a module that is not there", async () => {
    await jobx.file("broken.ts", "const a = 1;\nconst b = = 2;\n");
    const broken = await script("imports-broken.ts", `import "./broken.ts";`);
    expect(broken.code).toBe(1);
    expect(broken.err).toContain(`${join(jobx.cwd, "broken.ts")}:2:11`);
    const missing = await script("imports-missing.ts", `import { x } from "nowhere";\nconsole.log(x);`);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain("Cannot find package 'nowhere' from");
    const other = await script("other-jsx.tsx", "console.log(<b />);");
    expect(other.err).toContain(
      "\n  A tsconfig.json does not count here. Name another JSX at the top of the file:",
    );
  });
});

describe("jobx run refuses", () => {
  test("a file that is not there, naming the nearest, with exit code 4", async () => {
    await jobx.file("study.ts", "");
    const ran = await jobx.run(["run", "studdy.ts"]);
    expect(ran).toMatchObject({ code: 4, out: "" });
    expect(ran.err).toContain("Did you mean study.ts?");
  });

  test("standard input, folders, other files, a single export and no script at all", async () => {
    await jobx.file("plain.sh", "");
    await jobx.file("fit.ts", "export function main() {}");
    for (const [word, what] of [
      ["-", "reads a file"],
      [".", "is a folder"],
      ["plain.sh", "not a TypeScript"],
      ["fit.ts#main", "jobx submit -e debug fit.ts#main"],
    ] as const) {
      const ran = await jobx.run(["run", word]);
      expect(ran.code).toBe(2);
      expect(ran.err).toContain(what);
    }
    expect((await jobx.run(["run"])).err).toContain("needs SCRIPT.ts");
  });
});

describe("Ctrl-C", () => {
  /** Starts a script that says "ready", signals it, and gives how it ended. */
  async function interrupted(name: string, text: string): Promise<{ code: number; out: string }> {
    await jobx.file(name, text);
    const child = Bun.spawn([...JOBX, "run", name], {
      cwd: jobx.cwd,
      env: jobx.env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    let out = "";
    const reading = (async () => {
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) out += chunk;
    })();
    await eventually(() => out.includes("ready"), { what: "a running script" });
    child.kill("SIGINT");
    const code = await child.exited;
    await reading;
    return { code, out };
  }

  test("ends a script with 130 at once, even one that never comes back to its event loop", async () => {
    const waits = `console.log("ready"); setTimeout(() => {}, 60_000);`;
    expect(await interrupted("waits.ts", waits)).toEqual({ code: 130, out: "ready\n" });
    const spins = `console.log("ready"); for (;;);`;
    expect(await interrupted("spins.ts", spins)).toEqual({ code: 130, out: "ready\n" });
  });

  test("goes to the script's own handler where it has one", async () => {
    const text = `process.on("SIGINT", () => { console.log("mine"); process.exit(9); });
      setTimeout(() => {}, 60_000); console.log("ready");`;
    expect(await interrupted("handles.ts", text)).toEqual({ code: 9, out: "ready\nmine\n" });
  });
});
