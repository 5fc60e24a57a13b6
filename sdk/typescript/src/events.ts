// A job's events, over as many connections as it takes.

import type { CallOptions, Connection } from "./connection.js";
import { OpenSkyError } from "./error.js";
import { pause } from "./exchange.js";
import { parsed } from "./lines.js";
import { EventParser, type SentEvent } from "./sse.js";
import type { JobEvent, StateView } from "./types.js";

/** Connections in a row that may bring nothing before it is an error. */
const FRUITLESS_MAX = 5;
/** Pause before a connection is made again; doubles with each that brought nothing. */
const PAUSE_MS = 200;
/** A node that has nothing to tell says so every 15 seconds; one that is silent for longer is not there. */
const IDLE_MS = 60_000;

/** Whether a job in this state stays in it. */
export const isFinal = (state: StateView): boolean => state !== "waiting" && state !== "running";

/** What happens to a job until its end. A connection that breaks is made again, after the last event seen. */
export async function* watch(connection: Connection, job: string, options: CallOptions = {}): AsyncGenerator<JobEvent, void, void> {
  let last: string | undefined;
  let fruitless = 0;
  for (;;) {
    fruitless += 1;
    try {
      for await (const event of follow(connection, job, last, options)) {
        const happened = parsed<JobEvent>(event.data);
        last = event.id ?? last;
        fruitless = 0;
        yield happened;
        if (happened.event === "job" && isFinal(happened.state)) return;
      }
    } catch (error) {
      if (!isPassing(error) || fruitless > FRUITLESS_MAX) throw error;
    }
    if (fruitless > FRUITLESS_MAX) {
      throw new OpenSkyError({ status: 0, code: "broken-off", detail: "the job's events end before the job does" });
    }
    await pause(PAUSE_MS * 2 ** Math.max(fruitless - 1, 0), options.signal);
  }
}

/** The events of one connection. */
async function* follow(connection: Connection, job: string, last: string | undefined, options: CallOptions): AsyncGenerator<SentEvent, void, void> {
  const route = "/v1/jobs/{job}/events";
  const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": last };
  const answer = await connection.open({ ...options, method: "get", route, path: { job }, headers });
  const parser = new EventParser();
  for await (const piece of answer.pieces(IDLE_MS)) yield* parser.push(piece);
}

/** Whether a later connection may bring what this one did not: the node is starting again, say. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof OpenSkyError)) return false;
  const { status, code } = error;
  return code === "shutting-down" || (status === 0 && ["unreachable", "broken-off", "timed-out"].includes(code));
}
