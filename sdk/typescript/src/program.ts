// One program, run somewhere on the sky, in one call.

import type { Connection, OnceOptions } from "./connection.js";
import { type Content, upload } from "./content.js";
import { OpenSkyError } from "./error.js";
import { jobFailed, results, submit, wait } from "./jobs.js";
import type { ConstraintsView, JobRequest, RunView, TaskLimitsView, VerifyView } from "./types.js";

/** How long cancelling a job that nobody waits for any more may take. */
const CANCEL_MS = 5_000;

export interface ProgramOptions extends OnceOptions {
  args?: string[];
  env?: Record<string, string>;
  stdin?: Content;
  /** The job's name, for people. */
  name?: string;
  limits?: TaskLimitsView;
  constraints?: ConstraintsView;
  verify?: VerifyView;
  /** How long to wait for a node that fits, in milliseconds; 10 minutes if absent. */
  waitMs?: number;
  /** Most that it may cost, in a sky with prices, in micros. */
  budgetMicros?: number;
}

export interface ProgramResult {
  exitCode: number;
  stdout: Uint8Array;
  stderr: Uint8Array;
  /** Which node ran it, what it used, its files and its receipt. */
  run: RunView;
  job: string;
}

/** Runs a WASI program; its exit code is a result like any other. Aborted meanwhile, the job is cancelled. */
export async function runProgram(connection: Connection, wasm: Content, options: ProgramOptions = {}): Promise<ProgramResult> {
  const { signal, timeoutMs, idempotencyKey } = options;
  const call = { signal, timeoutMs };
  const request = await jobOf(connection, wasm, options);
  const { job } = await submit(connection, request, { ...call, idempotencyKey });
  const ended = await wait(connection, job, call).catch(async (error: unknown) => {
    await cancelled(connection, job);
    throw error;
  });
  if (ended.state !== "succeeded") throw jobFailed(ended);
  const [result] = await results(connection, job, call);
  if (result === undefined || typeof result.run.exit_code !== "number") {
    throw new OpenSkyError({ status: 0, code: "bad-answer", detail: `the job ${job} has no result` });
  }
  return { ...result, exitCode: result.run.exit_code, job };
}

async function jobOf(connection: Connection, wasm: Content, options: ProgramOptions): Promise<JobRequest> {
  const { args = [], env = {}, limits, constraints, verify, signal } = options;
  const program = await upload(connection, wasm, { signal });
  const stdin = options.stdin === undefined ? undefined : await upload(connection, options.stdin, { signal });
  return {
    name: options.name ?? "program",
    wait_ms: options.waitMs,
    budget_micros: options.budgetMicros,
    stages: [
      {
        name: "program",
        program: { ...program, level: "vm", args, env: Object.entries(env) },
        inputs: { kind: "one", stdin },
        limits,
        constraints,
        verify,
        accept_any_exit: true,
      },
    ],
  };
}

/** Nobody else knows the job, so nobody else would end it. */
async function cancelled(connection: Connection, job: string): Promise<void> {
  const call = { method: "post", route: "/v1/jobs/{job}/cancel", path: { job }, timeoutMs: CANCEL_MS };
  await connection.ask(call).catch(() => undefined);
}
