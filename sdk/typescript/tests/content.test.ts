import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { uploadFile } from "../src/node.js";
import { all, fake, json, problem, text } from "./fake.js";

const LARGE = Buffer.alloc(3_000_000, "sky");
const storing = (t: TestContext) =>
  fake(t, ({ body }, answer) => json(answer, { hash: "h", size_bytes: body.length }, 201));

test("content goes up as bytes, text, blob, stream, iterable and file", async (t) => {
  const { client, asked } = await storing(t);
  const pieces = async function* () {
    for (let at = 0; at < LARGE.length; at += 500_000) yield LARGE.subarray(at, at + 500_000);
  };
  const path = join(await mkdtemp(join(tmpdir(), "opensky-")), "large");
  await writeFile(path, LARGE);
  await client.upload(new Uint8Array(LARGE));
  await client.upload(new Blob([LARGE]));
  await client.upload(new Blob([LARGE]).stream());
  await client.upload(pieces());
  assert.deepEqual(await uploadFile(client, path), { hash: "h", size_bytes: LARGE.length });
  for (const { body } of asked) assert.ok(body.equals(LARGE));
  assert.equal(asked[0]?.headers["content-length"], String(LARGE.length));
  assert.deepEqual(await client.upload("ä"), { hash: "h", size_bytes: 2 });
});

test("a source that fails is the error, not what became of the request", async (t) => {
  const { client } = await storing(t);
  const failing = async function* () {
    yield LARGE;
    throw new Error("the disk is gone");
  };
  await assert.rejects(client.upload(failing()), { message: "the disk is gone" });
  await assert.rejects(uploadFile(client, "/nowhere/at/all"), { code: "ENOENT" });
});

test("who refuses a long upload is heard", async (t) => {
  const { client } = await fake(t, () => undefined, (answer) => problem(answer, 401, "unauthorized"));
  const pieces = async function* () {
    for (let count = 0; count < 100; count += 1) yield LARGE;
  };
  await assert.rejects(client.upload(pieces()), { status: 401, code: "unauthorized" });
});

test("an answer about other content is refused", async (t) => {
  const { client } = await fake(t, (_, answer) => json(answer, { hash: "h", size_bytes: 1 }));
  await assert.rejects(client.upload("abc"), { code: "bad-answer" });
});

test("what a run wrote comes from the run, or from its blob", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => void answer.end(LARGE));
  assert.equal(text(await client.content({ hash: "h", size_bytes: 3, text: "sky" })), "sky");
  assert.deepEqual([...(await client.content({ hash: "h", size_bytes: 2, hex: "00ff" }))], [0, 255]);
  assert.equal(asked.length, 0);
  assert.ok(LARGE.equals(await client.content({ hash: "h", size_bytes: LARGE.length })));
  assert.ok(LARGE.equals(Buffer.concat(await all(client.blobPieces("h")))));
});

test("content that is not as its run says, or too much, is refused", async (t) => {
  const { client } = await fake(t, (_, answer) => void answer.end("abc"));
  await assert.rejects(client.content({ hash: "h", size_bytes: 2, hex: "0g" }), { code: "bad-answer" });
  await assert.rejects(client.content({ hash: "h", size_bytes: 4 }), { code: "bad-answer" });
  await assert.rejects(client.content({ hash: "h", size_bytes: 10 }, { bytesMax: 9 }), { code: "too-large" });
  await assert.rejects(client.content({ hash: "h", size_bytes: 2 }, { bytesMax: 2 }), { code: "too-large" });
});
