// Says how a service is, then prints what its replicas write until ctrl-c.
//
// Usage: node examples/follow-service.mjs NAME

import { OpenSkyError } from "@opensky/client";
import { connect } from "@opensky/client/node";

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error("usage: node examples/follow-service.mjs NAME");

// ctrl-c ends the stream, and so the program, in order.
const leave = new AbortController();
process.once("SIGINT", () => leave.abort());

const { services } = await connect();
try {
  const { state, replicas } = await services.show(name);
  console.error(`${name} is ${state}, with ${replicas.length} replicas`);
  for await (const { replica, text } of services.logs(name, { follow: true, signal: leave.signal })) {
    process.stdout.write(`${replica} | ${text}`);
  }
} catch (error) {
  if (error instanceof OpenSkyError) console.error(`${error.code}: ${error.message}`);
  if (!leave.signal.aborted) process.exitCode = 1;
}
