/** More distinct values than this are not worth keeping. */
const MOST = 1_000;

/** Keeps one of each of equal values: ten thousand waiting jobs mostly have the same words, shapes and limits. */
export class Interner<T> {
  readonly #known = new Map<string, T>();

  share(value: T): T {
    const key = JSON.stringify(value);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST) this.#known.clear();
    this.#known.set(key, value);
    return value;
  }
}
