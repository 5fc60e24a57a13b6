// Makes src/types.ts and src/routes.ts from docs/openapi.json. With --check it only says whether they are up to date.

import { readFile, writeFile } from "node:fs/promises";
import openapiTypescript, { astToString } from "openapi-typescript";

const DOCUMENT = new URL("../../docs/openapi.json", import.meta.url);
const HEADER = "// Made from docs/openapi.json by `npm run generate`; changes go to crates/api.\n\n";
const METHODS = ["get", "put", "post", "delete"];
const ONCE = "idempotency-key";

async function types() {
  const options = { rootTypes: true, rootTypesNoSchemaPrefix: true, silent: true, defaultNonNullable: false };
  return HEADER + astToString(await openapiTypescript(DOCUMENT, options));
}

/** Types are gone when the client runs; which routes take an idempotency key it must know then. */
async function routes() {
  const { paths } = JSON.parse(await readFile(DOCUMENT, "utf8"));
  const takesKey = ({ parameters = [] }) => parameters.some((of) => of.in === "header" && of.name === ONCE);
  const lines = Object.entries(paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method] && takesKey(methods[method])).map(
      (method) => `  ${JSON.stringify(`${method} ${path}`)},\n`,
    ),
  );
  const doc = "/** Routes that spend or start something, and so take an `Idempotency-Key`. */\n";
  return `${HEADER}${doc}export const ONCE: ReadonlySet<string> = new Set([\n${lines.join("")}]);\n`;
}

for (const [file, made] of [["src/types.ts", await types()], ["src/routes.ts", await routes()]]) {
  const path = new URL(file, import.meta.url);
  if (!process.argv.includes("--check")) {
    await writeFile(path, made);
  } else if (made !== (await readFile(path, "utf8"))) {
    console.error(`${file} is not what docs/openapi.json says: run \`npm run generate\` in sdk/typescript`);
    process.exitCode = 1;
  }
}
