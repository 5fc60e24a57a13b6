// What an account's history says over time. Amounts are micros.

import type { HistoryLine } from "../api/types";

/** A value at a moment; it holds until the next. */
export interface Point {
  at: number;
  value: number;
}

const signed = ({ direction, amount_micros }: HistoryLine) =>
  direction === "none" ? 0 : (amount_micros ?? 0) * (direction === "in" ? 1 : -1);

/** What could be spent, back from now as far as the lines go; they come newest first, points oldest first. */
export function balances(available: number, now: number, lines: HistoryLine[]): Point[] {
  const points: Point[] = [{ at: now, value: available }];
  let value = available;
  for (const line of lines) {
    const change = signed(line);
    if (change === 0) continue;
    points.push({ at: line.at, value });
    value -= change;
  }
  const first = lines.at(-1);
  // What was there before the first line that is known.
  if (first && points.length > 1) points.push({ at: first.at - 1, value });
  return points.reverse();
}

const EARNED = ["paid", "charge"];

/** Whether a line is pay for work that the account did. */
export const isEarning = ({ kind, direction }: HistoryLine) => direction === "in" && EARNED.includes(kind);

const dayOf = (at: number) => new Date(at).setHours(0, 0, 0, 0);

/** Earnings of each of the last days, today last. */
export function earnings(lines: HistoryLine[], now: number, days: number): Point[] {
  const sums = new Map<number, number>();
  for (const line of lines) {
    if (isEarning(line)) sums.set(dayOf(line.at), (sums.get(dayOf(line.at)) ?? 0) + (line.amount_micros ?? 0));
  }
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(dayOf(now));
    // By the calendar: days are not all 24 hours long.
    day.setDate(day.getDate() - (days - 1 - index));
    return { at: day.getTime(), value: sums.get(day.getTime()) ?? 0 };
  });
}
