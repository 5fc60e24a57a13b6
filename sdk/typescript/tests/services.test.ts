import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import test from "node:test";
import { promisify } from "node:util";
import { all, fake, json, TOKEN } from "./fake.js";
import { file } from "./node.js";

test("services are asked for by their routes, and what starts one has a key", async (t) => {
  const { client, asked } = await fake(t, ({ method, url }, answer) => {
    if (method === "DELETE") return void answer.writeHead(204).end();
    json(answer, url === "/v1/services" && method === "GET" ? { services: [] } : { name: "web" });
  });
  const { services } = client;
  assert.deepEqual(await services.list(), []);
  await services.declare({ name: "web", image: "h", image_size_bytes: 1 });
  await services.show("web@12D3KooW");
  await services.scale("web", 3);
  await services.rollBack("web");
  await services.openPort("web", { port: 80 });
  await services.closePort("web", "127.0.0.1:8080");
  assert.equal(await services.remove("web"), undefined);
  assert.deepEqual(
    asked.map(({ method, url, headers }) => `${method} ${url}${headers["idempotency-key"] ? " once" : ""}`),
    [
      "GET /v1/services",
      "POST /v1/services once",
      "GET /v1/services/web%4012D3KooW",
      "POST /v1/services/web/scale once",
      "POST /v1/services/web/rollback once",
      "POST /v1/services/web/ports once",
      "DELETE /v1/services/web/ports?listen=127.0.0.1%3A8080",
      "DELETE /v1/services/web",
    ],
  );
  assert.equal(asked[3]?.body.toString(), '{"replicas":3}');
});

test("the log of a service comes part by part", async (t) => {
  const { client, asked } = await fake(t, (_, answer) => {
    answer.write('{"replica":"a","stream":"stdout","text":"hel');
    setTimeout(() => answer.end('lo\\n"}\n{"replica":"b","stream":"stderr","text":"oh"}\n'), 20);
  });
  const parts = await all(client.services.logs("web", { slot: 1, follow: true }));
  assert.deepEqual(parts, [
    { replica: "a", stream: "stdout", text: "hello\n" },
    { replica: "b", stream: "stderr", text: "oh" },
  ]);
  assert.equal(asked[0]?.url, "/v1/services/web/log?slot=1&follow=true");
});

test("a part of a log without an end is cut", async (t) => {
  const { client } = await fake(t, (_, answer) => void answer.end(Buffer.alloc(3 * 1024 * 1024, 120)));
  await assert.rejects(all(client.services.logs("web")), { code: "too-large" });
});

test("the example follows a service", async (t) => {
  const { address } = await fake(t, ({ url }, answer) => {
    if (!url.includes("/log")) return json(answer, { state: "healthy", replicas: [{}, {}] });
    answer.end('{"replica":"web.0","stream":"stdout","text":"hello\\n"}\n');
  });
  const env = { ...process.env, OPENSKY_API_ADDRESS: address, OPENSKY_API_TOKEN: TOKEN };
  const run = promisify(execFile)(process.execPath, [file("examples/follow-service.mjs"), "web"], { env });
  const { stdout, stderr } = await run;
  assert.deepEqual([stdout, stderr], ["web.0 | hello\n", "web is healthy, with 2 replicas\n"]);
});
