import { runWorker } from "../../src/worker/supervisor.ts";

process.exit(await runWorker(process.argv.slice(2)));
