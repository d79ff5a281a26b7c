// Browsers, and pages in them that notice what must not happen: errors of scripts, and what the policy forbids.

import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const STARTS_WITHIN = 120_000; // milliseconds for a browser
// Seconds until what a page does is done: more than it needs on a machine that does much else.
export const PATIENCE = 60;
export const Chromium = 'chromium';
export const Firefox = 'firefox-esr';

export function load(name) {
  return createRequire(join(resolve(process.env.PAGE), 'package.json'))(name);
}

export function pathTo(name) {
  return createRequire(join(resolve(process.env.PAGE), 'package.json')).resolve(name);
}

/** Starts a browser of the machine. */
export async function browserOf(name) {
  const executablePath = process.env.PATH.split(delimiter).map((folder) => join(folder, name)).find(existsSync);
  if (!executablePath) throw new Error(`no ${name} on the PATH: run install.sh`);
  if (name === Chromium) {
    return load('playwright-core').chromium.launch({ executablePath, headless: true, args: FLAGS, timeout: STARTS_WITHIN });
  }
  return load('puppeteer-core').launch({
    browser: 'firefox', executablePath, headless: true, timeout: STARTS_WITHIN, extraPrefsFirefox: { 'media.autoplay.default': 0, 'media.autoplay.blocking_policy': 0 },
  });
}

/**
 * Runs `use` with a page of a new context. Fails if the page has errors that `use` did not expect: `options.expected` is
 * a pattern of messages that may come.
 */
export async function inPage(browser, use, { expected = null, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1240, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE * 1000);
  const problems = [];
  const origin = [];
  page.on('pageerror', (error) => problems.push(`error in the page: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected?.test(message.text())) problems.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (!['blob:', 'data:'].includes(protocol)) origin.push(host);
  });
  try {
    const seen = await use(page, context);
    assert.deepEqual(problems, [], 'the page has errors');
    assert.deepEqual([...new Set(origin)].slice(1), [], 'the page asks other hosts');
    return seen;
  } catch (error) {
    await page.screenshot({ path: join(process.env.SHOTS, 'failed.png') }).catch(() => {});
    throw error;
  } finally {
    await context.close();
  }
}

/** Returns the address of a presentation's page. */
export function addressOf(url, title, more = {}) {
  return `${url}/?${new URLSearchParams({ title, ...more })}`;
}

/** Waits until `look` returns something that is true, and returns it. */
export async function until(what, look, seconds = PATIENCE) {
  const deadline = Date.now() + seconds * 1000;
  let seen;
  for (;;) {
    seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((done) => { setTimeout(done, 50); });
  }
}
