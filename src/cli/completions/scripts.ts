import bash from "./jobx.bash" with { type: "text" };
import fish from "./jobx.fish" with { type: "text" };
import zsh from "./jobx.zsh" with { type: "text" };

/** The shells whose completion jobx speaks. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/**
 * The script that a shell sources. It asks `jobx _complete -- WORD...` (the last word is the one being
 * typed) and gets a line that says what else fits (none, files, folders, commands), then a candidate per
 * line, with a tab before its explanation.
 */
export const COMPLETION_SCRIPTS: Record<(typeof SHELLS)[number], string> = { bash, zsh, fish };
