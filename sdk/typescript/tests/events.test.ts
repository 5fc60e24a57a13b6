import assert from "node:assert/strict";
import test from "node:test";
import { Client } from "../src/index.js";
import { all, fake, json, problem } from "./fake.js";

const JOB = "0123456789abcdef";
const PROGRESS = 'id: 1\nevent: progress\ndata: {"event":"progress","stages":[]}\n\n';
const END = 'id: 2\nevent: job\ndata: {"event":"job","state":"succeeded","at":5,"reason":""}\n\n';
const kinds = async (client: Client) => (await all(client.watch(JOB))).map(({ event }) => event);

test("events go on after a broken connection", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => {
    if (asked.length > 1) return void answer.end(END);
    answer.write(`${PROGRESS}id: 2\ndata: {"event":`);
    setTimeout(() => answer.destroy(), 20);
  });
  assert.deepEqual(await kinds(client), ["progress", "job"]);
  assert.deepEqual(
    asked.map(({ headers }) => headers["last-event-id"]),
    [undefined, "1"],
  );
});

test("a stream that ends before its job, and a node that is closing, are come back to", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => {
    if (asked.length === 1) answer.end(PROGRESS);
    else if (asked.length === 2) problem(answer, 503, "shutting-down");
    else answer.end(END);
  });
  assert.deepEqual(await kinds(client), ["progress", "job"]);
  assert.equal(asked.length, 3);
});

test("nothing is read after the end", async (t) => {
  const { client } = await fake(t, (_, answer) => void answer.write(END + PROGRESS));
  assert.deepEqual(await kinds(client), ["job"]);
});

test("a problem is an error at once", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => problem(answer, 404, "job-not-found"));
  await assert.rejects(kinds(client), { status: 404, code: "job-not-found" });
  assert.equal(asked.length, 1);
});

test("what is no event is an error at once", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => void answer.end("data: hello\n\n"));
  await assert.rejects(kinds(client), { code: "bad-answer" });
  assert.equal(asked.length, 1);
});

test("an event without an end is cut", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => {
    answer.write("data: ");
    answer.write(Buffer.alloc(3 * 1024 * 1024, 120));
  });
  await assert.rejects(kinds(client), { code: "too-large" });
  assert.equal(asked.length, 1);
});

test("connections that bring nothing are not made for ever; the wait between them can be ended", async () => {
  const client = new Client({ address: "127.0.0.1:1", token: "" });
  const signal = AbortSignal.timeout(500);
  await assert.rejects(all(client.watch(JOB, { signal })), { name: "TimeoutError" });
});

test("waiting ends with the job and tells how it is", async (t) => {
  const { client } = await fake(t, ({ url }, answer) => {
    if (url.endsWith("/events")) answer.end(PROGRESS + END);
    else json(answer, { job: JOB, state: "succeeded" });
  });
  assert.equal((await client.wait(JOB)).state, "succeeded");
});
