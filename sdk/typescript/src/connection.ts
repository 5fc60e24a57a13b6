// The one place that speaks HTTP.

import { Answer } from "./answer.js";
import { OpenSkyError } from "./error.js";
import { Exchange } from "./exchange.js";
import { ONCE } from "./routes.js";

/** How long an answer that is not a stream may take. */
const CALL_MS = 60_000;

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, however many requests it makes; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** How long each request may take, or until its stream begins, in milliseconds; 60 seconds if absent. */
  timeoutMs?: number | undefined;
}

/** What calls that spend or start something take. */
export interface OnceOptions extends CallOptions {
  /** Asked twice with the same key, the node does it once. A new one is made if absent. */
  idempotencyKey?: string | undefined;
}

export interface ConnectionOptions {
  /** The API's address: `127.0.0.1:4720`, or a URL. */
  address: string;
  /** The text of `run/api.token`, or an API key (`opensky keys create`). */
  token: string;
  /** Another `fetch`, such as one with its own pool of connections. */
  fetch?: typeof fetch;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface Call extends OnceOptions {
  method: string;
  /** As in the document, with `{…}` for what `path` holds. */
  route: string;
  path?: Record<string, string> | undefined;
  query?: Query | undefined;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: BodyInit;
}

export class Connection {
  readonly address: string;
  readonly #base: string;
  readonly #token: string;
  readonly #fetch: typeof fetch;

  constructor({ address, token, fetch: custom }: ConnectionOptions) {
    this.#base = (address.includes("://") ? address : `http://${address}`).replace(/\/+$/, "");
    this.address = this.#base;
    this.#token = token.trim();
    // Browsers insist that `fetch` is called on the window.
    this.#fetch = custom ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** Sends a request; its answer if it is not a problem, else throws that. */
  async open(call: Call): Promise<Answer> {
    const headers = this.#headers(call);
    try {
      const answer = await this.#send(call, headers);
      if (!answer.isSuccess) throw await answer.problem();
      return answer;
    } catch (error) {
      if (error instanceof OpenSkyError) error.idempotencyKey = headers["idempotency-key"];
      throw error;
    }
  }

  /** Sends a request whose answer is JSON, or nothing. */
  async ask<T>(call: Call): Promise<T> {
    return (await this.open(call)).json<T>();
  }

  #headers({ method, route, headers, json, idempotencyKey }: Call): Record<string, string> {
    const all: Record<string, string> = { authorization: `Bearer ${this.#token}`, ...headers };
    if (json !== undefined) all["content-type"] = "application/json";
    if (ONCE.has(`${method} ${route}`)) all["idempotency-key"] = idempotencyKey ?? crypto.randomUUID();
    return all;
  }

  async #send(call: Call, headers: Record<string, string>): Promise<Answer> {
    const url = this.#base + target(call);
    const exchange = new Exchange(call.signal);
    exchange.allow(call.timeoutMs ?? CALL_MS);
    const init: RequestInit & { duplex?: "half" } = {
      method: call.method.toUpperCase(),
      headers,
      signal: exchange.signal,
      // A redirect would show the token to whoever it leads to.
      redirect: "manual",
    };
    if (call.json !== undefined) init.body = JSON.stringify(call.json);
    if (call.body !== undefined) init.body = call.body;
    if (call.body instanceof ReadableStream) init.duplex = "half";
    try {
      return new Answer(await this.#fetch(url, init), exchange);
    } catch (cause) {
      exchange.end();
      throw exchange.failure("unreachable", `no node answers at ${this.address}`, cause);
    }
  }
}

/** Path and query of a call. */
export function target({ route, path = {}, query = {} }: Pick<Call, "route" | "path" | "query">): string {
  const filled = route.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = path[name];
    if (value === undefined) throw new TypeError(`${route} needs '${name}'`);
    return encodeURIComponent(value);
  });
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const pairs = new URLSearchParams(fields.map(([name, value]) => [name, String(value)]));
  return fields.length === 0 ? filled : `${filled}?${pairs}`;
}
