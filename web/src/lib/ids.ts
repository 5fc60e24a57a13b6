// Ids as people read them, from their bytes.

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE32 = "0123456789abcdefghjkmnpqrstvwxyz";
/** Multihash: identity hash of a protobuf that says "ed25519 key of 32 bytes". */
const PEER_ID_HEADER = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

export const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const asNumber = (bytes: Iterable<number>) => [...bytes].reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** A node's id from its public key. */
export function nodeId(key: Uint8Array): string {
  const bytes = [...PEER_ID_HEADER, ...key];
  let text = "";
  for (let rest = asNumber(bytes); rest > 0n; rest /= 58n) text = BASE58[Number(rest % 58n)] + text;
  // Each zero at the front is a digit of its own.
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros) + text;
}

/** A job's id from its ten bytes. */
export function jobId(bytes: Uint8Array): string {
  const number = asNumber(bytes);
  return Array.from({ length: 16 }, (_, at) => BASE32[Number((number >> BigInt(5 * (15 - at))) & 31n)]).join("");
}
