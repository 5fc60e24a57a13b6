// The dashboard in a real browser against real nodes: `npm run e2e` (with the name of a scenario to run
// that one alone). Needs a built `opensky` and Chromium. Screenshots go to `e2e/screenshots`.

import assert from "node:assert/strict";
import { asPhone, barriers, fits, openBrowser, shot, tasksSeen, watchTasks } from "./browser.mjs";
import { startDevnet } from "./devnet.mjs";
import * as firstRun from "./first-run.mjs";
import { busyboxImage, forget, whyNoImages } from "./image.mjs";
import * as keys from "./keys.mjs";
import * as market from "./market.mjs";
import * as receipts from "./receipts.mjs";
import { wrongShapes } from "./shapes.mjs";
import * as sky from "./sky.mjs";
import { withWallet } from "./wallet.mjs";

const TIMEOUT_MS = 30_000;
const FIRST_JS_BYTES_MAX = 350 * 1024;
const PAGES = {
  overview: "/",
  node: "/node",
  sky: "/sky",
  "sky-table": "/sky?view=table",
  peers: "/sky?tab=peers",
  members: "/sky?tab=members",
  invites: "/sky?tab=invites",
  jobs: "/jobs",
  submit: "/jobs/new",
  services: "/services",
  market: "/market",
  wallet: "/wallet",
  charts: "/wallet?tab=charts",
  transfer: "/wallet?tab=transfer",
  stake: "/wallet?tab=stake",
  automatic: "/wallet?tab=automatic",
  ledger: "/ledger",
  receipts: "/receipts",
  keys: "/keys",
  sessions: "/keys?tab=sessions",
  audit: "/keys?tab=audit",
  doctor: "/settings",
  config: "/settings?tab=config",
  log: "/settings?tab=log",
  welcome: "/welcome",
  "welcome-share": "/welcome?step=share",
  "welcome-sky": "/welcome?step=sky",
  "welcome-test": "/welcome?step=test",
};

