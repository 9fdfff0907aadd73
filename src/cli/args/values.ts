/** The options of one invocation as they were typed, by their declared names; defaults are not in it. */
export class OptionValues {
  readonly #given = new Map<string, (string | boolean)[]>();

  add(name: string, value: string | boolean): void {
    const values = this.#given.get(name);
    if (values) values.push(value);
    else this.#given.set(name, [value]);
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  names(): string[] {
    return [...this.#given.keys()];
  }

  /** Every value of a repeatable option, in order; empty without one. */
  all(name: string): string[] {
    return (this.#given.get(name) ?? []).filter((value) => typeof value === "string");
  }

  /** The value of an option; the last one where it was repeated. */
  text(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  /** A flag: true, false (`--no-x`), or undefined where it was not given. */
  flag(name: string): boolean | undefined {
    const last = this.#given.get(name)?.at(-1);
    return typeof last === "boolean" ? last : undefined;
  }
}
