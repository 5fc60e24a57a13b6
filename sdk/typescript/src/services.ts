// Services: programs that stay up.

import type { CallOptions, Connection, OnceOptions, Query } from "./connection.js";
import { jsonLines } from "./lines.js";
import type { OpenPortRequest, OpenPortView, ServiceRequest, ServiceView, StreamView } from "./types.js";

const ONE = "/v1/services/{service}";

/** A part of what a replica wrote. */
export interface ServiceLogPart {
  /** Whose output it is. */
  replica: string;
  /** Which output. */
  stream: StreamView;
  /** What was written; bytes that are no text are replaced. */
  text: string;
}

export interface ServiceLogOptions extends CallOptions {
  /** Only the replica in this slot. */
  slot?: number;
  /** Whether it goes on as it is written. */
  follow?: boolean;
}

/** A service is named by its name, or `NAME@NODE` where another node owns it. */
export class ServiceClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Those that the node owns, keeps or has heard of. */
  async list(options: CallOptions = {}): Promise<ServiceView[]> {
    const call = { ...options, method: "get", route: "/v1/services" };
    return (await this.#connection.ask<{ services: ServiceView[] }>(call)).services;
  }

  /** Declares one, or its next revision. Its image was uploaded before. */
  declare(json: ServiceRequest, options: OnceOptions = {}): Promise<ServiceView> {
    return this.#connection.ask({ ...options, method: "post", route: "/v1/services", json });
  }

  /** One in full. */
  show(service: string, options: CallOptions = {}): Promise<ServiceView> {
    return this.#call("get", ONE, service, options);
  }

  /** Changes how many replicas run. */
  scale(service: string, replicas: number, options: OnceOptions = {}): Promise<ServiceView> {
    return this.#call("post", `${ONE}/scale`, service, options, { json: { replicas } });
  }

  /** Declares the revision before anew. */
  rollBack(service: string, options: OnceOptions = {}): Promise<ServiceView> {
    return this.#call("post", `${ONE}/rollback`, service, options);
  }

  /** Ends it everywhere. */
  remove(service: string, options: CallOptions = {}): Promise<void> {
    return this.#call("delete", ONE, service, options);
  }

  /** Leads a local address of the node to one of its ports. */
  openPort(service: string, json: OpenPortRequest, options: OnceOptions = {}): Promise<OpenPortView> {
    return this.#call("post", `${ONE}/ports`, service, options, { json });
  }

  /** Leads it nowhere any more. */
  closePort(service: string, listen: string, options: CallOptions = {}): Promise<void> {
    return this.#call("delete", `${ONE}/ports`, service, options, { query: { listen } });
  }

  /** What its replicas write; with `follow` until the caller leaves. For owners and keepers. */
  async *logs(service: string, options: ServiceLogOptions = {}): AsyncGenerator<ServiceLogPart, void, void> {
    const { slot, follow, ...call } = options;
    const query: Query = { slot, follow };
    const answer = await this.#connection.open({ ...call, method: "get", route: `${ONE}/log`, path: { service }, query });
    // Replicas may be silent for as long as they like.
    yield* jsonLines<ServiceLogPart>(answer.pieces(Number.POSITIVE_INFINITY));
  }

  #call<T>(method: string, route: string, service: string, options: OnceOptions, more: { json?: unknown; query?: Query } = {}): Promise<T> {
    return this.#connection.ask({ ...options, ...more, method, route, path: { service } });
  }
}
