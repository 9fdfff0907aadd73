import { JobxError } from "../errors.ts";
import type { AbortKind } from "./runner-protocol.ts";

/** Why `ctx.signal` was aborted: `kind` is "preempted", or "timeout" where the time limit is near. */
export class InterruptedError extends JobxError {
  static override readonly name: string = "InterruptedError";
  readonly kind: AbortKind;

  constructor(kind: AbortKind, message: string = TEXTS[kind], cause?: unknown) {
    super("INTERRUPTED", message, { cause });
    this.kind = kind;
  }
}

/** The warning that one call of a function may get, and what the function does about it. */
export class Warning {
  /** Its `checkpoint` asked not to be run again. */
  refused = false;
  /** It did not leave, so that it was given up while it still ran: its process must not run anything else. */
  abandoned = false;
  /** Whether the function will do something about a warning even if it never looks at its signal. */
  isAsked = true;

  readonly #controller = new AbortController();
  #isWatched = false;

  /** Warns; the first time counts. */
  give(kind: AbortKind): void {
    this.#controller.abort(new InterruptedError(kind));
  }

  /** The signal, for the function. */
  watch(): AbortSignal {
    this.#isWatched = true;
    return this.#controller.signal;
  }

  /** Whether the function has ever looked at its signal. */
  get isWatched(): boolean {
    return this.#isWatched;
  }

  /** Whether the function may do something about a warning. */
  get isHeeded(): boolean {
    return this.isAsked || this.#isWatched;
  }

  /** What was given; null as long as nothing was. */
  get error(): InterruptedError | null {
    const { reason } = this.#controller.signal;
    return reason instanceof InterruptedError ? reason : null;
  }

  /** Calls `handler` once when the warning is given, before the function hears of it; at once when it was. The function returned forgets it. */
  onGiven(handler: (error: InterruptedError) => void): () => void {
    const { signal } = this.#controller;
    const call = () => {
      if (this.error) handler(this.error);
    };
    if (signal.aborted) call();
    else signal.addEventListener("abort", call, { once: true });
    return () => signal.removeEventListener("abort", call);
  }
}

const TEXTS: Record<AbortKind, string> = {
  preempted: "The task is being preempted",
  timeout: "The task's time limit is near",
};
