// Jobs: submit, wait, fetch.

import type { CallOptions, Connection, OnceOptions, Query } from "./connection.js";
import { BYTES_MAX, content, type FetchOptions, upload } from "./content.js";
import { OpenSkyError, tooLarge } from "./error.js";
import { isFinal, watch } from "./events.js";
import type { BlobRef, ContentView, JobDetail, JobRequest, RunView, Runs, StreamView, Submitted, VerdictView } from "./types.js";

/** Lists longer than this travel as blobs beside the job. */
const INLINE_LIST_LENGTH_MAX = 1_000;
/** Runs asked for at a time. */
const PAGE_LENGTH = 1_000;
/** Outputs fetched at a time. */
const FETCHES_MAX = 8;
/** What a run counts for beside its outputs, so that a list of empty ones has an end too. */
const RUN_BYTES = 512;

/** Submits a job whose content is uploaded already. Long lists are uploaded on the way. */
export async function submit(connection: Connection, job: JobRequest, options: OnceOptions = {}): Promise<Submitted> {
  const json = await withoutLongLists(connection, job, options);
  return connection.ask({ ...options, method: "post", route: "/v1/jobs", json });
}

async function withoutLongLists(connection: Connection, job: JobRequest, { signal }: CallOptions): Promise<JobRequest> {
  const shorten = async <T>(list: T[] | BlobRef): Promise<T[] | BlobRef> => {
    if (!Array.isArray(list) || list.length <= INLINE_LIST_LENGTH_MAX) return list;
    return upload(connection, JSON.stringify(list), signal ? { signal } : {});
  };
  const stages: JobRequest["stages"] = [];
  for (const stage of job.stages) {
    let { inputs } = stage;
    if (inputs.kind === "blobs") inputs = { ...inputs, blobs: await shorten(inputs.blobs) };
    if (inputs.kind === "slices") inputs = { ...inputs, cuts: await shorten(inputs.cuts) };
    stages.push({ ...stage, inputs });
  }
  return { ...job, stages };
}

/** A job in full. */
export const detail = (connection: Connection, job: string, options: CallOptions = {}) =>
  connection.ask<JobDetail>({ ...options, method: "get", route: "/v1/jobs/{job}", path: { job } });

/** Waits for a job's end, however it ends. */
export async function wait(connection: Connection, job: string, options: CallOptions = {}): Promise<JobDetail> {
  for await (const event of watch(connection, job, options)) {
    if (event.event === "job" && isFinal(event.state)) break;
  }
  return detail(connection, job, options);
}

export interface RunsFilter extends CallOptions {
  /** Only runs judged so. */
  state?: VerdictView;
  /** Only runs of tasks of this stage, by position. */
  stage?: number;
  /** Only runs of this task: `STAGE.INDEX`. */
  task?: string;
}

/** Runs of a job in the order they were judged, a page at a time. */
export async function* runs(connection: Connection, job: string, filter: RunsFilter = {}): AsyncGenerator<RunView, void, void> {
  const { state, stage, task, ...options } = filter;
  const query: Query = { state, stage, task, limit: PAGE_LENGTH };
  do {
    const call = { ...options, method: "get", route: "/v1/jobs/{job}/runs", path: { job }, query };
    const page: Runs = await connection.ask(call);
    yield* page.runs;
    query.after = page.next;
  } while (query.after !== undefined && query.after !== null);
}

/** The accepted run of one task with what it wrote. Its files are read with `content`. */
export interface Result {
  run: RunView;
  stdout: Uint8Array;
  stderr: Uint8Array;
}

export interface ResultsOptions extends FetchOptions {
  /** Of this stage, by position; of the last stages if absent. */
  stage?: number;
}

/** The accepted results of a job's last stages, or of one stage, in order of task. */
export async function results(connection: Connection, job: string, options: ResultsOptions = {}): Promise<Result[]> {
  const { stage, bytesMax = BYTES_MAX, ...call } = options;
  const wanted = stage === undefined ? await lastStages(connection, job, call) : [stage];
  const found: RunView[] = [];
  let size = 0;
  for (const stage of wanted) {
    for await (const run of runs(connection, job, { ...call, stage, state: "accepted" })) {
      size += RUN_BYTES + weight(run.stdout) + weight(run.stderr);
      if (size > bytesMax) throw tooLarge("all results together", bytesMax, "read them one by one: runs and content");
      found.push(run);
    }
  }
  found.sort((a, b) => stageOf(a) - stageOf(b) || indexOf(a) - indexOf(b));
  return inOrder(found, async (run) => {
    const [stdout, stderr] = await Promise.all([
      content(connection, run.stdout, { ...call, bytesMax }),
      content(connection, run.stderr, { ...call, bytesMax }),
    ]);
    return { run, stdout, stderr };
  });
}

/** The size of what a run wrote, or of what came along if that is more than was said. */
const weight = ({ size_bytes, text, hex }: ContentView) => Math.max(size_bytes, text?.length ?? 0, hex?.length ?? 0);

async function lastStages(connection: Connection, job: string, options: CallOptions): Promise<number[]> {
  const { stages } = await detail(connection, job, options);
  return stages.flatMap((stage, position) => (stage.is_last ? [position] : []));
}

const stageOf = ({ task }: RunView) => Number(task.split(".")[0]);
const indexOf = ({ task }: RunView) => Number(task.split(".")[1]);

/** Does `work` for each, a few at a time; what came out, in the same order. */
async function inOrder<T, U>(items: T[], work: (item: T) => Promise<U>): Promise<U[]> {
  const done: U[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) done[at] = await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: FETCHES_MAX }, worker));
  return done;
}

export interface LogOptions extends CallOptions {
  /** Which output; `stdout` if absent. */
  stream?: StreamView;
  /** Whether to stay until the task ends. */
  follow?: boolean;
}

/** What a task writes, as it comes. */
export async function* taskLog(connection: Connection, job: string, task: string, options: LogOptions = {}): AsyncGenerator<Uint8Array, void, void> {
  const { stream, follow, ...call } = options;
  const route = "/v1/jobs/{job}/tasks/{task}/log";
  const answer = await connection.open({ ...call, method: "get", route, path: { job, task }, query: { stream, follow } });
  // A task may be silent for as long as it runs.
  yield* answer.pieces(Number.POSITIVE_INFINITY);
}

/** An error for a job that did not succeed. */
export function jobFailed({ job, state, reason }: Pick<JobDetail, "job" | "state" | "reason">): OpenSkyError {
  const why = reason === "" ? "" : `: ${reason}`;
  const next = `opensky why ${job}`;
  return new OpenSkyError({ status: 0, code: "job-failed", detail: `the job ${job} is ${state}${why}`, next });
}
