import { expect, test } from "vitest";
import { auditOf, noneWords, parseAudit } from "../src/lib/audit";

const LOG = `2026-11-26T16:00:00.000001Z  INFO opensky_node: started node="x"
2026-11-26T16:00:01.000000Z  INFO audit: request caller=token method=POST path="/v1/keys" status=201
2026-11-26T16:00:01.500000Z  INFO audit: an API key was made name="reader" role=viewer
2026-11-26T16:00:02.000000Z  INFO audit: request caller=session of key reader method=POST path="/v1/blobs" status=403
2026-11-26T16:00:03.000000Z  INFO audit: request whose caller went away caller=session method=DELETE path=/v1/jobs/1
not a line`;

test("who did what is read from the log, the newest first", () => {
  expect(auditOf(LOG)).toEqual([
    { line: 4, at: Date.parse("2026-11-26T16:00:03Z"), caller: "session", what: "DELETE /v1/jobs/1" },
    { line: 3, at: Date.parse("2026-11-26T16:00:02Z"), caller: "session of key reader", what: "POST /v1/blobs", status: 403 },
    { line: 2, at: Date.parse("2026-11-26T16:00:01.5Z"), what: 'an API key was made name="reader" role=viewer' },
    { line: 1, at: Date.parse("2026-11-26T16:00:01Z"), caller: "token", what: "POST /v1/keys", status: 201 },
  ]);
});

test("what only looks like a line of the audit log is none", () => {
  for (const line of ["", "audit: request", "yesterday INFO audit: x", "2026-11-26T16:00:00Z WARN node: about audit: x"]) {
    expect(parseAudit(line), line).toBeUndefined();
  }
});

test("where no change is shown it is said why", () => {
  expect(noneWords("", { read: 0, all: 0 }).title).toBe("Nothing of the log came yet");
  for (const find of ["", "ci"]) expect(noneWords(find, { read: 900, all: 0 }).title).toBe("No change in the newest part of the log");
  expect(noneWords("ci\u202e", { read: 900, all: 1 }).text).toBe("None of 1 change has “ci” in who or what.");
});
