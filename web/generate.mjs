// Makes src/api/types.ts from docs/openapi.json. With --check it only says whether that is up to date.

import { readFile, writeFile } from "node:fs/promises";
import openapiTypescript, { astToString } from "openapi-typescript";

const DOCUMENT = new URL("../docs/openapi.json", import.meta.url);
const TYPES = new URL("src/api/types.ts", import.meta.url);
const HEADER = "// Made from docs/openapi.json by `npm run generate`; changes go to crates/api.\n\n";

const options = { rootTypes: true, rootTypesNoSchemaPrefix: true, silent: true, defaultNonNullable: false };
const made = HEADER + astToString(await openapiTypescript(DOCUMENT, options));
if (!process.argv.includes("--check")) {
  await writeFile(TYPES, made);
} else if (made !== (await readFile(TYPES, "utf8"))) {
  console.error("src/api/types.ts is not what docs/openapi.json says: run `npm run generate` in web");
  process.exitCode = 1;
}
