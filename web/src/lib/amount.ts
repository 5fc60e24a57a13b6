// Amounts of money: whole micros, no floats. 1 credit is 1,000,000 micros.

const MICROS = 1_000_000n;
/** JSON numbers are exact up to here. */
const MICROS_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** `1234567890` as `1,234.56789`; at least two decimals, none lost. */
export function credits(micros: number): string {
  const amount = BigInt(Math.trunc(micros));
  const size = amount < 0n ? -amount : amount;
  const whole = (size / MICROS).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  const decimals = (size % MICROS).toString().padStart(6, "0").replace(/0{1,4}$/, "");
  return `${amount < 0n ? "-" : ""}${whole}.${decimals}`;
}

/** `1.5` as `1500000`; `undefined` for what is no amount of at most six decimals. */
export function parseCredits(text: string): number | undefined {
  const match = /^(\d{1,13})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (!match) return undefined;
  const micros = BigInt(match[1] ?? "") * MICROS + BigInt((match[2] ?? "").padEnd(6, "0"));
  return micros <= MICROS_MAX ? Number(micros) : undefined;
}
