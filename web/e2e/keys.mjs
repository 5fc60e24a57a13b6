// Others at this node: their keys, what they see, and what they do not.

import assert from "node:assert/strict";
import { barriers, looked, shot } from "./browser.mjs";

export async function a_key_is_made_used_and_revoked_and_its_viewer_changes_nothing({ page, context, url }) {
  await page.goto(url("/keys"));
  const secret = await makeKey(page, "guest");
  const other = await context.browser().newContext();
  const guest = await other.newPage();
  guest.setDefaultTimeout(30_000);
  try {
    await guest.goto(url("/"));
    await guest.getByLabel("Or paste the link").fill(secret);
    await guest.getByRole("button", { name: "Log in" }).click();
    await guest.getByRole("heading", { name: "Work given" }).waitFor();
    const [cookie] = await other.cookies();
    assert.ok(cookie.httpOnly && !cookie.value.includes(secret), "the cookie is another secret");
    const kept = await guest.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]));
    assert.ok(!kept.includes(secret), "the page keeps no key");
    await seesNoMoreThanItMay(guest, url);
    await page.getByRole("tab", { name: "Browsers" }).click();
    await page.getByText("key guest").waitFor();
    await page.getByText("this browser").waitFor();
    await looked(page, "keys-browsers");
    await page.getByRole("tab", { name: "Who did what" }).click();
    await page.getByText("session of key guest").first().waitFor();
    await page.getByText("403").first().waitFor();
    await looked(page, "keys-audit");
    await page.getByRole("tab", { name: "API keys" }).click();
    await page.getByRole("button", { name: "Revoke guest" }).click();
    await page.getByRole("dialog", { name: "Revoke this key?" }).getByRole("button", { name: "Revoke" }).click();
    await page.getByText("No keys yet").waitFor();
    await guest.getByRole("heading", { name: "Log in to your node" }).waitFor();
    await guest.getByLabel("Or paste the link").fill(secret);
    await guest.getByRole("button", { name: "Log in" }).click();
    await guest.getByText("no token, key or session that works").waitFor();
  } finally {
    await other.close();
  }
}

export async function a_keys_limit_is_shown({ page, url, devnet }) {
  await devnet.on("node1", "keys", "create", "bot", "--role", "operator", "--spend-limit", "5", "--spend-per", "day");
  try {
    await page.goto(url("/keys"));
    await page.getByText("0.00 of 5.00 credits a day").waitFor();
    await looked(page, "keys-limit");
  } finally {
    await devnet.on("node1", "keys", "revoke", "bot");
  }
}

async function makeKey(page, name) {
  await page.getByText("No keys yet").waitFor();
  await page.getByRole("button", { name: "New key" }).click();
  const form = page.getByRole("dialog", { name: "New key" });
  await form.getByRole("textbox", { name: "Name" }).fill(name);
  await looked(page, "key-new");
  await form.getByRole("button", { name: "Make the key" }).click();
  const secret = (await form.getByLabel("The key").textContent()).trim();
  assert.match(secret, /^opensky_[0-9a-f]{64}$/);
  assert.deepEqual(await barriers(page), []);
  await form.getByRole("button", { name: "Close" }).click();
  await form.waitFor({ state: "detached" });
  await page.getByRole("button", { name: `Revoke ${name}` }).waitFor();
  assert.ok(!(await page.content()).includes(secret), "it is shown once");
  await looked(page, "keys-list");
  return secret;
}

const REASON = { operator: "needs the role operator; you are viewer", owner: "needs the role owner; you are viewer" };

/** The pages say what a viewer cannot do; the node refuses it too. */
async function seesNoMoreThanItMay(guest, url) {
  await guest.getByText("viewer", { exact: true }).waitFor();
  assert.equal(await guest.getByRole("link", { name: "Keys" }).count(), 0);
  const buttons = [
    ["/jobs", "New job", "operator"],
    ["/jobs/new", "Run", "operator"],
    ["/services", "New service", "operator"],
    ["/node", "Keep an image", "operator"],
    ["/node", "Save limits", "owner"],
    ["/sky", "Invite a machine", "owner"],
    ["/wallet?tab=transfer", "Preview", "owner"],
  ];
  for (const [path, name, role] of buttons) {
    await guest.goto(url(path));
    const button = guest.getByRole("button", { name, exact: true });
    await guest.waitForFunction(([element, reason]) => element.title === reason, [await button.elementHandle(), REASON[role]]);
    assert.ok(await button.isDisabled(), name);
  }
  assert.deepEqual(await barriers(guest), []);
  await shot(guest, "viewer-wallet");
  await guest.goto(url("/sky?tab=invites"));
  await guest.getByText("this needs the role owner").waitFor();
  await shot(guest, "viewer-invites");
  await guest.goto(url("/keys"));
  await guest.getByText("Only owners see this page").waitFor();
  assert.deepEqual(await barriers(guest), []);
  const statuses = await guest.evaluate(async () => {
    const headers = { "x-opensky-csrf": "1", "content-type": "application/json" };
    const ask = (path, method, body) => fetch(path, { method, headers, body }).then((answer) => answer.status);
    return [
      await ask("/v1/keys", "GET"),
      await ask("/v1/sessions", "GET"),
      await ask("/v1/invites", "GET"),
      await ask("/v1/invites", "POST", "{}"),
      await ask("/v1/keys", "POST", '{"name":"more","role":"owner"}'),
      await ask("/v1/session/links", "POST", "{}"),
      await ask("/v1/wallet/transfer", "POST", "{}"),
    ];
  });
  assert.deepEqual(statuses, Array(7).fill(403));
}
