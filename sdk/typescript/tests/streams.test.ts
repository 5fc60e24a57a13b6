import assert from "node:assert/strict";
import test from "node:test";
import { jsonLines, LINE_LENGTH_MAX, LineSplitter } from "../src/lines.js";
import { EventParser } from "../src/sse.js";
import { all } from "./fake.js";

/** The bytes in pieces of this size. */
function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

test("events come out whatever the pieces", () => {
  const bytes = new TextEncoder().encode(': hello\r\nid: 1\nevent: job\ndata: {"a":\ndata: 1}\n\n\nid: 2\ndata:schön 🚀\r\n\r\n');
  const expected = [
    { id: "1", data: '{"a":\n1}' },
    { id: "2", data: "schön 🚀" },
  ];
  for (let size = 1; size <= bytes.length; size += 1) {
    const parser = new EventParser();
    assert.deepEqual(pieces(bytes, size).flatMap((piece) => parser.push(piece)), expected, `pieces of ${size}`);
  }
  for (let at = 0; at <= bytes.length; at += 1) {
    const parser = new EventParser();
    const events = [bytes.subarray(0, at), bytes.subarray(at)].flatMap((piece) => parser.push(piece));
    assert.deepEqual(events, expected, `split at ${at}`);
  }
});

test("an event without data is none, and the id of the one before counts on", () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push(new TextEncoder().encode("id: 7\n\ndata\n\n")), [{ id: "7", data: "" }]);
});

test("an id that no header can carry is none", () => {
  const ids = ["ä", "a\rb", "\0", "x".repeat(257)];
  const events = new EventParser().push(new TextEncoder().encode(ids.map((id) => `id: ${id}\ndata: 1\n\n`).join("")));
  assert.deepEqual(events.map(({ id }) => id), ids.map(() => undefined));
});

test("an endless line and an endless event are refused", () => {
  const line = new Uint8Array(64 * 1024).fill(120);
  const feed = (piece: Uint8Array, push: (piece: Uint8Array) => unknown) => {
    for (let length = 0; length <= LINE_LENGTH_MAX + piece.length; length += piece.length) push(piece);
  };
  const splitter = new LineSplitter();
  assert.throws(() => feed(line, (piece) => splitter.push(piece)), { code: "too-large" });
  const parser = new EventParser();
  const data = new TextEncoder().encode(`data: ${"x".repeat(64 * 1024)}\n`);
  assert.throws(() => feed(data, (piece) => parser.push(piece)), { code: "too-large" });
});

test("lines of JSON come out whatever the pieces", async () => {
  const bytes = new TextEncoder().encode('{"a":"ä"}\n\n{"b":2}\n{"c":3}');
  for (let size = 1; size <= bytes.length; size += 1) {
    const source = (async function* () {
      yield* pieces(bytes, size);
    })();
    assert.deepEqual(await all(jsonLines(source)), [{ a: "ä" }, { b: 2 }, { c: 3 }], `pieces of ${size}`);
  }
});

test("a line that is not JSON is a bad answer", async () => {
  const source = (async function* () {
    yield new TextEncoder().encode("{oops\n");
  })();
  await assert.rejects(all(jsonLines(source)), { code: "bad-answer" });
});
