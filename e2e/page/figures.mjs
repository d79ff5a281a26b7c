// Figures, printed and not judged: how soon there is a picture, and how smoothly it zooms.

import { inPage } from './browser.mjs';
import { long } from './long.mjs';

export const figures = {
  'figures of three hours with ten tracks': ({ url, chromium }) => inPage(chromium, async (page) => {
    await long(page, url);
    await page.reload();
    await page.waitForFunction(() => performance.getEntriesByName('timeline').length > 0);
    const picture = await page.evaluate(() => performance.getEntriesByName('timeline')[0].startTime);
    await page.locator('.picture').scrollIntoViewIfNeeded();
    const { frames, slowest } = await page.evaluate(() => new Promise((done) => {
      const picture = document.querySelector('.picture');
      const { left, width, top } = picture.getBoundingClientRect();
      const began = performance.now();
      let [frames, last, slowest] = [0, began, 0];
      const next = (time) => {
        slowest = Math.max(slowest, time - last);
        last = time;
        if (time - began >= 2000) {
          done({ frames: frames / ((time - began) / 1000), slowest });
          return;
        }
        frames += 1;
        const deltaY = (frames % 120) < 60 ? -30 : 30;
        picture.dispatchEvent(new WheelEvent('wheel', { deltaY, clientX: left + width * 0.4, clientY: top + 50, cancelable: true, bubbles: true }));
        requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    }));
    return `first picture ${Math.round(picture)} ms after the address, ${frames.toFixed(1)} frames/s while zooming, the slowest ${slowest.toFixed(1)} ms`;
  }),
};
