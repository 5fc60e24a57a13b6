// One request and its answer under one controller: the caller's signal and the time limit both end it.

import { OpenSkyError } from "./error.js";

/** The longest that a timer takes; what is beyond it means: for ever. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class Exchange {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasExpired = false;

  constructor(outer?: AbortSignal) {
    outer?.throwIfAborted();
    this.#outer = outer;
    outer?.addEventListener("abort", this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #abort = () => this.#controller.abort(this.#outer?.reason);

  /** From now on there is so much time, whatever there was before. */
  allow(timeMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (timeMs === undefined || timeMs > TIMER_MS_MAX) return;
    this.#timer = setTimeout(() => {
      this.#hasExpired = true;
      this.#controller.abort();
    }, timeMs);
  }

  /** Lets go of timer and signal, and of the connection if it is still open. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#abort);
    this.#controller.abort();
  }

  /** What to throw where the platform threw `cause`. */
  failure(code: "unreachable" | "broken-off", detail: string, cause: unknown): unknown {
    if (this.#outer?.aborted) return this.#outer.reason;
    if (this.#hasExpired) {
      return new OpenSkyError({ status: 0, code: "timed-out", detail: "the node did not answer in time" });
    }
    return new OpenSkyError({ status: 0, code, detail, cause });
  }
}

/** Waits, unless `signal` ends it. */
export function pause(timeMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, timeMs);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
