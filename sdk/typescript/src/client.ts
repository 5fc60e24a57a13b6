// The client: what a program calls.

import { type CallOptions, Connection, type ConnectionOptions, type OnceOptions, type Query } from "./connection.js";
import * as contents from "./content.js";
import { watch } from "./events.js";
import * as jobs from "./jobs.js";
import type { AnswerOf, ArgumentsOf, Method, PathOf, RestOf } from "./paths.js";
import { type ProgramOptions, type ProgramResult, runProgram } from "./program.js";
import { ServiceClient } from "./services.js";
import type { BlobRef, ContentView, JobDetail, JobEvent, JobRequest, JobSummary, RunView, Status, Submitted } from "./types.js";

/** A node's local API. Nothing is sent before the first call. */
export class Client {
  readonly #connection: Connection;
  /** Programs that stay up. */
  readonly services: ServiceClient;

  constructor(options: ConnectionOptions) {
    this.#connection = new Connection(options);
    this.services = new ServiceClient(this.#connection);
  }

  /** The API's address. */
  get address(): string {
    return this.#connection.address;
  }

  /** Any route of the document that answers JSON or nothing, with its types. */
  request<M extends Method, P extends PathOf<M>>(method: M, route: P, ...rest: RestOf<ArgumentsOf<M, P>>): Promise<AnswerOf<M, P>> {
    const { body, path, query, ...options } = (rest[0] ?? {}) as OnceOptions & {
      body?: unknown;
      path?: Record<string, string>;
      query?: Query;
    };
    return this.#connection.ask({ ...options, method, route, path, query, json: body });
  }

  /** How the node is doing. */
  status(options?: CallOptions): Promise<Status> {
    return this.request("get", "/v1/status", options);
  }

  /** Uploads content, which its hash names from then on. It stays while a job uses it. */
  upload(content: contents.Content, options?: CallOptions): Promise<BlobRef> {
    return contents.upload(this.#connection, content, options);
  }

  /** A blob in memory. */
  blob(hash: string, options?: contents.FetchOptions): Promise<Uint8Array> {
    return contents.blob(this.#connection, hash, options);
  }

  /** The bytes of a blob of any size, as they come. */
  blobPieces(hash: string, options?: CallOptions): AsyncGenerator<Uint8Array, void, void> {
    return contents.blobPieces(this.#connection, hash, options);
  }

  /** What a run wrote, in memory: an output, or one of its files. */
  content(view: ContentView, options?: contents.FetchOptions): Promise<Uint8Array> {
    return contents.content(this.#connection, view, options);
  }

  /** Submits a job whose content was uploaded before. */
  submit(job: JobRequest, options?: OnceOptions): Promise<Submitted> {
    return jobs.submit(this.#connection, job, options);
  }

  /** A job in full. */
  job(job: string, options?: CallOptions): Promise<JobDetail> {
    return jobs.detail(this.#connection, job, options);
  }

  /** Stops a job. */
  cancel(job: string, options?: CallOptions): Promise<JobSummary> {
    return this.request("post", "/v1/jobs/{job}/cancel", { ...options, path: { job } });
  }

  /** What happens to a job from now until its end. Reconnects by itself. */
  watch(job: string, options?: CallOptions): AsyncGenerator<JobEvent, void, void> {
    return watch(this.#connection, job, options);
  }

  /** Waits for a job's end, however it ends. */
  wait(job: string, options?: CallOptions): Promise<JobDetail> {
    return jobs.wait(this.#connection, job, options);
  }

  /** Runs of a job, failed ones too, in the order they were judged. */
  runs(job: string, filter?: jobs.RunsFilter): AsyncGenerator<RunView, void, void> {
    return jobs.runs(this.#connection, job, filter);
  }

  /** The accepted results of a job's last stages, or of one stage, in order of task. */
  results(job: string, options?: jobs.ResultsOptions): Promise<jobs.Result[]> {
    return jobs.results(this.#connection, job, options);
  }

  /** What a task writes; with `follow` until it ends. */
  taskLog(job: string, task: string, options?: jobs.LogOptions): AsyncGenerator<Uint8Array, void, void> {
    return jobs.taskLog(this.#connection, job, task, options);
  }

  /** Runs a WASI program somewhere on the sky, as if it ran here. */
  runProgram(wasm: contents.Content, options?: ProgramOptions): Promise<ProgramResult> {
    return runProgram(this.#connection, wasm, options);
  }
}
