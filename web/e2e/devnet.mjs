// A sky of three real nodes in a folder of its own.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Runs a command that has nothing to read: a program that waits for its input would wait for ever. */
function run(...call) {
  const running = execute(...call);
  running.child.stdin?.end();
  return running;
}
export const ROOT = path.resolve(import.meta.dirname, "../..");
const NODES = 3;

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? path.join(ROOT, "target");
  const found = process.env.OPENSKY_BIN ?? path.join(target, "debug/opensky");
  if (!existsSync(found)) throw new Error(`there is no ${found}; build it, or name one in OPENSKY_BIN`);
  return found;
}

/** A folder that is home to all that runs in it, and the commands there. */
async function home() {
  const folder = await mkdtemp(path.join(tmpdir(), "opensky-web-"));
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder };
  const opensky = (...args) => run(binary(), args, { env, cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  return { folder, opensky, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A node that founds a sky of its own, as on the first day. */
export async function startLoneNode() {
  const { folder, opensky, remove } = await home();
  const on = (...args) => opensky("--data-dir", path.join(folder, "lone"), ...args);
  await on("up", "--detach", "--unencrypted-key", "--listen", "0", "--loopback-only", "--mdns", "false");
  const link = (await on("dashboard", "--no-open")).stdout.trim();
  return {
    link,
    url: (page) => new URL(page, link).href,
    on,
    stop: async () => {
      await on("down");
      await remove();
    },
  };
}

/** Starts it; `stop` ends it and removes its folder. */
export async function startDevnet() {
  const { folder, opensky, remove } = await home();
  const net = path.join(folder, "net");
  const on = (node, ...args) => opensky("--data-dir", path.join(net, node), ...args);
  await opensky("devnet", String(NODES), "--economy", "paid", "--detach", "--dir", net);
  const api = async () => {
    const read = (name) => readFile(path.join(net, "node1/run", name), "utf8");
    return { address: JSON.parse(await read("node.json")).api, token: (await read("api.token")).trim() };
  };
  return {
    on,
    example: (name) => path.join(ROOT, "examples", name),
    link: async () => (await on("node1", "dashboard", "--no-open")).stdout.trim(),
    nodeId: async (node) => JSON.parse((await on(node, "status", "--json")).stdout).node,
    api,
    ask: async (route, call = {}) => {
      const { address, token } = await api();
      const answer = await fetch(`http://${address}${route}`, { ...call, headers: { authorization: `Bearer ${token}` } });
      if (!answer.ok) throw new Error(`${route} answered ${answer.status}`);
      return answer.json();
    },
    stop: async () => {
      await opensky("devnet", "down", "--dir", net);
      await remove();
    },
  };
}
