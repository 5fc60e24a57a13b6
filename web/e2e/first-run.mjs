// The first day of a node.

import assert from "node:assert/strict";
import { looked, shot } from "./browser.mjs";
import { startLoneNode } from "./devnet.mjs";

export async function a_first_run_is_walked_through_and_comes_back_from_the_settings({ page }) {
  const node = await startLoneNode();
  try {
    await page.goto(node.link);
    await page.getByRole("heading", { name: "Set up this node" }).waitFor();
    await page.getByLabel("What do you call this machine?").fill("attic");
    await looked(page, "first-run-name");
    await page.getByLabel("What do you call this machine?").press("Enter");
    await page.getByText("attic in", { exact: false }).waitFor();
    await page.locator("h2:focus", { hasText: "What you share" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("h2:focus", { hasText: "Name" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("slider", { name: "Processor" }).press("ArrowLeft");
    await looked(page, "first-run-share");
    await page.getByRole("button", { name: "Save and go on" }).click();
    await page.getByText("This node founded the sky").waitFor();
    await page.getByRole("button", { name: "Make an invite" }).click();
    const made = await page.getByLabel("Command to join").textContent();
    const token = made.replace("opensky up --join ", "").trim();
    await page.getByLabel("Their invite").fill("sky1 $(reboot)");
    await page.getByText("not a token").waitFor();
    await page.getByLabel("Their invite").fill(token);
    const commands = await page.getByLabel("Commands to join").textContent();
    const [down, up] = commands.split("\n");
    assert.match(down, /^opensky --data-dir \S+lone down$/);
    assert.match(up, /^opensky --data-dir \S+lone-[0-9a-f]{8} up --join /);
    assert.ok(up.endsWith(token), commands);
    await looked(page, "first-run-sky");
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByRole("button", { name: "Run the test" }).click();
    await page.getByText("It works").waitFor();
    await page.getByText("hello from OpenSky").waitFor();
    await page.getByText("this node", { exact: true }).waitFor();
    await looked(page, "first-run-test");
    await page.getByRole("button", { name: "Finish" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.goto(node.url("/settings"));
    await page.getByRole("button", { name: "Set up again" }).click();
    await page.getByRole("heading", { name: "Set up this node" }).waitFor();
    assert.equal(await page.getByLabel("What do you call this machine?").inputValue(), "attic");
    const limits = JSON.parse((await node.on("limits", "show", "--json")).stdout).limits;
    assert.equal(limits.cpu_percent, 49);
  } finally {
    await node.stop();
  }
}

export async function a_first_run_can_be_skipped({ page }) {
  const node = await startLoneNode();
  try {
    await page.goto(node.link);
    await page.getByRole("button", { name: "Skip all of it" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Work given" }).waitFor();
    await shot(page, "first-run-skipped");
  } finally {
    await node.stop();
  }
}
