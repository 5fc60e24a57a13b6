// What came back: whole and capped, or in pieces as they come.

import { badAnswer, OpenSkyError, tooLarge } from "./error.js";
import type { Exchange } from "./exchange.js";

/** Longest JSON answer that is read. */
const JSON_BYTES_MAX = 64 * 1024 * 1024;
/** Longest problem that is read; the node's are a few lines. */
const PROBLEM_BYTES_MAX = 64 * 1024;

export class Answer {
  readonly #response: Response;
  readonly #exchange: Exchange;

  constructor(response: Response, exchange: Exchange) {
    this.#response = response;
    this.#exchange = exchange;
  }

  get status(): number {
    return this.#response.status;
  }

  get isSuccess(): boolean {
    return this.#response.ok;
  }

  /** The pieces of the body. Each may take `idleMs`; without it the time limit of the call goes on. */
  async *pieces(idleMs?: number): AsyncGenerator<Uint8Array, void, void> {
    const reader = this.#response.body?.getReader();
    try {
      while (reader) {
        if (idleMs !== undefined) this.#exchange.allow(idleMs);
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throw this.#exchange.failure("broken-off", "the node's answer broke off", cause);
        });
        if (done) return;
        // The reader of the pieces may take its time; only the node's counts.
        if (idleMs !== undefined) this.#exchange.allow(undefined);
        yield value;
      }
    } finally {
      this.#exchange.end();
    }
  }

  /** The whole body; `idleMs` as for its pieces. */
  async bytes(bytesMax: number, idleMs?: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of this.pieces(idleMs)) {
      length += piece.length;
      if (length > bytesMax) throw tooLarge("the answer", bytesMax);
      pieces.push(piece);
    }
    return joined(pieces, length);
  }

  /** The body as JSON; `undefined` if there is none. */
  async json<T>(): Promise<T> {
    const text = new TextDecoder().decode(await this.bytes(JSON_BYTES_MAX));
    if (text === "") return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw badAnswer("it is not JSON", cause);
    }
  }

  /** The body as the problem that it is; of what is none (something else may listen there), its status. */
  async problem(): Promise<OpenSkyError> {
    const { status } = this;
    const unknown = new OpenSkyError({ status, code: "unknown", detail: `the answer has status ${status}` });
    try {
      const problem: unknown = JSON.parse(new TextDecoder().decode(await this.bytes(PROBLEM_BYTES_MAX)));
      return isProblem(problem) ? new OpenSkyError({ ...problem, status }) : unknown;
    } catch {
      return unknown;
    }
  }
}

function joined(pieces: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function isProblem(value: unknown): value is { code: string; detail: string; next?: string } {
  if (typeof value !== "object" || value === null) return false;
  const { code, detail, next } = value as Record<string, unknown>;
  return typeof code === "string" && typeof detail === "string" && (next === undefined || typeof next === "string");
}
