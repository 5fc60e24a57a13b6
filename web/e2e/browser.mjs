// A browser that notices what its user would not: errors, breaches of the page's policy, barriers.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = path.join(import.meta.dirname, "screenshots");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const PHONE = { width: 390, height: 844 };
const SCREEN = { width: 1280, height: 900 };

export async function openBrowser() {
  mkdirSync(SHOTS, { recursive: true });
  // As root, Chromium's own sandbox cannot start.
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const context = await browser.newContext({ viewport: SCREEN, colorScheme: "light" });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // The browser reports each refused request; those that a scenario provokes are judged there.
    const isNetwork = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isNetwork) problems.push(`console: ${message.text()}`);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  return { browser, context, page, problems };
}

/** A picture of the whole page. */
export async function shot(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
}

/** Barriers that axe calls serious or critical, a line each. */
export async function barriers(page) {
  // Colors fade in; a color on its way has no contrast of its own.
  await page.waitForTimeout(400);
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`));
}

export async function asPhone(page, does) {
  await page.setViewportSize(PHONE);
  // The menu slides away.
  await page.waitForTimeout(300);
  await does();
  await page.setViewportSize(SCREEN);
}

/** Whether the page is no wider than its window, once it has settled. */
export function fits(page) {
  const isNarrow = () => document.documentElement.scrollWidth <= window.innerWidth;
  return page.waitForFunction(isNarrow, undefined, { timeout: 2_000 }).then(
    () => true,
    () => false,
  );
}

/** Looks a page over as it stands: barriers, and on a phone its width; a picture of each. */
export async function looked(page, name) {
  assert.deepEqual(await barriers(page), []);
  await shot(page, name);
  await asPhone(page, async () => {
    assert.ok(await fits(page), "wider than a phone");
    await shot(page, `${name}-phone`);
  });
}

const LONG_MS = 100;

/** Counts long tasks and frames of the page from now on, until it is loaded anew. */
export const watchTasks = (page) =>
  page.evaluate((long) => {
    const seen = { longest: 0, over: 0, frames: 0, from: performance.now() };
    window.seen = seen;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        seen.longest = Math.max(seen.longest, duration);
        if (duration > long) seen.over += 1;
      }
    }).observe({ type: "longtask" });
    const frame = () => {
      seen.frames += 1;
      if (window.seen === seen) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }, LONG_MS);

/** What was counted, in words: the longest task, how many were long, and how many frames a second there were. */
export async function tasksSeen(page) {
  const { longest, over, frames, passed } = await page.evaluate(() => ({ ...window.seen, passed: performance.now() - window.seen.from }));
  return `${Math.round(longest)} ms, ${over} over ${LONG_MS} ms, ${((1000 * frames) / passed).toFixed(1)} frames/s`;
}
