import assert from "node:assert/strict";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import test, { beforeEach } from "node:test";
import { connect, dataDirDefault } from "../src/node.js";

const VARIABLES = ["OPENSKY_DATA_DIR", "XDG_DATA_HOME", "OPENSKY_API_ADDRESS", "OPENSKY_API_TOKEN"];

beforeEach(() => {
  for (const name of VARIABLES) delete process.env[name];
});

async function folderOf(running: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "opensky-"));
  await mkdir(join(folder, "run"));
  await writeFile(join(folder, "run/node.json"), running);
  await writeFile(join(folder, "run/api.token"), "secret\n");
  return folder;
}

test("the data folder is found as the commands find it", () => {
  assert.equal(dataDirDefault(), join(homedir(), ".local/share/opensky"));
  process.env.XDG_DATA_HOME = "/data";
  assert.equal(dataDirDefault(), "/data/opensky");
  process.env.OPENSKY_DATA_DIR = "/mine";
  assert.equal(dataDirDefault(), "/mine");
});

test("a node is found by its folder, and by the environment", async () => {
  const folder = await folderOf('{"pid": 1, "api": "127.0.0.1:4720"}');
  assert.equal((await connect(folder)).address, "http://127.0.0.1:4720");
  process.env.OPENSKY_DATA_DIR = folder;
  assert.equal((await connect()).address, "http://127.0.0.1:4720");
  process.env.OPENSKY_API_ADDRESS = "127.0.0.1:9";
  assert.equal((await connect()).address, "http://127.0.0.1:4720", "an address without a token is of no use");
  process.env.OPENSKY_API_TOKEN = "key";
  assert.equal((await connect()).address, "http://127.0.0.1:9");
  assert.equal((await connect(folder)).address, "http://127.0.0.1:4720", "a folder that is named counts");
});

test("without a node the error says so", async () => {
  await assert.rejects(connect("/nowhere"), { code: "not-running", next: "start one with `opensky up`" });
  for (const running of ["", "{}", "[]", "null", '{"api": 1}']) {
    await assert.rejects(connect(await folderOf(running)), { code: "bad-answer" });
  }
});
