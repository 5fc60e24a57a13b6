// Checks a receipt in the browser: both signatures, the path from the receipt to what was signed, and that the
// readable fields say what was signed. The rules are those of `opensky verify` (crates/types/src/receipt.rs),
// written a second time: a node that lies about a receipt does not lie for this page.

import { ed25519 } from "@noble/curves/ed25519.js";
import { blake3 } from "@noble/hashes/blake3.js";
import type { ReceiptView } from "../api/types";
import { Malformed, Reader } from "./borsh";
import { hex, jobId, nodeId } from "./ids";
import { fromHex } from "./picture";

type Standing = ReceiptView["standing"];

/** What a check found: who vouches for the receipt, why it does not hold, or why that cannot be told here. */
export type Checked = { holds: true; standing: Standing } | { holds: false | "unknown"; reason: string };

const PROOF_HEX_MAX = 2 * 3 * 1024 * 1024;
const LEAVES_MAX = 2 ** 24;
/** Of a tree of so many leaves. */
const SIBLINGS_MAX = 24;
const HEAD = { domain: "opensky/receipts", version: 1, bytesMax: 256 };
const COUNTERSIGNATURE = { domain: "opensky/countsig", version: 1, bytesMax: 2 * 1024 * 1024 + 64 };

const ascii = (text: string) => new TextEncoder().encode(text);
const same = (one: Uint8Array, other: Uint8Array) => hex(one) === hex(other);

class Refused extends Error {}
class Untold extends Error {}

/** Checks everything; asks nobody. */
export function checkReceipt(view: ReceiptView): Checked {
  try {
    if (view.proof.length > PROOF_HEX_MAX || !/^([0-9a-f]{2})*$/.test(view.proof)) throw new Malformed("the proof is not hex");
    const proof = readProof(new Reader(fromHex(view.proof)));
    const standing = standingOf(proof);
    const differs = differences(view, proof.receipt, standing);
    if (differs.length > 0) throw new Refused(`what is shown was changed: ${differs.join(", ")}`);
    return { holds: true, standing };
  } catch (error) {
    if (error instanceof Malformed || error instanceof Refused) return { holds: false, reason: error.message };
    if (error instanceof Untold) return { holds: "unknown", reason: error.message };
    throw error;
  }
}

interface Signed {
  bytes: Uint8Array;
  signer: Uint8Array;
  signature: Uint8Array;
}

interface Proof {
  receipt: Receipt;
  index: number;
  siblings: Uint8Array[];
  head: Signed;
  countersignature?: Signed;
}

type Receipt = ReturnType<typeof readReceipt>;

function readReceipt(from: Reader) {
  const start = from.place;
  const receipt = {
    agreement: from.take(32),
    provider: from.take(32),
    consumer: from.take(32),
    job: from.take(10),
    stage: from.u16(),
    task: from.u32(),
    attempt: from.u32(),
    program: from.take(32),
    input: from.take(32),
    output: from.take(32),
    exited: from.flag(),
    usage: {
      fuel: from.u64(),
      memory_peak_bytes: from.u64(),
      wall_us: from.u64(),
      cpu_us: from.u64(),
      input_bytes: from.u64(),
      output_bytes: from.u64(),
    },
    price: from.u64(),
    engine: from.text(),
    engine_config: from.take(32),
    started_at: from.u64(),
    ended_at: from.u64(),
  };
  const id = derived("opensky receipt 1", from.bytes.subarray(start, from.place));
  return { ...receipt, id };
}

const readSigned = (from: Reader): Signed => ({ bytes: from.block(), signer: from.take(32), signature: from.take(64) });

function readProof(from: Reader): Proof {
  const receipt = readReceipt(from);
  const index = from.u32();
  const count = from.u32();
  if (count > SIBLINGS_MAX) throw new Malformed("the proof has more steps than a tree can");
  const siblings = Array.from({ length: count }, () => from.take(32));
  const proof = { receipt, index, siblings, head: readSigned(from) };
  const countersignature = from.flag() ? readSigned(from) : undefined;
  from.end();
  return { ...proof, countersignature };
}

/** BLAKE3 in a context of its own, as everything that is named by its hash. */
function derived(context: string, bytes: Uint8Array): Uint8Array {
  return blake3(bytes, { context: ascii(context) });
}

