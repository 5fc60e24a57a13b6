// Against the receipt that the tests of crates/api keep: made, signed and countersigned by the node's own code.

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { ReceiptView } from "../src/api/types";
import { Malformed, Reader } from "../src/lib/borsh";
import { checkReceipt } from "../src/lib/receipt";
import { parseReceipt } from "../src/lib/receipt-file";

const FILE = path.resolve(import.meta.dirname, "../../crates/api/tests/golden/receipt.json");
const GOLDEN = JSON.parse(readFileSync(FILE, "utf8")) as ReceiptView;

const changed = (change: Partial<ReceiptView>) => checkReceipt({ ...GOLDEN, ...change });
const reasonOf = (found: ReturnType<typeof checkReceipt>) => (found.holds ? "it holds" : found.reason);
/** The proof with one bit turned. */
const flipped = (byte: number) => {
  const at = 2 * byte;
  const turned = (Number.parseInt(GOLDEN.proof.slice(at, at + 2), 16) ^ 1).toString(16).padStart(2, "0");
  return GOLDEN.proof.slice(0, at) + turned + GOLDEN.proof.slice(at + 2);
};

test("a receipt that the node made holds", () => {
  expect(checkReceipt(GOLDEN)).toEqual({ holds: true, standing: "accepted" });
});

test("no bit of a proof can be turned", () => {
  const bytes = GOLDEN.proof.length / 2;
  for (let byte = 0; byte < bytes; byte += 7) {
    expect(changed({ proof: flipped(byte) }).holds, `byte ${byte} of ${bytes}`).toBe(false);
  }
});

test("no proof is cut off or longer", () => {
  for (const proof of ["", "00", GOLDEN.proof.slice(0, -2), `${GOLDEN.proof}00`, `${GOLDEN.proof}zz`, GOLDEN.proof.slice(1)]) {
    expect(changed({ proof }).holds, proof.slice(-8)).toBe(false);
  }
});

test("what is shown is what was signed", () => {
  const cases: [Partial<ReceiptView>, string][] = [
    [{ standing: "claimed" }, "standing"],
    [{ provider: GOLDEN.consumer }, "provider"],
    [{ job: "0000000000000000" }, "job"],
    [{ task: "0.4" }, "task"],
    [{ output: GOLDEN.input }, "output"],
    [{ exited: false }, "exited"],
    [{ usage: { ...GOLDEN.usage, fuel: 1 } }, "usage"],
    [{ price: 1 }, "price"],
    [{ engine: "another" }, "engine"],
    [{ ended_at: GOLDEN.ended_at + 1 }, "ended_at"],
  ];
  for (const [change, name] of cases) expect(reasonOf(changed(change))).toBe(`what is shown was changed: ${name}`);
});

test("numbers have one spelling, and so have yes and no", () => {
  const reader = new Reader(new Uint8Array([1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]));
  expect(reader.u16()).toBe(0x0201);
  expect(reader.u64()).toBe(2n ** 64n - 1n);
  expect(() => reader.flag()).toThrow(Malformed);
  expect(() => new Reader(new Uint8Array([4, 0, 0, 0, 65])).text()).toThrow("cut off");
  expect(() => new Reader(new Uint8Array([1, 0, 0, 0, 255])).text()).toThrow("UTF-8");
});

test("a file is a receipt or is refused", () => {
  expect(parseReceipt(readFileSync(FILE, "utf8"))).toEqual(GOLDEN);
  const without = (name: string) => JSON.stringify({ ...GOLDEN, [name]: undefined });
  for (const text of ["", "null", "[]", "{}", without("proof"), without("usage"), JSON.stringify({ ...GOLDEN, price: "0" }), JSON.stringify(GOLDEN).replace(/"price":\d+/, '"price":1e999')]) {
    expect(() => parseReceipt(text), text.slice(0, 20)).toThrow("no receipt");
  }
});
