// Receipts are checked by the page, not believed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { barriers, shot } from "./browser.mjs";
import { ROOT } from "./devnet.mjs";

const GOLDEN = path.join(ROOT, "crates/api/tests/golden/receipt.json");

export async function a_node_that_lies_about_a_receipt_is_found_out({ page, url, devnet }) {
  const receipt = await anyReceipt(devnet);
  await page.route("**/v1/receipts/*", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), price: 123 } });
  });
  await page.goto(url(`/receipts?id=${receipt}`));
  await page.getByText("This receipt does not hold").waitFor();
  await page.getByText("what is shown was changed: price").waitFor();
  assert.deepEqual(await barriers(page), []);
  await shot(page, "receipt-false");
  await page.unroute("**/v1/receipts/*");
  await page.reload();
  await page.getByText("Checked in this browser").waitFor();
}

export async function a_receipt_from_a_file_is_checked({ page, url }) {
  await page.goto(url("/receipts"));
  const file = page.locator('input[type="file"]');
  await file.setInputFiles(GOLDEN);
  await page.getByText("Checked in this browser").waitFor();
  await page.getByText("from the file receipt.json").waitFor();
  const changed = readFileSync(GOLDEN, "utf8").replace('"attempt": 0', '"attempt": 1');
  await file.setInputFiles({ name: "changed.json", mimeType: "application/json", buffer: Buffer.from(changed) });
  await page.getByText("what is shown was changed: attempt").waitFor();
  // The same file, written anew meanwhile.
  await file.setInputFiles({ name: "changed.json", mimeType: "application/json", buffer: readFileSync(GOLDEN) });
  await page.getByText("Checked in this browser").waitFor();
  await file.setInputFiles({ name: "none.json", mimeType: "application/json", buffer: Buffer.from("{}") });
  await page.getByText("This file is no receipt").waitFor();
  assert.deepEqual(await barriers(page), []);
}

async function anyReceipt(devnet) {
  const receipt = await newestReceipt(devnet);
  if (receipt) return receipt;
  await devnet.on("node1", "run", devnet.example("programs/hello.wasm"));
  return newestReceipt(devnet);
}

async function newestReceipt({ ask }) {
  const { jobs: newestFirst } = await ask("/v1/jobs");
  for (const { job } of newestFirst) {
    const { runs } = await ask(`/v1/jobs/${job}/runs`);
    const receipt = runs.find((run) => run.receipt)?.receipt;
    if (receipt) return receipt;
  }
  return undefined;
}
