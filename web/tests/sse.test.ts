import { expect, test, vi } from "vitest";
import { follow, SseParser } from "../src/api/sse";

const STREAM =
  ": hello\n\nevent: note\nid: 1\ndata: {\"a\":1}\n\r\nevent: job\rid: 2\rdata: one\rdata:two\r\r" +
  "data: no name\n\nevent: empty\n\nid: 7\n\ndata: last\n\n";
const EVENTS = [
  { name: "note", data: '{"a":1}', id: "1" },
  { name: "job", data: "one\ntwo", id: "2" },
  { name: "message", data: "no name", id: "2" },
  { name: "message", data: "last", id: "7" },
];

test("events come out whatever the pieces", () => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const parser = new SseParser();
    const events = [];
    for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
    expect(events, `pieces of ${size}`).toEqual(EVENTS);
  }
});

test("an endless event is refused", () => {
  const parser = new SseParser();
  expect(() => {
    for (let piece = 0; piece < 20; piece += 1) parser.push("x".repeat(1024 * 1024));
  }).toThrow("too long");
});

test("a stream that drops goes on where it was", async () => {
  const asked: (string | null)[] = [];
  const answers = ["id: 4\ndata: a\n\n", "id: 5\ndata: b\n\n"];
  vi.stubGlobal("fetch", async (_path: string, { headers }: { headers: Record<string, string> }) => {
    asked.push(headers["last-event-id"] ?? null);
    return new Response(answers.shift() ?? "");
  });
  const stop = new AbortController();
  const seen: string[] = [];
  await follow("/v1/x", {
    signal: stop.signal,
    onEvent: ({ data }) => seen.push(data),
    isOver: () => seen.length === 2,
  });
  vi.unstubAllGlobals();
  expect(seen).toEqual(["a", "b"]);
  expect(asked).toEqual([null, "4"]);
});

test("a refusal ends the stream", async () => {
  let count = 0;
  vi.stubGlobal("fetch", async () => {
    count += 1;
    return new Response(JSON.stringify({ code: "job-not-found", detail: "gone" }), { status: 404 });
  });
  await follow("/v1/x", { signal: new AbortController().signal, onEvent: () => undefined });
  vi.unstubAllGlobals();
  expect(count).toBe(1);
});
