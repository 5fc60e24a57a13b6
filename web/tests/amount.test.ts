import { expect, test } from "vitest";
import { credits, parseCredits } from "../src/lib/amount";

test("amounts are shown exactly, with two decimals at least", () => {
  const cases: [number, string][] = [
    [0, "0.00"],
    [1, "0.000001"],
    [1_500_000, "1.50"],
    [1_234_567_890_123, "1,234,567.890123"],
    [999_999, "0.999999"],
    [100_000, "0.10"],
    [1_000_000_000_000_000, "1,000,000,000.00"],
    [Number.MAX_SAFE_INTEGER, "9,007,199,254.740991"],
  ];
  for (const [micros, text] of cases) expect(credits(micros)).toBe(text);
});

test("amounts are read exactly", () => {
  const cases: [string, number][] = [
    ["1.5", 1_500_000],
    [" 2 ", 2_000_000],
    ["0.000001", 1],
    ["0", 0],
    ["0.1", 100_000],
    ["9007199254.740991", Number.MAX_SAFE_INTEGER],
  ];
  for (const [text, micros] of cases) expect(parseCredits(text)).toBe(micros);
});

test("what is no amount is refused", () => {
  for (const text of ["", ".5", "1.", "-1", "+1", "1e3", "1,5", "0.0000001", "NaN", "0x1", "9007199254.740992"]) {
    expect(parseCredits(text), text).toBeUndefined();
  }
});
