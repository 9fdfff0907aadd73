/** One mapping: a column of the generated line, and the place that it comes from; all count from 0. */
export type Segment = {
  column: number;
  source: number;
  line: number;
  sourceColumn: number;
  name: number | null;
};

/** The segments of each generated line, from a source map's `mappings`; those without a source are left out. */
export function decodeMappings(mappings: string): Segment[][] {
  let [source, line, sourceColumn, name] = [0, 0, 0, 0];
  return mappings.split(";").map((text) => {
    let column = 0;
    const segments: Segment[] = [];
    for (const piece of text === "" ? [] : text.split(",")) {
      const [columnStep = 0, sourceStep, lineStep = 0, sourceColumnStep = 0, nameStep] = decodeNumbers(piece);
      column += columnStep;
      if (sourceStep === undefined) continue;
      source += sourceStep;
      line += lineStep;
      sourceColumn += sourceColumnStep;
      name += nameStep ?? 0;
      segments.push({ column, source, line, sourceColumn, name: nameStep === undefined ? null : name });
    }
    return segments;
  });
}

/** The reverse of `decodeMappings`. */
export function encodeMappings(lines: readonly Segment[][]): string {
  let [source, line, sourceColumn, name] = [0, 0, 0, 0];
  return lines
    .map((segments) => {
      let column = 0;
      return segments
        .map((at) => {
          const steps = [
            at.column - column,
            at.source - source,
            at.line - line,
            at.sourceColumn - sourceColumn,
          ];
          if (at.name !== null) steps.push(at.name - name);
          ({ column, source, line, sourceColumn } = at);
          name = at.name ?? name;
          return steps.map(encodeNumber).join("");
        })
        .join(",");
    })
    .join(";");
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base 64 digits of 5 bits, the lowest first; the sixth bit says that more follow, the lowest bit of all is the sign. */
function decodeNumbers(text: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const character of text) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}

function encodeNumber(number: number): string {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  let text = "";
  do {
    const digit = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest > 0 ? digit | 32 : digit];
  } while (rest > 0);
  return text;
}
