// Content: up and down.

import type { CallOptions, Connection } from "./connection.js";
import { badAnswer, tooLarge } from "./error.js";
import type { BlobRef, ContentView } from "./types.js";

/** How long an upload may take. The node ends those that stand still long before. */
const UPLOAD_MS = 3_600_000;
/** Most that is fetched into memory unless the caller says otherwise. */
export const BYTES_MAX = 256 * 1024 * 1024;
/** How long content may stand still on its way here. */
const IDLE_MS = 60_000;

/** What can be uploaded. Text goes as UTF-8; streams (a Node stream is an iterable) are never held whole. */
export type Content = string | Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export interface FetchOptions extends CallOptions {
  /** Most bytes that are held in memory; 256 MiB if absent. */
  bytesMax?: number;
}

/** Uploads content; from then on its hash names it. */
export async function upload(connection: Connection, content: Content, options: CallOptions = {}): Promise<BlobRef> {
  const call = { timeoutMs: UPLOAD_MS, ...options, method: "post", route: "/v1/blobs" };
  const headers = { "content-type": "application/octet-stream" };
  if (isPlain(content)) {
    const body = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const blob = await connection.ask<BlobRef>({ ...call, headers, body: body as BodyInit });
    const size = body instanceof Blob ? body.size : body.byteLength;
    if (blob.size_bytes !== size) throw badAnswer("it is about content of another size");
    return blob;
  }
  const source = new Source(content);
  try {
    return await connection.ask<BlobRef>({ ...call, headers, body: source.stream });
  } catch (error) {
    throw source.failure ?? error;
  }
}

const isPlain = (content: Content): content is string | Uint8Array | Blob =>
  typeof content === "string" || content instanceof Uint8Array || content instanceof Blob;

/** An iterable as a stream that remembers why it failed: `fetch` tells only that it did. */
class Source {
  readonly stream: ReadableStream<Uint8Array>;
  failure: unknown;

  constructor(content: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>) {
    const pieces = Symbol.asyncIterator in content ? content[Symbol.asyncIterator]() : readerOf(content);
    this.stream = new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await pieces.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          this.failure = error;
          throw error;
        }
      },
      cancel: async () => void (await pieces.return?.()),
    });
  }
}

/** Not every browser can iterate over a stream. */
function readerOf(stream: ReadableStream<Uint8Array>): AsyncIterator<Uint8Array> {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<Uint8Array>>,
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

/** The bytes of a blob, as they come. */
export async function* blobPieces(connection: Connection, hash: string, options: CallOptions = {}): AsyncGenerator<Uint8Array, void, void> {
  const answer = await connection.open({ ...options, method: "get", route: "/v1/blobs/{hash}", path: { hash } });
  yield* answer.pieces(IDLE_MS);
}

/** A blob in memory. */
export async function blob(connection: Connection, hash: string, options: FetchOptions = {}): Promise<Uint8Array> {
  const answer = await connection.open({ ...options, method: "get", route: "/v1/blobs/{hash}", path: { hash } });
  return answer.bytes(options.bytesMax ?? BYTES_MAX, IDLE_MS);
}

/** What a run wrote, in memory. */
export async function content(connection: Connection, view: ContentView, options: FetchOptions = {}): Promise<Uint8Array> {
  if (view.text !== undefined && view.text !== null) return new TextEncoder().encode(view.text);
  if (view.hex !== undefined && view.hex !== null) return bytesOfHex(view.hex);
  const bytesMax = options.bytesMax ?? BYTES_MAX;
  if (view.size_bytes > bytesMax) throw tooLarge("what a run wrote", bytesMax, "read it with blobPieces");
  const bytes = await blob(connection, view.hash, options);
  if (bytes.length !== view.size_bytes) throw badAnswer("a blob has another size than its run says");
  return bytes;
}

function bytesOfHex(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw badAnswer("it holds wrong hex");
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}
