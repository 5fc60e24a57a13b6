import { expect, test } from "vitest";
import type { HistoryLine, OfferView } from "../src/api/types";
import { pointAt, thinned, ticks } from "../src/lib/chart";
import { choices, fits, inOrder, totals } from "../src/lib/market";
import { balances, earnings } from "../src/lib/money";
import { madeSky } from "./sky";

const line = (at: number, kind: string, direction: HistoryLine["direction"], amount_micros?: number): HistoryLine => ({
  at,
  kind,
  direction,
  amount_micros,
  place: `${at}:0`,
  sentence: kind,
});

test("a balance is counted back from what there is now", () => {
  const lines = [line(50, "paid", "in", 30), line(40, "claim", "none", 30), line(20, "transfer", "out", 100), line(10, "transfer", "in", 500)];
  expect(balances(430, 60, lines)).toEqual([
    { at: 9, value: 0 },
    { at: 10, value: 500 },
    { at: 20, value: 400 },
    { at: 50, value: 430 },
    { at: 60, value: 430 },
  ]);
  expect(balances(7, 60, [])).toEqual([{ at: 60, value: 7 }]);
});

test("earnings are pay for work, by day", () => {
  const noon = new Date(2026, 10, 26, 12).getTime();
  const yesterday = new Date(2026, 10, 25, 23, 59).getTime();
  const lines = [line(noon, "paid", "in", 5), line(noon, "transfer", "in", 100), line(noon, "paid", "none", 9), line(yesterday, "paid", "in", 2), line(0, "paid", "in", 50)];
  const days = earnings(lines, noon, 3);
  expect(days.map(({ value }) => value)).toEqual([0, 2, 5]);
  expect(days.map(({ at }) => new Date(at).getDate())).toEqual([24, 25, 26]);
});

test("scales are round and hold all values", () => {
  expect(ticks(0, 97)).toEqual([0, 50, 100]);
  expect(ticks(999_900, 1_000_000)).toEqual([999_900, 999_950, 1_000_000]);
  expect(ticks(5, 5)).toEqual([5, 6]);
  for (const [low, high] of [[0, 1], [3, 4], [0, 1e15], [123, 987_654]] as const) {
    const scale = ticks(low, high);
    expect(scale[0]).toBeLessThanOrEqual(low);
    expect(scale.at(-1)).toBeGreaterThanOrEqual(high);
    expect(scale.length).toBeLessThan(8);
  }
});

test("long rows of points are thinned and looked up by time", () => {
  const points = Array.from({ length: 10_000 }, (_, at) => ({ at, value: at }));
  const few = thinned(points, 100);
  expect([few.length, few.at(-1)]).toEqual([100, { at: 9_999, value: 9_999 }]);
  expect(pointAt(points, 41.5)?.at).toBe(41);
  expect([pointAt(points, -1)?.at, pointAt([], 1)]).toEqual([0, undefined]);
});

test("offers are found by what they are and ordered by price", () => {
  const { offers } = madeSky(300);
  const [first] = offers as [OfferView];
  expect(offers.filter((offer) => fits(offer, {}))).toHaveLength(300);
  expect(offers.filter((offer) => fits(offer, { find: first.node.toUpperCase() }))).toEqual([first]);
  const cheap = offers.filter((offer) => fits(offer, { most: "0.0001", level: "container", region: first.region }));
  expect(cheap.length).toBeGreaterThan(0);
  for (const offer of cheap) expect(offer.price_per_gfuel).toBeLessThanOrEqual(100);
  expect(offers.filter((offer) => fits(offer, { most: "not a price" }))).toHaveLength(300);
  expect(offers.filter((offer) => fits(offer, { kind: "ai" }))).toEqual([]);
  const closed = { ...first, node: "closed", price_per_gfuel: 0, slots_total: 0, slots_free: 0 };
  const sorted = [closed, ...offers].sort(inOrder);
  expect(sorted.at(-1)).toBe(closed);
  expect(sorted[0]?.price_per_gfuel).toBe(totals([closed, ...offers]).price_min);
  expect(totals([closed])).toEqual({ slots_free: 0, slots_total: 0, price_min: undefined, price_median: undefined });
  expect(choices(offers, (offer) => offer.levels)).toEqual(["container", "function", "vm"]);
});
