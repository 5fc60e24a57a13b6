// A receipt as `opensky verify --save` writes it.

import type { ReceiptView } from "../api/types";

const NUMBERS = ["attempt", "price", "started_at", "ended_at"] as const;
const TEXTS = ["id", "standing", "provider", "consumer", "agreement", "job", "task", "program", "input", "output", "engine", "engine_config", "proof"] as const;
const USAGE = ["fuel", "memory_peak_bytes", "wall_us", "cpu_us", "input_bytes", "output_bytes"] as const;
const BYTES_MAX = 8 * 1024 * 1024;

/** Among the numbers of a receipt are no fractions; JSON's `1e999` is read as one without end. */
const isOf = (value: unknown, type: string) => typeof value === type && (type !== "number" || Number.isInteger(value));

/** Beyond 2⁵³ a browser reads other digits than the file has. */
const isExact = (receipt: ReceiptView) =>
  NUMBERS.every((name) => Number.isSafeInteger(receipt[name])) && USAGE.every((name) => Number.isSafeInteger(receipt.usage[name]));

/** The receipt of a file's text; throws what is wrong with it. Whether it holds is another question. */
export function parseReceipt(text: string): ReceiptView {
  const wrong = new Error("This file is no receipt: it is not what `opensky verify ID --save FILE` writes.");
  if (text.length > BYTES_MAX) throw wrong;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong;
  }
  const has = (object: unknown, names: readonly string[], type: string) =>
    typeof object === "object" && object !== null && names.every((name) => isOf((object as Record<string, unknown>)[name], type));
  const isReceipt = has(value, TEXTS, "string") && has(value, NUMBERS, "number") && has(value, ["exited"], "boolean");
  if (!isReceipt || !has((value as ReceiptView).usage, USAGE, "number")) throw wrong;
  const receipt = value as ReceiptView;
  if (!isExact(receipt)) throw new Error("A number in this file is too large for a browser to read exactly: check it with `opensky verify`.");
  return receipt;
}
