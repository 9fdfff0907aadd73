/** A term and its explanation. */
export type Row = [term: string, explanation: string];

const WIDTH = 80;
const WIDEST_TERM = 24;

/** Two aligned columns within 80 columns; a term that is too long stands on a line of its own. */
export function rows(list: Row[], paint: (text: string) => string, least = 0): string {
  const widths = list.map(([term]) => Bun.stringWidth(term)).filter((width) => width <= WIDEST_TERM);
  const column = Math.max(least, ...widths);
  const margin = " ".repeat(2 + column + 2);
  const lines = list.flatMap(([term, explanation]) => {
    const [first = "", ...more] = wrap(explanation, WIDTH - margin.length);
    const rest = more.map((line) => margin + line);
    const width = Bun.stringWidth(term);
    return width > column
      ? [`  ${paint(term)}`, margin + first, ...rest]
      : [`  ${paint(term)}${" ".repeat(column - width)}  ${first}`.trimEnd(), ...rest];
  });
  return lines.join("\n");
}

/** Breaks text into lines of at most `width` columns, between words; a longer word keeps its line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && Bun.stringWidth(line) + 1 + Bun.stringWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
