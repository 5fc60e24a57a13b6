import assert from "node:assert/strict";
import test from "node:test";
import type { JobRequest } from "../src/index.js";
import { all, type Asked, fake, json, problem, text } from "./fake.js";

const JOB = "0123456789abcdef";
const ENDED = 'data: {"event":"job","state":"succeeded","at":5,"reason":""}\n\n';

/** A run of task `STAGE.INDEX` that wrote its own name, too long to come along if `isLarge`. */
function run(task: string, isLarge = false) {
  const written = { hash: task, size_bytes: 3 };
  const nothing = { hash: "", size_bytes: 0, text: "" };
  return { task, exit_code: 4, stdout: isLarge ? written : { ...written, text: task }, stderr: nothing, files: [] };
}

function jobOf(inputs: JobRequest["stages"][number]["inputs"]): JobRequest {
  return { name: "x", stages: [{ name: "s", program: { hash: "p", size_bytes: 1 }, inputs }] };
}

test("results come in order of task, over all pages, with what is not in the run fetched", async (t) => {
  const { client, asked } = await fake(t, ({ url }, answer) => {
    if (url.startsWith("/v1/blobs/")) return void answer.end(url.slice(-3));
    if (!url.includes("/runs")) return json(answer, { stages: [{ is_last: false }, { is_last: true }] });
    if (url.includes("after=more")) return json(answer, { runs: [run("1.0"), run("1.2", true)] });
    json(answer, { runs: [run("1.3"), run("1.1", true)], next: "more" });
  });
  const found = await client.results(JOB);
  assert.deepEqual(found.map(({ stdout }) => text(stdout)), ["1.0", "1.1", "1.2", "1.3"]);
  assert.equal(asked[1]?.url, `/v1/jobs/${JOB}/runs?state=accepted&stage=1&limit=1000`);
  await assert.rejects(client.results(JOB, { stage: 1, bytesMax: 4 * (512 + 3) - 1 }), { code: "too-large" });
});

test("long lists go up before their job", async (t) => {
  const { client, asked } = await fake(t, ({ url, body }, answer) => {
    json(answer, url === "/v1/blobs" ? { hash: "list", size_bytes: body.length } : { job: JOB, tasks: 1 });
  });
  const cuts = Array.from({ length: 1_001 }, (_, at) => at);
  const job = jobOf({ kind: "slices", blob: { hash: "b", size_bytes: 1_000 }, cuts });
  await client.submit(job);
  const [list, sent] = asked.map(({ body }) => JSON.parse(body.toString())) as [unknown, JobRequest];
  assert.deepEqual(list, cuts);
  const { inputs } = sent.stages[0]!;
  assert.deepEqual(inputs, { ...job.stages[0]!.inputs, cuts: { hash: "list", size_bytes: asked[0]!.body.length } });
  await client.submit(jobOf({ kind: "blobs", blobs: [] }));
  assert.equal(asked.length, 3, "a short list is in the job");
});

/** A node on which every program exits with 4, unless `state` says that its job went otherwise. */
const running = (state: string) => ({ method, url, body }: Asked, answer: Parameters<typeof json>[0]) => {
  if (url === "/v1/blobs") return json(answer, { hash: "b", size_bytes: body.length });
  if (method === "POST") return json(answer, { job: JOB, tasks: 1 });
  if (url.endsWith("/events")) return void answer.end(ENDED.replace("succeeded", state));
  if (url.includes("/runs")) return json(answer, { runs: [run("0.0")] });
  json(answer, { job: JOB, state, reason: "so it went", stages: [{ is_last: true }] });
};

test("a program is run in one call", async (t) => {
  const { client, asked } = await fake(t, running("succeeded"));
  const options = { args: ["a"], env: { B: "c" }, stdin: "in", limits: { wall_ms: 5 }, idempotencyKey: "mine" };
  const { exitCode, stdout, stderr, job } = await client.runProgram(new Uint8Array([0]), options);
  assert.deepEqual([exitCode, text(stdout), stderr.length, job], [4, "0.0", 0, JOB]);
  const submitted = asked.find(({ url }) => url === "/v1/jobs")!;
  assert.equal(submitted.headers["idempotency-key"], "mine");
  const [stage] = (JSON.parse(submitted.body.toString()) as JobRequest).stages;
  assert.deepEqual(stage?.program, { hash: "b", size_bytes: 1, level: "vm", args: ["a"], env: [["B", "c"]] });
  assert.deepEqual(stage?.inputs, { kind: "one", stdin: { hash: "b", size_bytes: 2 } });
  assert.deepEqual([stage?.limits, stage?.accept_any_exit], [{ wall_ms: 5 }, true]);
});

test("a program whose job fails is an error that says why", async (t) => {
  const { client } = await fake(t, running("failed"));
  await assert.rejects(client.runProgram("wasm"), {
    code: "job-failed",
    detail: `the job ${JOB} is failed: so it went`,
    next: `opensky why ${JOB}`,
  });
});

test("a program that nobody waits for any more is cancelled", async (t) => {
  const leave = new AbortController();
  const { client, asked } = await fake(t, (seen, answer) => {
    if (!seen.url.endsWith("/events")) return running("running")(seen, answer);
    answer.write(": still there\n");
    leave.abort();
  });
  await assert.rejects(client.runProgram("wasm", { signal: leave.signal }), { name: "AbortError" });
  assert.equal(asked.at(-1)?.url, `/v1/jobs/${JOB}/cancel`);
});

test("runs are listed as they are asked for", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => json(answer, { runs: [run("0.1")] }));
  const [only] = await all(client.runs(JOB, { task: "0.1", state: "failed" }));
  assert.equal(only?.task, "0.1");
  assert.equal(asked[0]?.url, `/v1/jobs/${JOB}/runs?state=failed&task=0.1&limit=1000`);
});

test("a job that is refused is the node's problem", async (t) => {
  const { client } = await fake(t, (_, answer) => problem(answer, 422, "invalid-job"));
  await assert.rejects(client.submit({ name: "x", stages: [] }), { status: 422, code: "invalid-job" });
});
