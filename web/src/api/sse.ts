// Server-sent events over fetch: the browser's own EventSource sends no headers.
// Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

import { ApiError, send } from "./client";

export interface SseEvent {
  name: string;
  data: string;
  /** The last id that came, with this event or before. */
  id: string;
}

/** Most characters of one event; longer ones are not the node's. */
const EVENT_CHARS_MAX = 8 * 1024 * 1024;

/** Takes text in pieces of any size and gives the events that are complete. */
export class SseParser {
  #rest = "";
  #name = "";
  #data: string[] = [];
  #chars = 0;
  #id = "";

  push(piece: string): SseEvent[] {
    const events: SseEvent[] = [];
    let text = this.#rest + piece;
    // A carriage return at the end may be half of a line's end.
    const held = text.endsWith("\r") ? "\r" : "";
    if (held) text = text.slice(0, -1);
    const lines = text.split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? "") + held;
    if (this.#rest.length + this.#chars > EVENT_CHARS_MAX) throw new Error("an event is too long");
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  #line(line: string): SseEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "event") this.#name = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "data") {
      this.#data.push(value);
      this.#chars += value.length;
    }
    return undefined;
  }

  #dispatch(): SseEvent | undefined {
    const event = { name: this.#name || "message", data: this.#data.join("\n"), id: this.#id };
    const isEmpty = this.#data.length === 0;
    this.#name = "";
    this.#data = [];
    this.#chars = 0;
    return isEmpty ? undefined : event;
  }
}

export interface Follow {
  signal: AbortSignal;
  onEvent: (event: SseEvent) => void;
  /** Whether the stream is open. */
  onOpen?: (open: boolean) => void;
  /** Whether nothing more will come, so that the end of a stream is no reason to open it again. */
  isOver?: () => boolean;
}

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;

/** Reads a stream of events until `signal` fires; after a drop it goes on where it was. */
export async function follow(path: string, { signal, onEvent, onOpen, isOver }: Follow): Promise<void> {
  let last = "";
  let wait = RETRY_MS_MIN;
  while (!signal.aborted && !isOver?.()) {
    try {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (last) headers["last-event-id"] = last;
      const answer = await send(path, { headers, signal });
      onOpen?.(true);
      wait = RETRY_MS_MIN;
      await readAll(answer, (event) => {
        last = event.id;
        onEvent(event);
      });
    } catch (error) {
      if (signal.aborted) return;
      // A refusal stays one; all else may pass.
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) return;
    } finally {
      onOpen?.(false);
    }
    if (signal.aborted || isOver?.()) return;
    await pause(wait, signal);
    wait = Math.min(wait * 2, RETRY_MS_MAX);
  }
}

async function readAll(answer: Response, onEvent: (event: SseEvent) => void): Promise<void> {
  if (!answer.body) return;
  const parser = new SseParser();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const event of parser.push(value)) onEvent(event);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
