// Server-sent events (WHATWG HTML, "interpreting an event stream"): bytes in, events out.

import { tooLarge } from "./error.js";
import { LINE_LENGTH_MAX, LineSplitter } from "./lines.js";

/** An id goes back in a header, so one that no header can carry is none. */
const ID = /^[\x20-\x7e]{0,256}$/;

export interface SentEvent {
  /** The last `id` seen. */
  id: string | undefined;
  /** The data lines, joined. */
  data: string;
}

/** Splits a stream of bytes into events. */
export class EventParser {
  readonly #lines = new LineSplitter();
  #id: string | undefined;
  #data: string | undefined;

  /** Takes the next piece and hands out the events that it completes. */
  push(piece: Uint8Array): SentEvent[] {
    const events: SentEvent[] = [];
    for (const line of this.#lines.push(piece)) {
      if (line !== "") {
        this.#take(line);
      } else if (this.#data !== undefined) {
        events.push({ id: this.#id, data: this.#data });
        this.#data = undefined;
      }
    }
    return events;
  }

  #take(line: string): void {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    // `event` is repeated inside the JSON; comments and `retry` are of no use here.
    if (field === "id" && ID.test(value)) this.#id = value;
    if (field === "data") this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    if ((this.#data?.length ?? 0) > LINE_LENGTH_MAX) throw tooLarge("an event", LINE_LENGTH_MAX);
  }
}
