// Counts the words of a text on the sky: one task per line, whose counts one more task merges.
//
// Usage: node examples/word-count.mjs wordcount.wasm TEXT. The program is in examples/programs of the repository.

import { readFile } from "node:fs/promises";
import { connect, uploadFile } from "@opensky/client/node";

const [program, path] = process.argv.slice(2);
if (program === undefined || path === undefined) {
  throw new Error("usage: node examples/word-count.mjs wordcount.wasm TEXT");
}

/** Where lines begin, and where the last one ends. */
const cutsOf = (/** @type {Uint8Array} */ bytes) => {
  const cuts = [0];
  for (let at = bytes.indexOf(10); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(10, at + 1)) cuts.push(at + 1);
  return [...cuts, bytes.length];
};

const client = await connect();
const text = await readFile(path);
const wordcount = await uploadFile(client, program);
const { job } = await client.submit({
  name: "word count",
  stages: [
    {
      name: "count",
      program: { ...wordcount, args: ["map"] },
      inputs: { kind: "slices", blob: await client.upload(text), cuts: cutsOf(text) },
    },
    {
      name: "total",
      program: { ...wordcount, args: ["reduce"] },
      inputs: { kind: "reduce", stage: 0, fan_in: 1024 },
    },
  ],
});

for await (const event of client.watch(job)) {
  if (event.event === "progress") console.error(event.stages.map(({ done }) => `${done} done`).join(", "));
  if (event.event === "job") console.error(`${event.state} ${event.reason}`);
}
for (const { stdout } of await client.results(job)) process.stdout.write(stdout);
