#!/usr/bin/env node
// Makes the screenshots of the README: docs/page-timeline.png and docs/page-play.png.
//
//   readme.mjs URL
//
// URL is that of a server of testdata/. PAGE names the folder of install.sh (target/page).

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.env.PAGE ??= fileURLToPath(new URL('../../target/page', import.meta.url));
process.env.SHOTS ??= process.env.PAGE;
const { addressOf, browserOf, Chromium, inPage, until } = await import('./browser.mjs');
const { long } = await import('./long.mjs');

const [url] = process.argv.slice(2);
if (!url) {
  console.error('readme.mjs URL');
  process.exit(2);
}
const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const chromium = await browserOf(Chromium);

await inPage(chromium, async (page) => {
  await long(page, url);
  await page.locator('#timeline').scrollIntoViewIfNeeded();
  await page.locator('.picture').focus();
  await page.locator('.picture').press('n');
  for (let times = 0; times < 5; times += 1) await page.locator('.picture').press('-');
  await page.waitForTimeout(300);
  await page.locator('#timeline').screenshot({ path: join(docs, 'page-timeline.png') });
}, { viewport: { width: 1000, height: 1000 } });

await inPage(chromium, async (page) => {
  await page.goto(addressOf(url, 'ladder/ladder.ism'));
  await page.locator('.picture').waitFor();
  await page.locator('.start button').click();
  await until('plays', () => page.evaluate(() => document.querySelector('video').currentTime > 9), 20);
  await page.evaluate(() => document.querySelector('video').pause());
  await page.locator('#play').scrollIntoViewIfNeeded();
  await page.evaluate(() => document.querySelector('#play').scrollIntoView());
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(docs, 'page-play.png') });
}, { viewport: { width: 1000, height: 860 }, colorScheme: 'dark' });

await chromium.close();
