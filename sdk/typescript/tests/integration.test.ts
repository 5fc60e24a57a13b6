// The client against a real node, whose binary OPENSKY_BIN names.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test, { after, before, describe } from "node:test";
import type { Client, JobEvent } from "../src/index.js";
import { uploadFile } from "../src/node.js";
import { all, text } from "./fake.js";
import { BINARY, file, Node, program } from "./node.js";

const skip = BINARY ? false : "OPENSKY_BIN names no binary";

describe("a real node", { skip }, () => {
  let node: Node;
  let client: Client;
  before(async () => {
    ({ node, client } = await Node.start());
  });
  after(() => node?.stop());

  test("runs a program", async () => {
    const { exitCode, stdout } = await client.runProgram(await readFile(program("hello")), { args: ["sky"] });
    assert.equal(exitCode, 0);
    assert.match(text(stdout), /sky/);
  });

  test("streams a job's progress, then has its results and logs", async () => {
    const hash = await uploadFile(client, program("square"));
    const squares = {
      name: "squares",
      program: { ...hash, level: "vm" as const, args: ["{item}"] },
      inputs: { kind: "numbers" as const, from: 0, to: 10, step: 1 },
    };
    const { job, tasks } = await client.submit({ name: "squares", stages: [squares], wait_ms: 30_000 });
    assert.equal(tasks, 10);
    const events: JobEvent[] = await all(client.watch(job));
    assert.ok(events.some(({ event }) => event === "progress"));
    assert.deepEqual(events.at(-1)?.event === "job" && events.at(-1), { ...events.at(-1), state: "succeeded" });
    const numbers = (await client.results(job)).map(({ stdout }) => Number(text(stdout)));
    assert.deepEqual(numbers, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
    assert.equal(text(Buffer.concat(await all(client.taskLog(job, "0.3", { follow: true })))).trim(), "9");
  });

  test("does once what is asked twice with one key", async () => {
    const options = { args: ["once"], idempotencyKey: "twice" };
    const wasm = await readFile(program("hello"));
    const [first, second] = [await client.runProgram(wasm, options), await client.runProgram(wasm, options)];
    assert.equal(first.job, second.job);
  });

  test("says what is wrong", async () => {
    await assert.rejects(client.job("0000000000000000"), { status: 404, code: "job-not-found" });
    await assert.rejects(all(client.watch("0000000000000000")), { status: 404, code: "job-not-found" });
    await assert.rejects(client.services.show("nothing"), { status: 404, code: "service-not-found" });
    await assert.rejects(all(client.services.logs("nothing")), { status: 404, code: "service-not-found" });
    assert.deepEqual(await client.services.list(), []);
  });

  test("runs the examples", async () => {
    assert.match(await node.example("hello", program("hello"), "reader"), /reader/);
    const counted = await node.example("word-count", program("wordcount"), file("README.md"));
    assert.match(counted, /^the\t\d+$/m);
    await assert.rejects(node.example("follow-service", "nothing"), /service-not-found/);
  });
});
