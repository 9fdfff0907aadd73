import { checkKeys, WAIT_KEYS } from "./check-keys.ts";
import { named, told } from "./errors.ts";
import { type Handle, scopeOf } from "./handle.ts";
import { handlesIn } from "./handles.ts";
import { Job, type Task } from "./job.ts";
import { hasEnded, secondsOf, type WaitOptions, watchedOf, whyNotEnded } from "./outcome.ts";
import type { Scope } from "./scope.ts";
import { watch } from "./watch.ts";

/**
 * Gives handles in the order in which they end, whatever the end: the tasks of one job, or the jobs and tasks of
 * a list as they are. Throws WaitTimeoutError where `timeout` passes before the last one, or the signal's reason.
 */
export function asCompleted<T>(job: Job<T>, options?: WaitOptions): AsyncGenerator<Task<T>>;
export function asCompleted<H extends Handle>(
  handles: H | Iterable<H>,
  options?: WaitOptions,
): AsyncGenerator<H>;
export async function* asCompleted(
  handles: Handle | Iterable<Handle>,
  options: WaitOptions = {},
): AsyncGenerator<Handle> {
  const called = new Error();
  let open: Entry[] = await named(() => {
    checkKeys("asCompleted()", options, WAIT_KEYS);
    const list = handles instanceof Job ? handles.tasks : handlesIn(handles, "asCompleted");
    return Promise.all(list.map(async (handle) => ({ handle, scope: await scopeOf(handle) })));
  });
  const own = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, own.signal]) : own.signal;
  let news = Promise.withResolvers<void>();
  const wait: { over: boolean; failure: unknown } = { over: false, failure: null };
  watch(
    open.map(({ scope }) => watchedOf(scope)),
    { timeoutSeconds: secondsOf(options.timeout), signal, onNews: () => news.resolve() },
  )
    .then((outcome) => {
      const scopes = open.map(({ scope }) => scope);
      if (outcome !== "ended") wait.failure = whyNotEnded(outcome, scopes, options);
    })
    .catch((error: unknown) => (wait.failure = error))
    .finally(() => {
      wait.over = true;
      news.resolve();
    });
  try {
    while (open.length > 0) {
      await news.promise;
      if (!wait.over) news = Promise.withResolvers();
      // What has ended is given before it is told that the wait was given up.
      const { failure } = wait;
      // Seen at once: more of them end while the caller deals with one.
      const { ended = [], left = [] } = Object.groupBy(open, ({ scope }) =>
        hasEnded(scope) ? "ended" : "left",
      );
      open = left;
      for (const { handle } of inOrderOfEnds(ended)) yield handle;
      if (failure !== null && open.length > 0) throw told(failure, called);
    }
  } finally {
    own.abort();
  }
}

function inOrderOfEnds(ended: Entry[]): Entry[] {
  const ends = new Map(ended.map((entry) => [entry, endOf(entry.scope)]));
  return ended.sort((a, b) => (ends.get(a) ?? 0) - (ends.get(b) ?? 0));
}

/** When the last of its tasks ended, in milliseconds. */
function endOf({ reader, indices }: Scope): number {
  let end = 0;
  for (const index of indices) end = Math.max(end, Date.parse(reader.timesOf(index).endedAt ?? "") || 0);
  return end;
}

type Entry = { handle: Handle; scope: Scope };
