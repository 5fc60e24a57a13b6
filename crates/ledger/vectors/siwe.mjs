// Messages of EIP-4361 as viem writes and signs them: `node siwe.mjs` writes ../../gateway/vectors/siwe.json,
// `--check` compares.

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { privateKeyToAccount } from "viem/accounts";
import { createSiweMessage } from "viem/siwe";

const FILE = path.join(import.meta.dirname, "../../gateway/vectors/siwe.json");
const account = privateKeyToAccount(`0x${"42".repeat(32)}`);
const least = {
  address: account.address,
  chainId: 1,
  domain: "127.0.0.1:4720",
  nonce: "0123456789abcdef",
  uri: "http://127.0.0.1:4720",
  version: "1",
  issuedAt: new Date("2026-02-28T23:59:59.999Z"),
};
const cases = {
  "the least that there must be": least,
  "all that there can be": {
    ...least,
    scheme: "http",
    statement: "Log in: it costs nothing (and moves nothing).",
    expirationTime: new Date("2028-02-29T12:00:00Z"),
    notBefore: new Date("2024-02-29T00:00:00.001Z"),
    requestId: "some-id_1",
    resources: ["https://example.com/a?b=c#d", "ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/"],
  },
  "another chain and a name": { ...least, chainId: 137, domain: "node.example.com", uri: "https://node.example.com/in" },
};

const millis = (date) => date?.getTime() ?? null;
const vectors = [];
for (const [name, fields] of Object.entries(cases)) {
  const message = createSiweMessage(fields);
  vectors.push({
    name,
    message,
    signature: await account.signMessage({ message }),
    scheme: fields.scheme ?? null,
    domain: fields.domain,
    address: fields.address,
    statement: fields.statement ?? null,
    uri: fields.uri,
    chain_id: fields.chainId,
    nonce: fields.nonce,
    issued_at: millis(fields.issuedAt),
    expires_at: millis(fields.expirationTime),
    not_before: millis(fields.notBefore),
    request_id: fields.requestId ?? null,
    resources: fields.resources ?? [],
  });
}
const made = `${JSON.stringify(vectors, null, 2)}\n`;
if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== made) {
    console.error("it is not what viem makes; `node siwe.mjs` in crates/ledger/vectors writes it anew");
    process.exit(1);
  }
} else {
  writeFileSync(FILE, made);
}
