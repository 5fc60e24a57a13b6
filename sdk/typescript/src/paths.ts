// What `Client.request` takes and gives, worked out from the document's types.

import type { OnceOptions } from "./connection.js";
import type { paths } from "./types.js";

export type Method = "get" | "put" | "post" | "delete";

type Operation<M extends Method, P extends keyof paths> = paths[P][M];
type Body<A> = A extends { content: { "application/json": infer B } }
  ? B
  : A extends { content?: never }
    ? void
    : never;
type Success<O> = O extends { responses: infer R } ? Body<R[keyof R & (200 | 201 | 202 | 204)]> : never;
type Sent<O> = O extends { requestBody: { content: infer C } }
  ? C extends { "application/json": infer B }
    ? { body: B }
    : never
  : { body?: never };
type Parameters<O> = O extends { parameters: infer A } ? Pick<A, keyof A & ("path" | "query")> : never;

/** Routes of a method that take JSON or nothing, and answer the same. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: [Success<Operation<M, P>>] extends [never]
    ? never
    : [Sent<Operation<M, P>>] extends [never]
      ? never
      : P;
}[keyof paths];

export type AnswerOf<M extends Method, P extends keyof paths> = Success<Operation<M, P>>;
export type ArgumentsOf<M extends Method, P extends keyof paths> = Parameters<Operation<M, P>> &
  Sent<Operation<M, P>> &
  OnceOptions;

/** The arguments may be left out where none is needed. */
export type RestOf<A> = object extends A ? [options?: A] : [options: A];