const scenarios = {
  async without_a_session_the_page_says_how_to_log_in({ page, url }) {
    await page.goto(url("/"));
    await page.getByRole("heading", { name: "Log in to your node" }).waitFor();
    await page.getByLabel("Or paste the link").fill("nonsense");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("neither a link").waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "login");
  },

  async a_wallet_that_the_owner_named_logs_in({ context, url, devnet }) {
    const wallet = await withWallet(context.browser());
    const { page } = wallet;
    try {
      await page.goto(url("/"));
      await page.getByRole("button", { name: "Test Wallet" }).click();
      await page.getByText("this wallet may not log in").waitFor();
      await page.getByText(`opensky keys wallet add ${wallet.address}`).waitFor();
      assert.deepEqual(await barriers(page), []);
      await shot(page, "login-wallet");
      await devnet.on("node1", "keys", "wallet", "add", wallet.address, "--role", "owner");
      wallet.refuse = true;
      await page.getByRole("button", { name: "Test Wallet" }).click();
      await page.getByText("The wallet did not sign").waitFor();
      wallet.refuse = false;
      await page.getByRole("button", { name: "Test Wallet" }).click();
      await skipSetUp(page);
      assert.match(wallet.signed, /costs nothing/);
      await page.goto(url("/keys?tab=sessions"));
      await page.getByText(`wallet ${wallet.address}`).waitFor();
      // A wallet that is named no longer is out at once.
      await devnet.on("node1", "keys", "wallet", "remove", wallet.address);
      await page.goto(url("/"));
      await page.getByRole("heading", { name: "Log in to your node" }).waitFor();
    } finally {
      await wallet.close();
    }
  },

  async a_link_logs_in_once_and_leaves_the_address({ page, context, devnet }) {
    const link = await devnet.link();
    await page.goto("about:blank");
    await page.goto(link);
    await skipSetUp(page);
    assert.ok(!page.url().includes("login"), page.url());
    const [cookie] = await context.cookies();
    assert.ok(cookie.httpOnly && cookie.sameSite === "Strict", JSON.stringify(cookie));
    await page.getByText("2", { exact: true }).first().waitFor();
    await page.getByText("1,000,000.00").waitFor();
    // The same link in another browser.
    const other = await context.browser().newContext();
    const stranger = await other.newPage();
    await stranger.goto(link);
    await stranger.getByText("used before").waitFor();
    await other.close();
  },

  async the_first_page_is_small({ page, url }) {
    // Sizes over the wire are not compressed on loopback: what counts is what gzip makes of them.
    const { gzipSync } = await import("node:zlib");
    const scripts = [];
    const listen = (answer) => answer.request().resourceType() === "script" && scripts.push(answer.body());
    page.on("response", listen);
    await page.goto(url("/"));
    await page.getByRole("heading", { name: "Work given" }).waitFor();
    page.off("response", listen);
    const size = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0);
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
    console.log(`    first page: ${Math.round(size / 1024)} kB of JavaScript (gzip), first paint ${Math.round(paint)} ms`);
    assert.ok(size > 0 && size < FIRST_JS_BYTES_MAX, `${size} bytes`);
  },

  async a_dropped_program_runs_and_shows_its_output({ page, url, devnet }) {
    await page.goto(url("/jobs/new"));
    await page.locator('input[type="file"]').first().setInputFiles(devnet.example("programs/hello.wasm"));
    await page.getByLabel("Arguments").fill('"from the browser"');
    await page.getByRole("button", { name: "Who could run it?" }).click();
    await page.getByText("Nodes that fit").waitFor();
    await shot(page, "submit-filled");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("succeeded").first().waitFor();
    await page.getByText("from the browser").first().waitFor();
    await page.getByRole("link", { name: "show and check" }).waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "job-done");
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.getByRole("img", { name: "one for each try" }).first().waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "job-timeline");
    await page.getByRole("tab", { name: "Tasks" }).click();
    await page.getByRole("link", { name: "show and check" }).click();
    await page.getByText("Checked in this browser").waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "receipt");
  },

  async an_image_is_kept_runs_and_is_removed({ page, url, devnet }) {
    const skipped = await whyNoImages();
    if (skipped) return skipped;
    const archive = { name: "tools.tar", mimeType: "application/x-tar", buffer: busyboxImage() };
    await page.goto(url("/node"));
    await page.getByText("No images are kept").waitFor();
    await page.getByRole("button", { name: "Keep an image" }).click();
    const keep = page.getByRole("dialog", { name: "Keep an image" });
    await keep.locator('input[type="file"]').setInputFiles({ ...archive, buffer: Buffer.alloc(1024) });
    await keep.getByText("tools.tar is not an image archive").waitFor();
    await keep.locator('input[type="file"]').setInputFiles(archive);
    await keep.getByRole("textbox", { name: "Name" }).fill("tools:1");
    assert.deepEqual(await barriers(page), []);
    await shot(page, "image-keep");
    await keep.getByRole("button", { name: "Keep", exact: true }).click();
    await page.getByRole("button", { name: "Remove tools:1" }).waitFor();
    await keep.waitFor({ state: "detached" });
    await shot(page, "images");
    await asPhone(page, async () => {
      assert.ok(await fits(page), "wider than a phone");
      await shot(page, "images-phone");
    });
    const { images } = await devnet.ask("/v1/images");
    await page.goto(url("/market?level=container"));
    await page.getByText("3 of 3 offers").waitFor();
    await shot(page, "offers-container");
    try {
      await page.goto(url("/jobs/new"));
      await page.locator('input[type="file"]').first().setInputFiles(archive);
      const same = page.getByRole("switch", { name: "Always writes the same" });
      assert.equal(await same.isChecked(), false);
      await page.getByRole("button", { name: "Who could run it?" }).click();
      await page.getByText("Nodes that fit").waitFor();
      await page.getByRole("combobox", { name: "Or an image that this node keeps" }).click();
      await page.getByRole("option", { name: "tools:1" }).click();
      await page.getByLabel("Arguments").fill(`echo "number {item} of an image"`);
      await page.getByText("One a number").click();
      await page.getByLabel("Up to, without").fill("3");
      const checking = page.getByRole("combobox", { name: "Checking" });
      const compared = page.getByRole("option", { name: "Two nodes must agree" });
      for (const isSame of [true, false]) {
        await same.setChecked(isSame, { force: true });
        await checking.click();
        assert.equal(await compared.getAttribute("data-combobox-disabled"), isSame ? null : "true");
        await page.keyboard.press("Escape");
      }
      assert.deepEqual(await barriers(page), []);
      await shot(page, "submit-image");
      await asPhone(page, async () => {
        assert.ok(await fits(page), "wider than a phone");
        await shot(page, "submit-image-phone");
      });
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page.getByText("succeeded").first().waitFor();
      await page.getByRole("tab", { name: "Outputs" }).click();
      await page.getByText("number 2 of an image").first().waitFor();
      assert.deepEqual(await barriers(page), []);
      await shot(page, "job-image");
    } finally {
      for (const { hash } of images) await forget(hash);
    }
    await page.goto(url("/node"));
    await page.getByRole("button", { name: "Remove tools:1" }).click();
    const removal = page.getByRole("dialog", { name: "Remove this image?" });
    await removal.getByText("Jobs that use it go on").waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "image-remove");
    await removal.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText("No images are kept").waitFor();
  },

  async a_service_is_started_looked_at_and_removed({ page, url, devnet }) {
    const skipped = await whyNoImages();
    if (skipped) return skipped;
    const archive = { name: "tools.tar", mimeType: "application/x-tar", buffer: busyboxImage() };
    await page.goto(url("/services"));
    await page.getByText("Nothing stays up yet").waitFor();
    await page.goto(url("/node"));
    await page.getByRole("button", { name: "Keep an image" }).click();
    const keep = page.getByRole("dialog", { name: "Keep an image" });
    await keep.locator('input[type="file"]').setInputFiles(archive);
    await keep.getByRole("textbox", { name: "Name" }).fill("web:1");
    await keep.getByRole("button", { name: "Keep", exact: true }).click();
    await page.getByRole("button", { name: "Remove web:1" }).waitFor();
    const { images } = await devnet.ask("/v1/images");
    // Services run on nodes without a price only.
    const nodes = ["node1", "node2", "node3"];
    const price = JSON.parse((await devnet.on("node1", "limits", "show", "--json")).stdout).limits.price_per_gfuel;
    for (const node of nodes) await devnet.on(node, "limits", "set", "--price", "0");
    try {
      await page.goto(url("/services"));
      await page.getByRole("button", { name: "New service" }).click();
      const form = page.getByRole("dialog", { name: "New service" });
      await form.getByRole("combobox", { name: "Image" }).click();
      await form.getByRole("option", { name: "web:1" }).click();
      await form.getByRole("textbox", { name: "Name" }).fill("web");
      await form.getByRole("textbox", { name: "Ports" }).fill("8080");
      const serve = `sh -c "echo it serves; exec busybox httpd -f -p 8080 -h /tmp"`;
      await form.getByRole("textbox", { name: "Arguments" }).fill(serve);
      await form.getByRole("textbox", { name: "Replicas" }).fill("2");
      assert.deepEqual(await barriers(page), []);
      await shot(page, "service-new");
      await form.getByRole("button", { name: "Start", exact: true }).click();
      await page.getByText("healthy", { exact: true }).first().waitFor();
      await page.getByText("2/2").waitFor();
      await page.getByRole("button", { name: "Open a port" }).click();
      const open = page.getByRole("dialog", { name: "Open a port of this machine" });
      await open.getByRole("button", { name: "Open", exact: true }).click();
      await page.getByText("leads to port 8080").waitFor();
      assert.deepEqual(await barriers(page), []);
      await shot(page, "service");
      await asPhone(page, async () => {
        assert.ok(await fits(page), "wider than a phone");
        await shot(page, "service-phone");
      });
      await page.getByRole("tab", { name: "Log" }).click();
      await page.getByText("it serves").first().waitFor();
      await page.getByRole("tab", { name: "Lately" }).click();
      await page.getByText("answers on").first().waitFor();
      assert.deepEqual(await barriers(page), []);
      await shot(page, "service-lately");
      await page.goto(url("/services"));
      await page.getByText("2/2").waitFor();
      await shot(page, "services-list");
      await page.getByRole("link", { name: "web" }).click();
      await page.getByRole("button", { name: "Remove", exact: true }).click();
      const removal = page.getByRole("dialog", { name: "Remove this service?" });
      await removal.getByRole("button", { name: "Remove", exact: true }).click();
      await page.getByText("Nothing stays up yet").waitFor();
    } finally {
      for (const { hash } of images) await forget(hash);
      await devnet.ask("/v1/images?name=web%3A1", { method: "DELETE" });
      for (const node of nodes) await devnet.on(node, "limits", "set", "--price", String(price / 1e6));
    }
  },

  async an_image_that_no_node_runs_is_told({ page, url }) {
    await page.route("**/v1/offers", async (route) => {
      const answer = await route.fetch();
      const { offers } = await answer.json();
      for (const offer of offers) offer.levels = ["function", "vm"];
      await route.fulfill({ response: answer, json: { offers } });
    });
    const buffer = Buffer.alloc(1024);
    buffer.write("ustar", 257);
    await page.goto(url("/jobs/new"));
    await page.locator('input[type="file"]').first().setInputFiles({ name: "a.tar", mimeType: "", buffer });
    await page.getByText("No node runs images now").waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "submit-image-unoffered");
    await page.unroute("**/v1/offers");
  },

  async a_running_job_is_cancelled_and_runs_again({ page, url, devnet }) {
    await page.goto(url("/jobs/new"));
    await page.locator('input[type="file"]').first().setInputFiles(devnet.example("programs/primes.wasm"));
    await page.getByLabel("Arguments").fill("range {item} 16777216");
    await page.getByText("One a number").click();
    await page.getByLabel("Up to, without").fill("5000");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("running", { exact: true }).first().waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    await shot(page, "job-running");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("cancelled").first().waitFor();
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByText("running", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Retry" }).waitFor();
    await page.getByRole("tab", { name: "Why" }).click();
    await page.getByRole("region", { name: "Why" }).waitFor();
    await shot(page, "job-cancelled-why");
  },

  async a_picture_of_many_tasks_is_shown({ page, url, devnet }) {
    const job = devnet.example("jobs/picture.toml");
    const running = devnet.on("node1", "run", job, "--results", "results").catch(() => undefined);
    await page.goto(url("/jobs"));
    await page.getByRole("link", { name: "picture" }).click();
    await page.getByText("bands").waitFor();
    await shot(page, "job-picture-running");
    await page.getByText("succeeded").first().waitFor({ timeout: 3 * TIMEOUT_MS });
    await running;
    await page.getByRole("tab", { name: "Outputs" }).click();
    const picture = page.getByRole("img", { name: "Output 1.0 stdout" });
    await picture.waitFor();
    await page.waitForFunction((image) => image.naturalWidth === 960, await picture.elementHandle());
    assert.deepEqual(await barriers(page), []);
    await shot(page, "job-picture");
  },

  async ten_thousand_tasks_stay_smooth({ page, url, devnet }) {
    await page.goto(url("/jobs/new"));
    await page.locator('input[type="file"]').first().setInputFiles(devnet.example("programs/hello.wasm"));
    await page.getByLabel("Name").fill("many");
    await page.getByLabel("Arguments").fill("{item}");
    await page.getByText("One a number").click();
    await page.getByLabel("Up to, without").fill("10000");
    await watchTasks(page);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("10,000 tasks", { exact: false }).first().waitFor();
    await page.getByText("succeeded").first().waitFor({ timeout: 3 * TIMEOUT_MS });
    await page.getByRole("slider").press("End");
    await page.getByRole("heading", { name: "Task 0.9999" }).waitFor();
    for (const key of ["End", "Home"]) {
      await page.getByRole("slider").press(key);
      await page.locator('[role=slider][aria-valuetext$=": done"]').waitFor();
    }
    console.log(`    10,000 tasks: longest task of the page ${await tasksSeen(page)}`);
    await shot(page, "job-many");
  },

  async credits_are_transferred_after_a_preview({ page, url, devnet }) {
    await page.goto(url("/wallet?tab=transfer"));
    await page.getByRole("textbox", { name: "To" }).fill(await devnet.nodeId("node2"));
    await page.getByRole("textbox", { name: "Credits" }).fill("12.5");
    await page.getByRole("textbox", { name: "Memo" }).fill("<b>thanks</b>");
    await page.getByRole("button", { name: "Preview" }).click();
    const dialog = page.getByRole("dialog", { name: "Do this?" });
    await dialog.getByText("12.500000").waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "transfer-preview");
    await dialog.getByRole("button", { name: "Yes, send" }).click();
    await page.getByText("Sent:").waitFor();
    await page.getByRole("tab", { name: "History" }).click();
    await page.getByText("−12.50").waitFor();
    await page.getByText("<b>thanks</b>", { exact: false }).first().waitFor();
    await shot(page, "history");
    await page.getByRole("tab", { name: "Charts" }).click();
    await page.getByRole("img", { name: "What could be spent" }).waitFor();
    await page.getByText("Earned in 30 days").waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "charts-moved");
  },

  async more_credits_than_there_are_is_refused({ page, url, devnet }) {
    await page.goto(url("/wallet?tab=transfer"));
    await page.getByRole("textbox", { name: "To" }).fill(await devnet.nodeId("node2"));
    await page.getByRole("textbox", { name: "Credits" }).fill("5000000");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByRole("alert").first().waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "transfer-refused");
    assert.equal(await page.getByRole("dialog", { name: "Do this?" }).count(), 0);
  },

  async limits_are_set_with_the_keyboard({ page, url }) {
    await page.goto(url("/node"));
    const processor = page.getByRole("slider", { name: "Processor" });
    const before = Number(await processor.getAttribute("aria-valuenow"));
    await processor.press("ArrowLeft");
    await page.getByRole("button", { name: "Save limits" }).click();
    await page.getByText("Saved.").waitFor();
    await page.reload();
    await page.getByText(`${before - 1}% of`).waitFor();
  },

  async gpus_are_shared_by_their_number({ page, url }) {
    const gpu = { model: "NVIDIA A100-SXM4-80GB", vendor: "nvidia", memory_bytes: 80 * 2 ** 30 };
    await page.route("**/v1/node", async (route) => {
      const answer = await route.fetch();
      const node = await answer.json();
      await route.fulfill({ response: answer, json: { ...node, hardware: { ...node.hardware, gpus: [gpu, gpu] } } });
    });
    await page.goto(url("/node"));
    const gpus = page.getByRole("slider", { name: "GPUs for programs of others" });
    assert.equal(await gpus.getAttribute("aria-valuenow"), "0", "none unless the owner says so");
    await gpus.press("ArrowRight");
    await page.getByText("1 of 2").waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "node-gpus");
    await page.getByRole("button", { name: "Save limits" }).click();
    await page.getByText("Saved.").waitFor();
    await page.unroute("**/v1/node");
  },

  async an_invite_is_made_and_its_token_shown({ page, url }) {
    await page.goto(url("/sky"));
    await page.getByRole("button", { name: "Invite a machine" }).click();
    await page.getByRole("button", { name: "Make an invite" }).click();
    await page.getByText("opensky up --join").waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "invite");
  },

  async blocks_appear_by_themselves({ page, url }) {
    await page.goto(url("/ledger"));
    await page.getByRole("region", { name: "Latest blocks" }).waitFor();
    await shot(page, "ledger-live");
  },

  async every_page_is_free_of_barriers_and_fits_a_phone({ page, url }) {
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(url(path));
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForFunction(() => !document.body.innerText.includes("Reading "));
      await shot(page, name);
      const found = await barriers(page);
      await page.emulateMedia({ colorScheme: "dark" });
      found.push(...(await barriers(page)).map((barrier) => `dark: ${barrier}`));
      await shot(page, `${name}-dark`);
      await page.emulateMedia({ colorScheme: "light" });
      await asPhone(page, async () => {
        if (!(await fits(page))) found.push("wider than a phone");
        await shot(page, `${name}-phone`);
      });
      assert.deepEqual(found, [], name);
    }
  },

  async the_types_are_those_of_the_node({ devnet }) {
    // An empty list of images would say nothing of their shape.
    await devnet.on("node1", "image", "push", devnet.example("programs/hello.wasm"), "--name", "any");
    assert.deepEqual(await wrongShapes(devnet.ask), []);
  },

  ...firstRun,
  ...keys,
  ...sky,
  ...market,
  ...receipts,

  async a_node_that_is_gone_is_told({ page, url, devnet }) {
    await page.goto(url("/"));
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await devnet.on("node1", "down");
    await page.getByText("The node does not answer").first().waitFor();
    assert.deepEqual(await barriers(page), []);
    await shot(page, "gone");
  },
};

