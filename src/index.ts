/** The public door: what `import { ... } from "jobx"` gives. */
export { type ErrorCode, JobxError } from "./errors.ts";
export { type JobContext, jobContext } from "./worker/context.ts";
