/**
 * Fits a year's temperatures in Seattle with one wave, y = mean + a cos(t) + b sin(t), by least squares.
 * The table is NOAA's daily record for 2012 to 2015: date, precipitation, temp_max, temp_min, wind, weather.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

type Params = { year: number; column: "temp_max" | "temp_min" };

export default function fitSeason({ year, column }: Params) {
  const days = readYear(year, column);
  const omega = (2 * Math.PI) / days.length;
  const waves = days.map((y, day) => [1, Math.cos(omega * day), Math.sin(omega * day), y] as const);
  const [mean, a, b] = solve(waves);
  const residuals = waves.map(([, cos, sin, y]) => y - (mean + a * cos + b * sin));
  const fit = {
    mean: round(mean),
    swing: round(Math.hypot(a, b)),
    warmestDay: new Date(Date.UTC(year, 0, 1 + peakDay(a, b, omega))),
    rmse: round(Math.sqrt(residuals.reduce((sum, r) => sum + r * r, 0) / residuals.length)),
  };
  console.log(`${column} ${year}: ${fit.mean} ± ${fit.swing} °C over ${days.length} days`);
  return fit;
}

function readYear(year: number, column: Params["column"]): number[] {
  const [header = "", ...rows] = readFileSync(join(import.meta.dir, "seattle-weather.csv"), "utf8")
    .trim()
    .split("\n");
  const at = header.split(",").indexOf(column);
  return rows.filter((row) => row.startsWith(`${year}-`)).map((row) => Number(row.split(",")[at]));
}

/** The three coefficients, from the normal equations, by Cramer's rule. */
function solve(rows: (readonly [number, number, number, number])[]): [number, number, number] {
  const sum = (f: (row: readonly [number, number, number, number]) => number) =>
    rows.reduce((s, row) => s + f(row), 0);
  const cell = (i: 0 | 1 | 2, j: 0 | 1 | 2 | 3) => sum((row) => row[i] * row[j]);
  const left = [0, 1, 2].map((i) => [0, 1, 2].map((j) => cell(i as 0 | 1 | 2, j as 0 | 1 | 2)));
  const right = [0, 1, 2].map((i) => cell(i as 0 | 1 | 2, 3));
  const whole = determinant(left);
  const coefficient = (j: number) =>
    determinant(left.map((row, i) => row.map((value, k) => (k === j ? (right[i] ?? 0) : value)))) / whole;
  return [coefficient(0), coefficient(1), coefficient(2)];
}

function determinant(m: number[][]): number {
  const at = (i: number, j: number) => m[i]?.[j] ?? 0;
  return [0, 1, 2].reduce((total, j) => {
    const [k, l] = [(j + 1) % 3, (j + 2) % 3];
    return total + at(0, j) * (at(1, k) * at(2, l) - at(1, l) * at(2, k));
  }, 0);
}

function peakDay(a: number, b: number, omega: number): number {
  const angle = Math.atan2(b, a);
  return Math.round((angle < 0 ? angle + 2 * Math.PI : angle) / omega);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
