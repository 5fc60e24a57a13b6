// A sky that is larger than any devnet, as a node would tell of it.

import { readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const FILE = path.resolve(import.meta.dirname, "../tests/sky.ts");
const { outputText } = ts.transpileModule(readFileSync(FILE, "utf8"), {
  compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
});
export const { madeSky } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);

/** Lets a page see so many peers and offers, until `forget`. */
export async function withSky(page, count) {
  const { peers, offers } = madeSky(count);
  const answers = { "**/v1/peers": { peers }, "**/v1/offers": { offers }, "**/v1/members": { members: [] } };
  for (const [route, json] of Object.entries(answers)) await page.route(route, (asked) => asked.fulfill({ json }));
  const forget = async () => {
    for (const route of Object.keys(answers)) await page.unroute(route);
  };
  return { peers, offers, forget };
}
