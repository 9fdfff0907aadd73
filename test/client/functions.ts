export function add(a: number, b: number): number {
  return a + b;
}

export function double(x: number): number {
  return x * 2;
}

export async function later(text: string): Promise<string> {
  return text;
}
