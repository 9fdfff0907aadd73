/** What a scheduler's definition must have, and may have, by where it stands: a word for each kind of member. */
const MEMBERS: Record<string, "commands" | "function" | "function?" | "patterns" | "patterns?"> = {
  detect: "commands",
  script: "function",
  "submit.argv": "function",
  "submit.parse": "function",
  cancel: "function",
  hold: "function?",
  release: "function?",
  requeue: "function?",
  interrupt: "function?",
  explain: "function?",
  cluster: "function?",
  hint: "function?",
  environment: "function",
  goneErrors: "patterns",
  transientErrors: "patterns",
  uncertainErrors: "patterns?",
};

const EXPECTED = {
  commands: "an array of command names, or a function",
  function: "a function",
  "function?": "a function",
  patterns: "an array of regular expressions",
  "patterns?": "an array of regular expressions",
} as const;

/** What is wrong with the members of a scheduler's definition, before any of them is needed; null for nothing. */
export function schedulerProblem(definition: unknown): { what: string; hint: string } | null {
  if (definition === undefined) return null;
  for (const [path, kind] of Object.entries(MEMBERS)) {
    const value = path.split(".").reduce(member, definition);
    if (value === undefined && kind.endsWith("?")) continue;
    if (isOf(kind, value)) continue;
    return problem(path, value, EXPECTED[kind]);
  }
  const stages = member(definition, "status");
  if (!Array.isArray(stages) || stages.length === 0)
    return problem("status", stages, "an array of stages, the cheapest first");
  for (const [at, stage] of stages.entries()) {
    for (const name of ["argv", "parse"]) {
      const value = member(stage, name);
      if (typeof value !== "function") return problem(`status[${at}].${name}`, value, EXPECTED.function);
    }
  }
  return null;
}

function isOf(kind: keyof typeof EXPECTED, value: unknown): boolean {
  if (kind === "commands" && typeof value === "function") return true;
  if (kind.startsWith("function")) return typeof value === "function";
  const isItem = (item: unknown) =>
    kind.startsWith("patterns") ? item instanceof RegExp : typeof item === "string";
  return Array.isArray(value) && value.every(isItem);
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function problem(path: string, value: unknown, expected: string): { what: string; hint: string } {
  const what = value === undefined ? `lacks ${path}` : `has a ${path} that is not ${expected}`;
  return {
    what,
    hint: `Make ${path} ${expected}; \`jobx help plugins\` says what it is for`,
  };
}