/** The bytes of a signed value once its signature holds, by ZIP-215: the rule that all of a sky goes by. */
function opened(signed: Signed, { domain, version, bytesMax }: typeof HEAD): Reader {
  if (signed.bytes.length > bytesMax) throw new Malformed("what was signed is too long");
  const start = [...ascii(domain), version, 0];
  const message = new Uint8Array(start.length + signed.bytes.length);
  message.set(start);
  message.set(signed.bytes, start.length);
  if (!ed25519.verify(signed.signature, message, signed.signer, { zip215: true })) {
    throw new Refused(`the signature of ${nodeId(signed.signer)} is wrong`);
  }
  return new Reader(signed.bytes);
}

function standingOf({ receipt, index, siblings, head, countersignature }: Proof): Standing {
  const from = opened(head, HEAD);
  const batch = { provider: from.take(32), consumer: from.take(32), root: from.take(32), count: from.u32(), at: from.u64() };
  from.end();
  const isProviders = same(head.signer, receipt.provider) && same(batch.provider, receipt.provider);
  if (!isProviders || !same(batch.consumer, receipt.consumer)) {
    throw new Refused("it was signed by another node than it names");
  }
  if (!isInTree(batch.root, batch.count, index, receipt.id, siblings)) {
    throw new Refused("the receipt is not part of what was signed");
  }
  return countersignature ? judgement(countersignature, receipt, batch.root, index) : "claimed";
}

function judgement(signed: Signed, receipt: Receipt, batch: Uint8Array, index: number): Standing {
  const from = opened(signed, COUNTERSIGNATURE);
  const [root, accepted] = [from.take(32), from.block()];
  from.end();
  if (!same(signed.signer, receipt.consumer)) throw new Refused("the consumer’s signature is another node’s");
  if (!same(root, batch)) throw new Refused("the consumer signed another batch");
  return (((accepted[index >> 3] ?? 0) >> (index & 7)) & 1) === 1 ? "accepted" : "rejected";
}

/** Whether a hash is leaf `index` of a tree of `count` leaves with this root. */
function isInTree(root: Uint8Array, count: number, index: number, hash: Uint8Array, siblings: Uint8Array[]): boolean {
  if (index >= count || count > LEAVES_MAX) return false;
  let current = derived("opensky merkle leaf 1", hash);
  let [position, width, used] = [index, count, 0];
  while (width > 1) {
    if ((position ^ 1) < width) {
      const sibling = siblings[used];
      if (!sibling) return false;
      used += 1;
      const pair = (position & 1) === 0 ? [current, sibling] : [sibling, current];
      current = derived("opensky merkle node 1", new Uint8Array(pair.flatMap((half) => [...half])));
    }
    position >>= 1;
    width = Math.ceil(width / 2);
  }
  return used === siblings.length && same(current, root);
}

/** Names of shown fields that say something else than what was signed. */
function differences(view: ReceiptView, receipt: Receipt, standing: Standing): string[] {
  const number = (name: string, value: bigint) => {
    const read = Number(value);
    if (Number.isSafeInteger(read)) return read;
    // What the page got of such a number are not all of its digits, so there is nothing to compare.
    throw new Untold(`its ${name} is a number too large for a browser to show exactly: \`opensky verify\` can check it`);
  };
  const signed: Omit<ReceiptView, "proof"> = {
    id: hex(receipt.id),
    standing,
    provider: nodeId(receipt.provider),
    consumer: nodeId(receipt.consumer),
    agreement: hex(receipt.agreement),
    job: jobId(receipt.job),
    task: `${receipt.stage}.${receipt.task}`,
    attempt: receipt.attempt,
    program: hex(receipt.program),
    input: hex(receipt.input),
    output: hex(receipt.output),
    exited: receipt.exited,
    usage: {
      fuel: number("fuel", receipt.usage.fuel),
      memory_peak_bytes: number("memory", receipt.usage.memory_peak_bytes),
      wall_us: number("time", receipt.usage.wall_us),
      cpu_us: number("processor time", receipt.usage.cpu_us),
      input_bytes: number("input", receipt.usage.input_bytes),
      output_bytes: number("output", receipt.usage.output_bytes),
    },
    price: number("price", receipt.price),
    engine: receipt.engine,
    engine_config: hex(receipt.engine_config),
    started_at: number("start", receipt.started_at),
    ended_at: number("end", receipt.ended_at),
  };
  const words = (value: unknown) => (typeof value === "object" ? JSON.stringify(Object.entries(value ?? {}).sort()) : String(value));
  const names = Object.keys(signed) as (keyof typeof signed)[];
  return names.filter((name) => words(view[name]) !== words(signed[name]));
}
