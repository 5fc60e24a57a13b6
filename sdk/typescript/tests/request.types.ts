// What `Client.request` takes and gives, as the compiler sees it; nothing here runs.

import type { Client, JobDetail, ServiceView, Submitted, Wallet } from "../src/index.js";

export async function known(client: Client): Promise<[Wallet, JobDetail, Submitted, ServiceView, void]> {
  return [
    await client.request("get", "/v1/wallet"),
    await client.request("get", "/v1/jobs/{job}", { path: { job: "" } }),
    await client.request("post", "/v1/jobs", { body: { name: "", stages: [] }, idempotencyKey: "" }),
    await client.request("post", "/v1/services/{service}/scale", { path: { service: "" }, body: { replicas: 1 } }),
    await client.request("delete", "/v1/jobs/{job}", { path: { job: "" } }),
  ];
}

export async function refused(client: Client): Promise<void> {
  // @ts-expect-error: there is no such route.
  await client.request("get", "/v1/nothing");
  // @ts-expect-error: the route has no such method.
  await client.request("put", "/v1/jobs", {});
  // @ts-expect-error: its path needs a job.
  await client.request("get", "/v1/jobs/{job}");
  // @ts-expect-error: it takes a job.
  await client.request("post", "/v1/jobs", { body: { name: "" } });
  // @ts-expect-error: the answer is a stream; `watch` reads it.
  await client.request("get", "/v1/jobs/{job}/events", { path: { job: "" } });
  // @ts-expect-error: the answer is bytes; `blob` reads it.
  await client.request("get", "/v1/blobs/{hash}", { path: { hash: "" } });
}
