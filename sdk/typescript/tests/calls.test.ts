import assert from "node:assert/strict";
import { inspect } from "node:util";
import test from "node:test";
import { Client, OpenSkyError } from "../src/index.js";
import { all, fake, json, problem, TOKEN } from "./fake.js";

const JOB = "0123456789abcdef";

test("a call shows the token and gives the answer", async (t) => {
  const { client, asked, address } = await fake(t, (_, answer) => json(answer, { name: "fake" }));
  assert.deepEqual(await client.status(), { name: "fake" });
  assert.equal(asked[0]?.headers.authorization, `Bearer ${TOKEN}`);
  assert.equal(client.address, `http://${address}`);
  assert.ok(!inspect(client, { depth: 9 }).includes(TOKEN), "the token is never shown");
});

test("paths and queries are encoded", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => json(answer, {}));
  await client.request("get", "/v1/jobs", { query: { limit: 3, before: undefined } });
  await client.request("get", "/v1/jobs/{job}", { path: { job: "a/../b?c" } });
  assert.deepEqual(
    asked.map(({ url }) => url),
    ["/v1/jobs?limit=3", "/v1/jobs/a%2F..%2Fb%3Fc"],
  );
  await assert.rejects(client.request("get", "/v1/jobs/{job}", {} as never), TypeError);
});

test("an answer without content is nothing", async (t) => {
  const { client } = await fake(t, (_, answer) => void answer.writeHead(204).end());
  assert.equal(await client.request("delete", "/v1/jobs/{job}", { path: { job: JOB } }), undefined);
});

test("problems come through", async (t) => {
  const { client } = await fake(t, (_, answer) => problem(answer, 404, "job-not-found"));
  const error = await client.job(JOB).catch((error: unknown) => error);
  assert.ok(error instanceof OpenSkyError);
  const { status, code, detail, next, message } = error;
  assert.deepEqual([status, code, detail, next], [404, "job-not-found", "the fake says so", "try something else"]);
  assert.equal(message, "the fake says so (try something else)");
});

test("what is no problem is shown by its status, however long it is", async (t) => {
  const bodies = ["<html>", "[]", "null", '{"code":1}', "x".repeat(1_000_000)];
  for (const body of bodies) {
    const { client } = await fake(t, (_, answer) => void answer.writeHead(502).end(body));
    await assert.rejects(client.status(), { name: "OpenSkyError", status: 502, code: "unknown" });
  }
});

test("an answer that is not JSON is a bad answer", async (t) => {
  const { client } = await fake(t, (_, answer) => void answer.end("hello"));
  await assert.rejects(client.status(), { status: 0, code: "bad-answer" });
});

test("a redirect is not followed", async (t) => {
  const other = await fake(t, (_, answer) => json(answer, {}));
  const { client } = await fake(t, (_, answer) => {
    answer.writeHead(307, { location: `http://${other.address}/v1/status` }).end();
  });
  await assert.rejects(client.status(), { status: 307 });
  assert.equal(other.asked.length, 0, "the token stays here");
});

test("an answer that never ends is cut", async (t) => {
  const { client } = await fake(t, (_, answer) => {
    const piece = Buffer.alloc(1024 * 1024, 32);
    const write = () => {
      while (!answer.destroyed && answer.write(piece));
    };
    answer.on("drain", write);
    write();
  });
  await assert.rejects(client.status(), { code: "too-large" });
  await assert.rejects(client.blob("x", { bytesMax: 3_000_000 }), { code: "too-large" });
});

test("nobody there is said, with the key of what was asked", async () => {
  const client = new Client({ address: "127.0.0.1:1", token: TOKEN });
  await assert.rejects(client.status(), { status: 0, code: "unreachable" });
  const job = { name: "x", stages: [] };
  await assert.rejects(client.submit(job, { idempotencyKey: "mine" }), { code: "unreachable", idempotencyKey: "mine" });
});

test("a node that does not answer in time is an error, and so is one that stops in between", async (t) => {
  const { client } = await fake(t, ({ url }, answer) => {
    if (url === "/v1/peers") answer.write('{"peers":');
  });
  await assert.rejects(client.request("get", "/v1/status", { timeoutMs: 50 }), { status: 0, code: "timed-out" });
  await assert.rejects(client.request("get", "/v1/peers", { timeoutMs: 100 }), { status: 0, code: "timed-out" });
});

test("an aborted call throws the reason, before, during and between", async (t) => {
  const { client } = await fake(t, (_, answer) => void answer.write("a"));
  const reason = new Error("enough");
  await assert.rejects(client.status({ signal: AbortSignal.abort(reason) }), reason);
  const during = new AbortController();
  setTimeout(() => during.abort(reason), 50);
  await assert.rejects(client.status({ signal: during.signal }), reason);
  const between = new AbortController();
  const read = async () => {
    for await (const _ of client.taskLog(JOB, "0.0", { follow: true, signal: between.signal })) between.abort(reason);
  };
  await assert.rejects(read(), reason);
});

test("who stops reading a stream lets go of the connection", async (t) => {
  let closed: () => void;
  const isClosed = new Promise<void>((resolve) => (closed = resolve));
  const { client } = await fake(t, (_, answer) => {
    answer.on("close", () => closed());
    answer.write("a");
  });
  for await (const _ of client.taskLog(JOB, "0.0", { follow: true })) break;
  await isClosed;
});

test("what spends or starts something has an idempotency key, a new one each time", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => json(answer, {}));
  const job = { name: "x", stages: [] };
  await client.submit(job);
  await client.request("post", "/v1/jobs", { body: job });
  await client.request("post", "/v1/jobs/{job}/retry", { path: { job: JOB }, idempotencyKey: "mine" });
  await client.request("post", "/v1/jobs/quote", { body: job });
  await client.status();
  const keys = asked.map(({ headers }) => headers["idempotency-key"]);
  assert.match(String(keys[0]), /^[0-9a-f-]{36}$/);
  assert.notEqual(keys[0], keys[1]);
  assert.deepEqual(keys.slice(2), ["mine", undefined, undefined]);
});

test("a log comes as it is written", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => {
    answer.write("one ");
    setTimeout(() => answer.end("two"), 20);
  });
  const pieces = await all(client.taskLog(JOB, "0.1", { stream: "stderr", follow: true }));
  assert.equal(Buffer.concat(pieces).toString(), "one two");
  assert.equal(asked[0]?.url, `/v1/jobs/${JOB}/tasks/0.1/log?stream=stderr&follow=true`);
});
