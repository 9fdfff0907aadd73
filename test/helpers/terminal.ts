import { eventually } from "./eventually.ts";

/** A program on a pseudo-terminal of its own, as a person has it before them: resizing and Ctrl-C reach it. */
export class OnTerminal {
  readonly #child: Bun.Subprocess;
  readonly #terminal: Bun.Terminal;
  readonly #closed = Promise.withResolvers<void>();
  #text = "";

  constructor(
    argv: string[],
    options: { cwd: string; env: Record<string, string | undefined>; columns: number },
  ) {
    const decoder = new TextDecoder();
    this.#child = Bun.spawn(argv, {
      cwd: options.cwd,
      env: { ...options.env, TERM: "xterm-256color" },
      // Made by `spawn`, it is the program's controlling terminal, which one made before is not.
      terminal: {
        cols: options.columns,
        rows: 24,
        data: (_terminal, bytes) => {
          this.#text += decoder.decode(bytes, { stream: true });
        },
        exit: () => this.#closed.resolve(),
      },
    });
    const { terminal } = this.#child;
    if (!terminal) throw new Error("There are no pseudo-terminals here");
    this.#terminal = terminal;
  }

  /** Everything that was written so far, escape sequences included. */
  get text(): string {
    return this.#text;
  }

  /** What was drawn, piece by piece: split where the cursor went back to the line's beginning, colours taken away. */
  get drawings(): string[] {
    return this.#text.split(/[\r\n]+/).map((piece) => Bun.stripANSI(piece));
  }

  /** Waits until something that was drawn looks like this. */
  async shows(pattern: RegExp): Promise<void> {
    const shown = () => this.drawings.some((piece) => pattern.test(piece));
    await eventually(shown, { what: `${pattern} on the terminal` });
  }

  type(keys: string): void {
    this.#terminal.write(keys);
  }

  resize(columns: number): void {
    this.#terminal.resize(columns, 24);
  }

  /** The exit code, once the program has ended and all that it wrote was read. */
  async ended(): Promise<number> {
    const code = await this.#child.exited;
    await this.#closed.promise;
    this.#terminal.close();
    return code;
  }
}
