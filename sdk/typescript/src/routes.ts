// Made from docs/openapi.json by `npm run generate`; changes go to crates/api.

/** Routes that spend or start something, and so take an `Idempotency-Key`. */
export const ONCE: ReadonlySet<string> = new Set([
  "post /v1/graphql",
  "post /v1/jobs",
  "post /v1/jobs/{job}/retry",
  "post /v1/services",
  "post /v1/services/{service}/ports",
  "post /v1/services/{service}/rollback",
  "post /v1/services/{service}/scale",
  "post /v1/transactions",
  "post /v1/validators",
  "post /v1/wallet/owner",
  "post /v1/wallet/stake",
  "post /v1/wallet/transfer",
  "post /v1/wallet/unstake",
]);
