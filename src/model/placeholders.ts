import { usageError } from "../errors.ts";
import { nearest } from "./nearest.ts";
import { IDENTIFIER } from "./sweep.ts";
import { showValue } from "./values.ts";

/** What a task's placeholders stand for. A parameter called `index` or `job` beats the task's own. */
export type TemplateValues = {
  /** The job's id, or a word for one that has none yet. */
  job: number | string;
  index: number;
  params: Record<string, unknown> | null;
  /** What `{}` stands for; null without `--params`, and then `{}` is no placeholder. */
  line: string | null;
};

// `${x}` and `${{x}}` belong to the shell; `{{x}}` is a literal `{x}`.
const PLACEHOLDER = new RegExp(`\\$\\{+|\\{\\{(${IDENTIFIER})?\\}\\}|\\{(${IDENTIFIER})?\\}`, "gu");

/** The names that a template mentions, each once, in order; `{}` counts as "" where `bare` says that it is one. */
export function findPlaceholders(text: string, options: { bare: boolean }): string[] {
  const names = new Set<string>();
  replace(text, options.bare, (name) => {
    names.add(name);
    return "";
  });
  return [...names];
}

/**
 * Refuses texts that mention an identifier which is not in `known` (`index` and `job` always are).
 * `bare`: whether `{}` is a placeholder, that is, whether `--params` was given; `some`: parameters that not every task
 * has. Throws USAGE that lists the known ones.
 */
export function checkTemplates(
  texts: readonly string[],
  known: readonly string[],
  options: { bare: boolean; some?: readonly string[] },
): void {
  const names = [...new Set([...known, "index", "job"])];
  for (const text of texts) {
    const unknown = findPlaceholders(text, options).find((name) => name !== "" && !names.includes(name));
    if (unknown === undefined) continue;
    if (!options.some?.includes(unknown)) throw unknownName(unknown, text, names, options.bare);
    throw usageError(
      `Some tasks have no value for {${unknown}}, in ${JSON.stringify(text)}`,
      `Give every row of the parameters a value for ${unknown}`,
    );
  }
}

/**
 * Puts a task's values into a text: `{key}`, `{index}`, `{job}`, and `{}` where there is a line. Texts go in
 * as they are, numbers and booleans as text, everything else as JSON; what goes in is not looked at again.
 * Throws USAGE for an unknown identifier.
 */
export function fillTemplate(text: string, values: TemplateValues): string {
  if (!text.includes("{")) return text;
  const params = values.params ?? {};
  return replace(text, values.line !== null, (name) => {
    if (name === "") return values.line ?? "";
    if (Object.hasOwn(params, name)) return showValue(params[name]);
    if (name === "index") return String(values.index);
    if (name === "job") return String(values.job);
    throw unknownName(name, text, [...Object.keys(params), "index", "job"], values.line !== null);
  });
}

function replace(text: string, bare: boolean, fill: (name: string) => string): string {
  return text.replace(PLACEHOLDER, (whole: string, literal: string | undefined, name: string | undefined) => {
    if (whole.startsWith("$")) return whole;
    if (literal !== undefined) return `{${literal}}`;
    if (whole === "{{}}") return bare ? "{}" : whole;
    if (name === undefined) return bare ? fill("") : whole;
    return fill(name);
  });
}

function unknownName(name: string, text: string, known: readonly string[], bare: boolean) {
  const list = [...new Set(known)].map((key) => `{${key}}`);
  if (bare) list.push("{}");
  const near = nearest(name, known);
  const guess = near === null ? "" : `Did you mean {${near}}? `;
  return usageError(
    `Unknown placeholder {${name}} in ${JSON.stringify(text)}`,
    `${guess}Known are ${list.join(", ")}; write {{${name}}} for the text {${name}}`,
  );
}