/** A browser that sees the node for the first time is led through its setup, unless it has run jobs. */
async function skipSetUp(page) {
  await page.getByRole("heading", { name: /^(Overview|Set up this node)$/ }).waitFor();
  const skip = page.getByRole("button", { name: "Skip all of it" });
  if (await skip.isVisible()) await skip.click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

async function main() {
  const wanted = process.argv[2];
  const devnet = await startDevnet();
  const { browser, context, page, problems } = await openBrowser();
  page.setDefaultTimeout(TIMEOUT_MS);
  const base = `http://${(await devnet.api()).address}`;
  const world = { page, context, devnet, url: (path) => base + path };
  let failed = 0;
  try {
    if (wanted && wanted !== "without_a_session_the_page_says_how_to_log_in") {
      await page.goto(await devnet.link());
      await skipSetUp(page);
    }
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (wanted && wanted !== name) continue;
      failed += await judged(name, () => scenario(world), page, problems);
    }
  } finally {
    await browser.close();
    await devnet.stop();
  }
  if (failed > 0) throw new Error(`${failed} of the dashboard's scenarios failed`);
}

/** Runs a scenario, which may say why it is skipped; what the page complained about meanwhile counts against it. */
async function judged(name, does, page, problems) {
  const start = Date.now();
  problems.length = 0;
  try {
    const skipped = await does();
    assert.deepEqual(problems, []);
    if (skipped) {
      console.log(`skipped ${name}: ${skipped}`);
      return 0;
    }
    console.log(`ok      ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
    return 0;
  } catch (error) {
    console.log(`failed  ${name}: ${error.message}`);
    await shot(page, `failed-${name}`).catch(() => undefined);
    return 1;
  }
}

await main();
