// Run jobs and services on a sky, through the local node.
//
// What it is: a client of the node's local API (docs/api.md), for browsers, Node and whatever else has `fetch`.
// What it never does: talk to other nodes, hold keys of nodes, or decide anything about a job. Start at `Client`;
// on the machine of a node, at `connect` of `@opensky/client/node`.

export { Client } from "./client.js";
export type { CallOptions, ConnectionOptions, OnceOptions } from "./connection.js";
export type { Content, FetchOptions } from "./content.js";
export { type ClientCode, OpenSkyError } from "./error.js";
export { isFinal } from "./events.js";
export type { LogOptions, Result, ResultsOptions, RunsFilter } from "./jobs.js";
export type { AnswerOf, ArgumentsOf, Method, PathOf } from "./paths.js";
export type { ProgramOptions, ProgramResult } from "./program.js";
export type { ServiceClient, ServiceLogOptions, ServiceLogPart } from "./services.js";
export type * from "./types.js";
