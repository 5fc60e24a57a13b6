// The picture of the sky, with few nodes and with many.

import assert from "node:assert/strict";
import { asPhone, barriers, fits, shot, tasksSeen, watchTasks } from "./browser.mjs";
import { withSky } from "./made.mjs";

export async function five_hundred_nodes_stay_readable_and_are_walked_by_keys({ page, url }) {
  const { peers, offers, forget } = await withSky(page, 500);
  try {
    await page.goto(url("/sky"));
    const graph = page.getByRole("listbox", { name: "Nodes of the sky" });
    await graph.waitFor();
    assert.equal(await graph.getByRole("option").count(), offers.length);
    await page.getByText(`500 other nodes, ${peers.length} connected`).waitFor();
    const widths = await graph.getByRole("option").evaluateAll((dots) => dots.map((dot) => dot.getBoundingClientRect().width));
    assert.ok(Math.min(...widths) >= 5, `dots of ${Math.min(...widths)} pixels`);
    await watchTasks(page);
    await graph.focus();
    for (const key of ["ArrowRight", "ArrowDown", "ArrowRight", "End", "Home", "+", "+"]) await graph.press(key);
    const chosen = await graph.getAttribute("aria-activedescendant");
    assert.ok(chosen, "a node is chosen");
    assert.equal(await page.locator(`#${chosen}`).getAttribute("aria-selected"), "true");
    await page.getByText("Slots free").waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "sky-500-close");
    await page.getByRole("button", { name: "All of it" }).click();
    console.log(`    500 nodes: longest task of the page ${await tasksSeen(page)}`);
    await shot(page, "sky-500");
    await page.emulateMedia({ colorScheme: "dark" });
    assert.deepEqual(await barriers(page), []);
    await shot(page, "sky-500-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await asPhone(page, async () => {
      assert.ok(await fits(page), "wider than a phone");
      await shot(page, "sky-500-phone");
    });
    await page.getByText("Table", { exact: true }).click();
    await page.getByRole("region", { name: "Nodes" }).waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "sky-500-table");
  } finally {
    await forget();
  }
}

export async function a_sky_without_others_and_one_that_cannot_be_read_are_told({ page, url }) {
  const { forget } = await withSky(page, 0);
  await page.goto(url("/sky"));
  await page.getByText("This node is alone").waitFor();
  await shot(page, "sky-alone");
  await forget();
  const problem = { code: "internal", title: "broken", status: 500, detail: "it broke", type: "about:blank" };
  await page.route("**/v1/peers", (route) => route.fulfill({ status: 500, json: problem }));
  await page.goto(url("/sky"));
  await page.getByText("it broke").waitFor();
  assert.deepEqual(await barriers(page), []);
  await shot(page, "sky-error");
  await page.unroute("**/v1/peers");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("listbox", { name: "Nodes of the sky" }).waitFor();
}
