// Offers as buyers see them.

import assert from "node:assert/strict";
import { asPhone, barriers, fits, shot } from "./browser.mjs";
import { withSky } from "./made.mjs";

export async function prices_of_real_offers_are_seen({ page, url }) {
  await page.goto(url("/market"));
  await page.getByText("3 of 3 offers").waitFor();
  await page.getByRole("img", { name: "Median price" }).waitFor();
  assert.deepEqual(await barriers(page), []);
  await shot(page, "market-prices");
}

export async function thousands_of_offers_are_filtered({ page, url }) {
  const { offers, forget } = await withSky(page, 5_000);
  try {
    await page.goto(url("/market?region=asia"));
    const asian = offers.filter(({ region }) => region === "asia");
    await page.getByText(`${asian.length} of 5000 offers`).waitFor();
    await page.getByLabel("Highest price, credits").fill("0.0001");
    const cheap = asian.filter(({ price_per_gfuel }) => price_per_gfuel <= 100);
    await page.getByText(`${cheap.length} of 5000 offers`).waitFor();
    assert.ok(page.url().includes("most="), "the address keeps the filters");
    await page.reload();
    await page.getByText(`${cheap.length} of 5000 offers`).waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "market-many");
    await page.getByLabel("Highest price, credits").fill("much");
    await page.getByText("such as 0.0001").waitFor();
    await page.getByLabel("Find offers").fill("no such processor");
    await page.getByText("No offer fits").waitFor();
    await asPhone(page, async () => {
      assert.ok(await fits(page), "wider than a phone");
      await shot(page, "market-none-phone");
    });
  } finally {
    await forget();
  }
}
