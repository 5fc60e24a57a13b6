// Runs a WASI program somewhere on the sky, as if it ran here.
//
// Usage: node examples/hello.mjs PROGRAM.wasm [ARGUMENT…]. A node must be running (`opensky up`).

import { readFile } from "node:fs/promises";
import { connect } from "@opensky/client/node";

const [path, ...args] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: node examples/hello.mjs PROGRAM.wasm [ARGUMENT…]");

const client = await connect();
const { exitCode, stdout, stderr, run } = await client.runProgram(await readFile(path), { args });
process.stdout.write(stdout);
process.stderr.write(stderr);
console.error(`ran on ${run.node}`);
process.exitCode = exitCode;
