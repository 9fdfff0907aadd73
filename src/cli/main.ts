#!/usr/bin/env bun
import { version } from "../../package.json";

/** Longer than most commands take. */
const START_MS = 100;

// Nothing else is imported up here: `jobx --version` and the processes inside jobs start without the command line.
// The binary starts with a compiler that waits (scripts/build.ts); what lives on is worth compiling again.
// It keeps nobody here: every way below ends the process.
setTimeout(() => Bun.unsafe.setJITPolicy(1), START_MS);
// What the binary was built with is nothing that users' code was started with. `fork()` puts these words before the
// module that it starts.
process.execArgv = ["run"];
start(process.argv.slice(2)).then((code) => process.exit(code), failed);

async function start(argv: string[]): Promise<number> {
  const [first, ...rest] = argv;
  switch (first) {
    case "--version":
      console.log(version); // `process.stdout` would take as long to make as all the rest
      return 0;
    case "_queue":
      return (await import("../queue/server.ts")).runQueue(rest);
    case "_worker":
      return (await import("../worker/supervisor.ts")).runWorker(rest);
    case "_runner":
      return (await import("../worker/runner.ts")).runRunner(rest);
    default:
      return (await import("./run.ts")).runCommandLine(argv, version);
  }
}

/** What escapes even the command line's own handling; the processes inside jobs end here too. */
function failed(error: unknown): never {
  process.stderr.write(`jobx: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(70);
}
