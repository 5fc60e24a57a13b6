// What only programs on a machine of their own can do: find the node there, and read files.

import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Client } from "./client.js";
import type { CallOptions } from "./connection.js";
import { badAnswer, OpenSkyError } from "./error.js";
import type { BlobRef } from "./types.js";

/** Where a running node says of itself where its API is, and what its token is. */
const NODE_FILE = "run/node.json";
const TOKEN_FILE = "run/api.token";

/** An environment variable that is set to something. */
const set = (name: string) => process.env[name] || undefined;

/** The data folder used when none is named: `$OPENSKY_DATA_DIR`, else `$XDG_DATA_HOME/opensky`, else `~/.local/share/opensky`. */
export function dataDirDefault(): string {
  const data = set("XDG_DATA_HOME");
  return set("OPENSKY_DATA_DIR") ?? (data ? join(data, "opensky") : join(homedir(), ".local/share/opensky"));
}

/**
 * A client of the node with this data folder. Without one, by the environment: `OPENSKY_API_ADDRESS` with
 * `OPENSKY_API_TOKEN`, else the default data folder.
 */
export async function connect(dataDir?: string): Promise<Client> {
  const address = set("OPENSKY_API_ADDRESS");
  const token = set("OPENSKY_API_TOKEN");
  if (dataDir === undefined && address && token) return new Client({ address, token });
  const folder = dataDir ?? dataDirDefault();
  const [running, secret] = await Promise.all([read(folder, NODE_FILE), read(folder, TOKEN_FILE)]);
  return new Client({ address: addressIn(running), token: secret });
}

async function read(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    const detail = `no node is running for ${folder}`;
    throw new OpenSkyError({ status: 0, code: "not-running", detail, next: "start one with `opensky up`", cause });
  }
}

function addressIn(running: string): string {
  try {
    const { api } = JSON.parse(running) as { api?: unknown };
    if (typeof api === "string") return api;
  } catch {
    // Told below like any other content that is not expected.
  }
  throw badAnswer(`${NODE_FILE} does not say where the API is`);
}

/** Uploads a file of any size without holding it in memory. */
export const uploadFile = (client: Client, path: string, options?: CallOptions): Promise<BlobRef> =>
  client.upload(createReadStream(path), options);
