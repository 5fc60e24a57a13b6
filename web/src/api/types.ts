// What the API takes and answers: the types of the TypeScript client, which are made from docs/openapi.json.

export type * from "../../../sdk/typescript/src/types";
