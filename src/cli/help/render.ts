import type { Style } from "../output.ts";

/** Renders a chapter for a terminal: headings in bold, code in colour and indented. Line breaks stay as written. */
export function renderMarkdown(text: string, style: Style): string {
  const rendered = Bun.markdown.render(text, {
    heading: (content, meta) => `${style.bold(meta?.level === 1 ? content.toUpperCase() : content)}\n\n`,
    paragraph: (content) => `${content}\n\n`,
    code: (content) => `${indent(content.trimEnd(), "  ", style.cyan)}\n\n`,
    codespan: (content) => style.cyan(content),
    strong: (content) => style.bold(content),
    list: (content) => `${content}\n`,
    listItem: (content) => `- ${content.trimEnd().replaceAll("\n", "\n  ")}\n`,
  });
  return `${rendered.trimEnd()}\n`;
}

function indent(text: string, by: string, paint: (line: string) => string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : by + paint(line)))
    .join("\n");
}
