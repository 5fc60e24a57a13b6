// A small fake of a node's API.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { Client } from "../src/index.js";

export const TOKEN = "secret-token";

/** A request as it came. */
export interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

type Handler = (asked: Asked, answer: ServerResponse) => void | Promise<void>;

/** Serves `handler` until the test is over, or answers with `early` before a request has come whole. */
export async function fake(t: TestContext, handler: Handler, early?: (answer: ServerResponse) => void): Promise<{ client: Client; asked: Asked[]; address: string }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, answer) => {
    if (early) return early(answer);
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const { method = "", url = "", headers } = request;
    const seen = { method, url, headers, body: Buffer.concat(pieces) };
    asked.push(seen);
    await handler(seen, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { client: new Client({ address, token: TOKEN }), asked, address };
}

export function json(answer: ServerResponse, value: unknown, status = 200): void {
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify(value));
}

export function problem(answer: ServerResponse, status: number, code: string): void {
  answer.writeHead(status, { "content-type": "application/problem+json" });
  answer.end(JSON.stringify({ title: code, status, code, detail: "the fake says so", next: "try something else" }));
}

/** All pieces of an iterable. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
