// Why a call failed.

import type { Code } from "./types.js";

/** What only the client can find; all other codes are the node's (docs/problems.md). */
export type ClientCode = "not-running" | "unreachable" | "broken-off" | "bad-answer" | "job-failed";

export interface ErrorFields {
  /** The HTTP status; 0 where no answer came. */
  status: number;
  /** What went wrong, for programs. A newer node may know further ones. */
  code: Code | ClientCode | (string & {});
  /** What happened and why, this time. */
  detail: string;
  /** What to do next, where there is something. */
  next?: string;
  cause?: unknown;
}

/** The one class of errors of this client. A call that was aborted throws its signal's reason instead. */
export class OpenSkyError extends Error {
  override readonly name = "OpenSkyError";
  readonly status: number;
  readonly code: ErrorFields["code"];
  readonly detail: string;
  readonly next: string | undefined;
  /** The key of the request that failed: asked again with it, the node does at most once what was asked. */
  idempotencyKey: string | undefined;

  constructor({ status, code, detail, next, cause }: ErrorFields) {
    super(next ? `${detail} (${next})` : detail, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.next = next;
  }
}

/** The answer is not what this version expects. */
export const badAnswer = (what: string, cause?: unknown) =>
  new OpenSkyError({ status: 0, code: "bad-answer", detail: `the node's answer cannot be read: ${what}`, cause });

/** More came than the caller is ready to hold. */
export const tooLarge = (what: string, bytesMax: number, next?: string) =>
  new OpenSkyError({ status: 0, code: "too-large", detail: `${what} is longer than ${bytesMax} bytes`, next });
