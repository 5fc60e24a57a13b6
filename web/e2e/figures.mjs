// How fast the dashboard is, printed: `npm run figures`, on a machine that does nothing else. It judges nothing.
// Needs what `npm run e2e` needs; OPENSKY_BIN should name a release build.

import { gzipSync } from "node:zlib";
import { openBrowser, tasksSeen, watchTasks } from "./browser.mjs";
import { startDevnet } from "./devnet.mjs";
import { withSky } from "./made.mjs";

const COLD_STARTS = 7;
const TASKS = 10_000;

const median = (values) => values.toSorted((one, other) => one - other)[values.length >> 1];
const say = (what, figure) => console.log(`${what.padEnd(64)} ${figure}`);
const ms = (value) => `${Math.round(value)} ms`;

/** A browser of its own each time: nothing is cached, no connection is open. */
async function coldStart(devnet) {
  const { browser, page } = await openBrowser();
  try {
    const scripts = [];
    page.on("response", (answer) => answer.request().resourceType() === "script" && scripts.push(answer.body()));
    await page.goto(await devnet.link());
    await page.getByRole("heading", { name: /^(Overview|Set up this node)$/ }).waitFor();
    const bytes = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0);
    return await page.evaluate(
      (size) => ({ bytes: size, paint: performance.getEntriesByName("first-contentful-paint")[0].startTime, shown: performance.now() }),
      bytes,
    );
  } finally {
    await browser.close();
  }
}

const sayTasks = async (what, page) => say(`${what}: longest task of the page`, await tasksSeen(page));

async function manyTasks(page, base, devnet) {
  await page.goto(`${base}/jobs/new`);
  await page.locator('input[type="file"]').first().setInputFiles(devnet.example("programs/hello.wasm"));
  await page.getByLabel("Arguments").fill("{item}");
  await page.getByText("One a number").click();
  await page.getByLabel("Up to, without").fill(String(TASKS));
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("slider").waitFor();
  await watchTasks(page);
  await page.getByText("succeeded").first().waitFor({ timeout: 180_000 });
  await sayTasks(`${TASKS} tasks, while they run`, page);
  await page.reload();
  await page.getByRole("slider").waitFor();
  await watchTasks(page);
  for (const key of ["End", "Home", "ArrowDown", "ArrowRight"]) await page.getByRole("slider").press(key);
  await page.getByRole("heading", { name: /^Task 0\./ }).waitFor();
  for (const tab of ["Timeline", "Outputs", "Why", "Nodes", "Tasks"]) await page.getByRole("tab", { name: tab }).click();
  await sayTasks(`${TASKS} tasks, looked at afterwards`, page);
}

async function manyNodes(page, base) {
  const { forget } = await withSky(page, 500);
  await page.goto(`${base}/sky`);
  const graph = page.getByRole("listbox");
  await graph.waitFor();
  await watchTasks(page);
  for (const key of ["ArrowRight", "ArrowDown", "End", "+", "+", "ArrowLeft", "0", "Home"]) await graph.press(key);
  await sayTasks("500 nodes, walked and zoomed", page);
  await forget();
}

const devnet = await startDevnet();
try {
  const starts = [];
  for (let start = 0; start < COLD_STARTS; start += 1) starts.push(await coldStart(devnet));
  const of = (name) => starts.map((start) => start[name]);
  say("first page: JavaScript, gzip", `${Math.round(starts[0].bytes / 1024)} kB`);
  say(`first contentful paint, cold browser, median of ${COLD_STARTS}`, `${ms(median(of("paint")))}, at most ${ms(Math.max(...of("paint")))}`);
  say("the page with its heading, the same", `${ms(median(of("shown")))}, at most ${ms(Math.max(...of("shown")))}`);
  const { browser, page } = await openBrowser();
  page.setDefaultTimeout(60_000);
  const base = `http://${(await devnet.api()).address}`;
  await page.goto(await devnet.link());
  await page.getByRole("button", { name: "Skip all of it" }).click();
  await manyTasks(page, base, devnet);
  await manyNodes(page, base);
  await browser.close();
} finally {
  await devnet.stop();
}
