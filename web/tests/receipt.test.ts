// Against the receipt that the tests of crates/api keep: made, signed and countersigned by the node's own code.

import { ed25519 } from "@noble/curves/ed25519.js";
import { blake3 } from "@noble/hashes/blake3.js";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { ReceiptView } from "../src/api/types";
import { Malformed, Reader } from "../src/lib/borsh";
import { hex } from "../src/lib/ids";
import { numberOf } from "../src/lib/identity";
import { checkReceipt } from "../src/lib/receipt";
import { parseReceipt } from "../src/lib/receipt-file";

const FILE = path.resolve(import.meta.dirname, "../../crates/api/tests/golden/receipt.json");
const GOLDEN = JSON.parse(readFileSync(FILE, "utf8")) as ReceiptView;

const changed = (change: Partial<ReceiptView>) => checkReceipt({ ...GOLDEN, ...change });
const reasonOf = (found: ReturnType<typeof checkReceipt>) => (found.holds === true ? "it holds" : found.reason);
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

/** A proof that two nodes could sign: its receipt with so much fuel, so many bytes of the consumer's judgement. */
function signed({ fuel = 1n, judged = 1 }: { fuel?: bigint; judged?: number }): string {
  const ascii = (text: string) => new TextEncoder().encode(text);
  const number = (value: bigint | number, bytes: number) =>
    Uint8Array.from({ length: bytes }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn));
  const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  const block = (bytes: Uint8Array) => joined(number(bytes.length, 4), bytes);
  const [provider, consumer] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const sign = (secret: Uint8Array, domain: string, bytes: Uint8Array) =>
    joined(block(bytes), ed25519.getPublicKey(secret), ed25519.sign(joined(ascii(domain), number(1, 2), bytes), secret));
  const [of, by] = [ed25519.getPublicKey(provider), ed25519.getPublicKey(consumer)];
  const zero = new Uint8Array(32);
  const receipt = joined(
    ...[zero, of, by, new Uint8Array(10), number(0, 2), number(0, 4), number(0, 4), zero, zero, zero, number(1, 1)],
    ...[number(fuel, 8), new Uint8Array(40), number(0, 8), block(ascii("engine")), zero, number(0, 8), number(0, 8)],
  );
  const id = blake3(receipt, { context: ascii("opensky receipt 1") });
  const root = blake3(id, { context: ascii("opensky merkle leaf 1") });
  const head = sign(provider, "opensky/receipts", joined(of, by, root, number(1, 4), number(0, 8)));
  const judgement = sign(consumer, "opensky/countsig", joined(root, block(new Uint8Array(judged).fill(1))));
  return hex(joined(receipt, number(0, 4), number(0, 4), head, number(1, 1), judgement));
}

test("a judgement is no longer than the node's rules let it be", () => {
  const longest = 2 * 1024 * 1024 + 64 - 36;
  // It is read to its end: only the lines that are shown are another receipt's.
  for (const judged of [1, longest]) expect(reasonOf(changed({ proof: signed({ judged }) }))).toContain("what is shown was changed: id");
  expect(reasonOf(changed({ proof: signed({ judged: longest + 1 }) }))).toBe("what was signed is too long");
  // Megabytes are signed and checked.
}, 30_000);

test("a number that a browser cannot show exactly is not vouched for", () => {
  expect(reasonOf(changed({ proof: signed({ fuel: 2n ** 53n - 1n }) }))).toContain("what is shown was changed");
  const beyond = changed({ proof: signed({ fuel: 2n ** 53n }), usage: { ...GOLDEN.usage, fuel: 2 ** 53 } });
  expect(beyond.holds).toBe("unknown");
  expect(reasonOf(beyond)).toContain("its fuel is a number too large");
  const file = JSON.stringify(GOLDEN).replace(/"price":\d+/, '"price":9007199254740993');
  expect(() => parseReceipt(file)).toThrow("too large for a browser");
  expect(() => parseReceipt(file.replace("9007199254740993", "1.5"))).toThrow("no receipt");
});

test("what looks alike has numbers of its own", () => {
  const [one, other] = [{ ...GOLDEN }, { ...GOLDEN }];
  expect(numberOf(one)).toBe(numberOf(one));
  expect(numberOf(one)).not.toBe(numberOf(other));
});
