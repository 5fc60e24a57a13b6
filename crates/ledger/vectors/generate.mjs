// Makes evm.json: what viem, which shares no code with us, says of our typed data, messages, signatures
// and withdrawal claims. `node generate.mjs` writes the file, `node generate.mjs --check` compares.
import { readFileSync, writeFileSync } from "node:fs";
import { concatHex, getAddress, hashMessage, hashStruct, hashTypedData, hashDomain, keccak256, numberToHex, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const file = new URL("evm.json", import.meta.url);
const word = (name) => keccak256(toHex(name));
const secrets = [word("first key"), word("second key"), numberToHex(1n, { size: 32 })];
const accounts = secrets.map((secret) => privateKeyToAccount(secret));
const U64 = 2n ** 64n - 1n;
const U128 = 2n ** 128n - 1n;

const fields = (text) => text.split(",").map((field) => {
  const [type, name] = field.trim().split(" ");
  return { type, name };
});
const types = {
  Checkpoint: fields("uint64 epoch,bytes32 previous,bytes32 root,uint128 total,uint64 setId"),
  Voucher: fields("bytes32 agreement,bytes32 payer,bytes32 payee,uint64 cumulative,bytes32 receipts"),
  Transaction: fields("string action,bytes32 account,uint64 nonce,uint64 validUntil,bytes32 transaction"),
  SessionKey: fields("bytes32 account,bytes32 key,uint64 scope,uint64 cap,uint64 expiry"),
  Claim: fields("bytes32 account,uint64 chain,address recipient,uint64 cumulative"),
  SumNode: fields("bytes32 left,uint128 leftSum,bytes32 right,uint128 rightSum"),
};
const domainTypes = {
  sky: fields("string name,string version,bytes32 salt"),
  contract: fields("string name,string version,uint256 chainId,address verifyingContract,bytes32 salt"),
};

const sky = word("a sky");
const domains = [
  { kind: "sky", value: { name: "OpenSky", version: "1", salt: sky } },
  {
    kind: "contract",
    value: {
      name: "OpenSky", version: "1", chainId: 137,
      verifyingContract: getAddress("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"), salt: sky,
    },
  },
];

const zero = numberToHex(0n, { size: 32 });
const messages = {
  Checkpoint: [
    { epoch: 0n, previous: zero, root: zero, total: 0n, setId: 0n },
    { epoch: 7n, previous: word("previous"), root: word("root"), total: 123_456_789_000_000n, setId: 3n },
    { epoch: U64, previous: word("p"), root: word("r"), total: U128, setId: U64 },
  ],
  Voucher: [
    { agreement: word("agreement"), payer: word("payer"), payee: word("payee"), cumulative: 1_500_000n, receipts: zero },
    { agreement: word("a"), payer: word("b"), payee: word("c"), cumulative: U64, receipts: word("receipts") },
  ],
  Transaction: [
    { action: "", account: zero, nonce: 0n, validUntil: 0n, transaction: zero },
    {
      action: "Transfer 1.500000 credits to Übermut 🌥", account: word("account"), nonce: 41n,
      validUntil: 1_700_000_000_000n, transaction: word("transaction"),
    },
    { action: "x".repeat(300), account: word("account"), nonce: U64, validUntil: U64, transaction: word("t") },
  ],
  SessionKey: [
    { account: word("account"), key: word("device"), scope: 5n, cap: 10_000_000n, expiry: 1_700_086_400_000n },
    { account: word("account"), key: word("device"), scope: U64, cap: U64, expiry: U64 },
  ],
};

const plain = (value) => Object.fromEntries(
  Object.entries(value).map(([name, field]) => [name, typeof field === "bigint" ? field.toString() : field]),
);

async function typed() {
  const made = [];
  for (const [primaryType, samples] of Object.entries(messages)) {
    for (const [index, message] of samples.entries()) {
      for (const { kind, value: domain } of domains) {
        const account = accounts[index % accounts.length];
        const own = { EIP712Domain: domainTypes[kind], [primaryType]: types[primaryType] };
        const data = { domain, types: own, primaryType, message };
        made.push({
          type: primaryType, domain: kind, message: plain(message),
          separator: hashDomain({ domain, types: own }),
          struct: hashStruct({ data: message, primaryType, types: own }),
          digest: hashTypedData(data), signer: account.address,
          signature: await account.signTypedData(data),
        });
      }
    }
  }
  return made;
}

async function personal() {
  const texts = ["", "OpenSky", "Transfer 1.500000 credits\nTransaction 0x00", "ü🌥", "y".repeat(1_000)];
  return Promise.all(texts.map(async (message, index) => {
    const account = accounts[index % accounts.length];
    return { message, digest: hashMessage(message), signer: account.address, signature: await account.signMessage({ message }) };
  }));
}

// Leaves and nodes as structs of EIP-712; an odd node moves up unchanged.
const leaf = (claim) => ({ hash: hashStruct({ data: claim, primaryType: "Claim", types }), sum: claim.cumulative });
const node = (left, right) => ({
  hash: hashStruct({
    data: { left: left.hash, leftSum: left.sum, right: right.hash, rightSum: right.sum },
    primaryType: "SumNode", types,
  }),
  sum: left.sum + right.sum,
});
const plainNode = ({ hash, sum }) => ({ hash, sum: sum.toString() });

function claimsOf(count) {
  const made = Array.from({ length: count }, (_, index) => ({
    account: word(`account ${index >> 1}`),
    chain: BigInt(index % 3 === 2 ? 137 : 1),
    recipient: getAddress(concatHex([word(`address ${index}`)]).slice(0, 42)),
    cumulative: index === 4 ? U64 : BigInt(index) * 1_000_003n,
  }));
  const key = (claim) => claim.account + numberToHex(claim.chain, { size: 8 }) + claim.recipient.toLowerCase();
  return made.sort((one, other) => (key(one) < key(other) ? -1 : 1));
}

function tree(count) {
  const claims = claimsOf(count);
  const levels = [claims.map(leaf)];
  while (levels.at(-1).length > 1) {
    const below = levels.at(-1);
    levels.push(Array.from({ length: Math.ceil(below.length / 2) }, (_, index) => {
      const [left, right] = below.slice(2 * index, 2 * index + 2);
      return right ? node(left, right) : left;
    }));
  }
  const proofs = claims.map((_, index) => {
    let [position, sides, siblings] = [index, 0, []];
    for (const level of levels.slice(0, -1)) {
      const sibling = level[position ^ 1];
      if (sibling) {
        sides |= (position & 1) << siblings.length;
        siblings.push(plainNode(sibling));
      }
      position >>= 1;
    }
    return { sides, siblings };
  });
  return { claims: claims.map(plain), root: plainNode(levels.at(-1)[0]), proofs };
}

const vectors = {
  about: "made by generate.mjs with viem 2.57.20; do not edit",
  sky, contract: { chain: domains[1].value.chainId.toString(), address: domains[1].value.verifyingContract },
  keys: accounts.map((account, index) => ({ secret: secrets[index], address: account.address })),
  typed: await typed(), personal: await personal(), claims: [1, 2, 3, 5, 8, 13].map(tree),
};
const text = `${JSON.stringify(vectors, null, 1)}\n`;
if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("evm.json differs from what viem makes; run `npm run generate` and look at the difference");
    process.exit(1);
  }
} else {
  writeFileSync(file, text);
}
