// Bytes in, lines out.

import { badAnswer, tooLarge } from "./error.js";

/** Longest line that is kept. */
export const LINE_LENGTH_MAX = 1024 * 1024;

/** Splits a stream of bytes into lines, whatever its pieces are. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** Takes the next piece and hands out the lines that it completes. */
  push(piece: Uint8Array): string[] {
    const lines = this.#decoder.decode(piece, { stream: true }).split("\n");
    lines[0] = this.#rest + lines[0];
    if (lines.some((line) => line.length > LINE_LENGTH_MAX)) throw tooLarge("a line", LINE_LENGTH_MAX);
    this.#rest = lines.pop() ?? "";
    return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  }

  /** What came after the last line's end. */
  end(): string {
    return this.#rest + this.#decoder.decode();
  }
}

/** A value per line of JSON. */
export async function* jsonLines<T>(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<T, void, void> {
  const splitter = new LineSplitter();
  for await (const piece of pieces) {
    for (const line of splitter.push(piece)) if (line !== "") yield parsed<T>(line);
  }
  const last = splitter.end();
  if (last !== "") yield parsed<T>(last);
}

export function parsed<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw badAnswer("a part of the stream is not JSON", cause);
  }
}
