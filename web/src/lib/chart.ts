// Scales of charts.

import type { Point } from "./money";

/** Round numbers that hold all values: the lowest, some between, the highest. Whole numbers only. */
export function ticks(low: number, high: number, count = 4): number[] {
  const span = Math.max(1, high - low);
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power);
  const first = Math.floor(low / step) * step;
  const found = [first];
  while ((found.at(-1) ?? high) < high) found.push((found.at(-1) ?? first) + step);
  if (found.length === 1) found.push(first + step);
  return found;
}

/** At most so many points, none of them made up: of each stretch its last. */
export function thinned(points: Point[], most: number): Point[] {
  if (points.length <= most) return points;
  const stretch = points.length / most;
  return Array.from({ length: most }, (_, at) => points[Math.ceil((at + 1) * stretch) - 1] as Point);
}

/** The point that holds at a moment: the last one not after it. */
export function pointAt(points: Point[], at: number): Point | undefined {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return points[low - 1] ?? points[0];
}
