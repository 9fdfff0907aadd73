/** The mark of what `defineTask` makes: registered, so that it is known whichever copy of jobx made it. */
export const TASK: unique symbol = Symbol.for("jobx.task");

/** Whether `defineTask` made it; whether its `run` can be called is for `whyNotCallable` to say. */
export function isMarkedTask(value: unknown): value is { run: unknown } {
  return typeof value === "object" && value !== null && TASK in value && "run" in value;
}
