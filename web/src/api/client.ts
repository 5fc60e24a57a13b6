// The one place that speaks HTTP.

import type { BlobRef, Problem } from "./types";

/** An answer of 400 or more, or none at all (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly next?: string,
  ) {
    super(detail);
  }
}

type Listener = () => void;
const loggedOut = new Set<Listener>();

/** Calls `listener` whenever the node says that this browser has no session. */
export function onLoggedOut(listener: Listener): () => void {
  loggedOut.add(listener);
  return () => loggedOut.delete(listener);
}

export interface Call {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: Blob;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** One request; the answer if it is not a problem. */
export async function send(path: string, call: Call = {}): Promise<Response> {
  const headers: Record<string, string> = { "x-opensky-csrf": "1", ...call.headers };
  if (call.json !== undefined) headers["content-type"] = "application/json";
  const body = call.json === undefined ? call.body : JSON.stringify(call.json);
  let answer: Response;
  try {
    answer = await fetch(path, { method: call.method ?? "GET", headers, body, signal: call.signal ?? null });
  } catch (error) {
    if (call.signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", "It may have been stopped.", "opensky status");
  }
  if (answer.ok) return answer;
  if (answer.status === 401) for (const listener of loggedOut) listener();
  throw await problemOf(answer);
}

async function problemOf(answer: Response): Promise<ApiError> {
  try {
    const problem = (await answer.json()) as Problem;
    return new ApiError(answer.status, problem.code, problem.detail, problem.next);
  } catch {
    return new ApiError(answer.status, "unknown", `The node answered with status ${answer.status}.`);
  }
}

/** One request whose answer is JSON. */
export async function ask<T>(path: string, call: Call = {}): Promise<T> {
  const answer = await send(path, call);
  return (await answer.json()) as T;
}

/** Puts a file on the node; it is named by hash from then on. */
export const upload = (body: Blob) => ask<BlobRef>("/v1/blobs", { method: "POST", body });

/** A query string of the fields that are set. */
export function query(fields: Record<string, string | number | boolean | undefined>): string {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return set.length === 0 ? "" : `?${new URLSearchParams(set.map(([name, value]) => [name, String(value)]))}`;
}
