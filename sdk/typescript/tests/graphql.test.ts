// GraphQL of a real node, whose binary OPENSKY_BIN names, by the audits of the library graphql-http: what the
// draft "GraphQL over HTTP" says a server must and should do.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { after, before, describe } from "node:test";
import { auditServer } from "graphql-http";
import { BINARY, Node } from "./node.js";

const skip = BINARY ? false : "OPENSKY_BIN names no binary";

describe("GraphQL of a real node", { skip }, () => {
  let node: Node;
  let url: string;
  let authorization: string;
  before(async () => {
    ({ node } = await Node.start());
    const read = (name: string) => readFile(join(node.folder, "run", name), "utf8");
    url = `http://${(JSON.parse(await read("node.json")) as { api: string }).api}/v1/graphql`;
    authorization = `Bearer ${(await read("api.token")).trim()}`;
  });
  after(() => node?.stop());

  test("passes every audit", async () => {
    const fetchFn = (to: string, init: RequestInit = {}) =>
      fetch(to, { ...init, headers: { ...(init.headers as Record<string, string>), authorization } });
    const results = await auditServer({ url, fetchFn });
    const failed = results.filter(({ status }) => status !== "ok");
    assert.ok(results.length > 50, `${results.length} audits`);
    assert.deepEqual(
      failed.map((result) => `${result.id} ${result.name}: ${"reason" in result ? result.reason : ""}`),
      [],
    );
  });

  test("describes itself", async () => {
    const query = "{ __schema { queryType { name } subscriptionType { fields { name } } } }";
    const headers = { authorization, "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query }) });
    const { data } = (await answer.json()) as { data: { __schema: { subscriptionType: { fields: { name: string }[] } } } };
    assert.deepEqual(data.__schema.subscriptionType.fields.map(({ name }) => name).sort(), ["jobEvents", "ledgerEvents"]);
  });
});
