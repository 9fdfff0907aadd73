import { JobxError } from "../errors.ts";
import { MAX_TASKS } from "./index-list.ts";

/**
 * Expands a scheduler's compact host list in order: `tux[1-3,07-09],gpu-a[1]-ib` gives tux1, tux2, tux3,
 * tux07, ... gpu-a1-ib. Several brackets in one name make every combination; leading zeros set the width.
 * Throws FORMAT on text that is no host list. The reference is scontrol(1), `show hostnames`.
 */
export function expandHostlist(text: string): string[] {
  const hosts = splitOutside(text.trim()).flatMap((name) => expandName(name, text));
  if (hosts.some((host) => host === "")) throw bad(text);
  return hosts;
}

function expandName(name: string, text: string): string[] {
  const match = /^([^[\]]*)(?:\[([^[\]]+)\](.*))?$/s.exec(name);
  if (!match) throw bad(text);
  const [, head = "", list, tail = ""] = match;
  if (list === undefined) return [head];
  const tails = expandName(tail, text);
  const numbers = list.split(",").flatMap((part) => expandRange(part, text));
  if (numbers.length * tails.length > MAX_TASKS) throw bad(text);
  return numbers.flatMap((number) => tails.map((rest) => head + number + rest));
}

function expandRange(part: string, text: string): string[] {
  const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part);
  if (!match) throw bad(text);
  const [, first = "", last = first] = match;
  const count = Number(last) - Number(first) + 1;
  if (count < 1 || count > MAX_TASKS) throw bad(text);
  return Array.from({ length: count }, (_, i) => String(Number(first) + i).padStart(first.length, "0"));
}

/** Splits at the commas that stand in no bracket. */
function splitOutside(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "[") depth++;
    else if (text[at] === "]") depth--;
    else if (text[at] === "," && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

function bad(text: string): JobxError {
  return new JobxError("FORMAT", `Bad host list "${text}"`, {
    hint: "A host list looks like tux[1-3,07-09],gpu-a[1]-ib; please report this one",
  });
}
