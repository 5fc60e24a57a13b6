// A real node for tests, in a folder of its own.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "../src/index.js";
import { connect } from "../src/node.js";

export const BINARY = process.env.OPENSKY_BIN;
/** Tests are compiled into `out/tests`. */
export const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
export const program = (name: string) => file(`../../examples/programs/${name}.wasm`);

/** Time between two looks, and looks before a node counts as not starting: a minute, since test machines are slow. */
const LOOK_MS = 50;
const LOOKS_MAX = 1_200;

export class Node {
  readonly folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string) {
    this.folder = folder;
    const settings = ["--loopback-only", "--listen", "0", "--api", "127.0.0.1:0"];
    const args = ["up", "--unencrypted-key", "--data-dir", folder, ...settings];
    this.#process = spawn(BINARY!, args, { stdio: "ignore" });
  }

  static async start(): Promise<{ node: Node; client: Client }> {
    const node = new Node(await mkdtemp(join(tmpdir(), "opensky-")));
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const client = await connect(node.folder).catch(() => undefined);
      if (client && (await client.status().catch(() => undefined))) return { node, client };
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    await node.stop();
    throw new Error("the node does not start");
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode === null && this.#process.kill()) await ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs an example as its reader would; what it printed. */
  async example(name: string, ...args: string[]): Promise<string> {
    const env = { ...process.env, OPENSKY_DATA_DIR: this.folder };
    const { stdout } = await promisify(execFile)(process.execPath, [file(`examples/${name}.mjs`), ...args], { env });
    return stdout;
  }
}
