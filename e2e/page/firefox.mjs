// The same page in Firefox, briefly.

import { strict as assert } from 'node:assert';
import { join } from 'node:path';

import { addressOf, PATIENCE, until } from './browser.mjs';

async function inFirefox(launch, use) {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.setDefaultTimeout(PATIENCE * 1000);
    await page.setViewport({ width: 1240, height: 900 });
    const seen = await use(page);
    assert.deepEqual(problems, []);
    return seen;
  } finally {
    await browser.close();
  }
}

const text = (page, selector) => page.$eval(selector, (one) => one.textContent).catch(() => '');

export const firefox = {
  'Firefox: the list, the timeline, a fragment': ({ url, firefox: launch }) => inFirefox(launch, async (page) => {
    await page.goto(url);
    await page.waitForSelector('.titles a');
    await page.type('#search', 'ladder');
    await until('only ladder is left', async () => (await page.$$('.titles a')).length === 1);
    await page.click('.titles a');
    await page.waitForSelector('.picture');
    await page.focus('.picture');
    await page.keyboard.press('ArrowRight');
    await until('says fragment 1', async () => /fragment 1:/.test(await text(page, '.spoken')));
    const before = await text(page, '.range');
    await page.keyboard.press('+');
    await until('zooms', async () => await text(page, '.range') !== before);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.tree');
    await page.screenshot({ path: join(process.env.SHOTS, 'firefox.png'), fullPage: true });
  }),

  'Firefox: plays DASH, HLS and Smooth Streaming': ({ url, firefox: launch }) => inFirefox(launch, async (page) => {
    const seen = [];
    for (const format of ['dash', 'hls', 'smooth']) {
      await page.goto(addressOf(url, 'ladder/ladder.ism', { format }));
      await page.waitForSelector('.start button');
      await page.click('.start button');
      const now = () => page.evaluate(() => {
        const video = document.querySelector('video');
        return { time: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames };
      });
      await until(`${format} plays`, async () => { const { time, frames } = await now(); return time > 0.5 && frames > 10; });
      await page.evaluate(() => { document.querySelector('video').currentTime = 16.3; });
      const { frames: before } = await now();
      await until(`${format} plays after a seek`, async () => { const { time, frames } = await now(); return time > 16.7 && frames > before + 5; });
      seen.push(`${format} ${(await now()).frames} frames, first picture ${await text(page, '[data-number=first]')}`);
    }
    return seen.join('; ');
  }),
};
