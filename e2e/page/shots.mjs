// Screenshots, for people to look at.

import { join } from 'node:path';

import { addressOf, inPage } from './browser.mjs';
import { long } from './long.mjs';

const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true },
};

const shots = (look) => ({ url, chromium }) => inPage(chromium, async (page) => {
  const shot = (name) => page.screenshot({ path: join(process.env.SHOTS, `${name}-${look}.png`), fullPage: true });
  await page.goto(url);
  await page.locator('.titles a').first().waitFor();
  await page.getByRole('button', { name: 'Check these' }).click();
  await page.getByText(/of \d+ checked/).waitFor();
  await shot('list');
  for (const title of ['archive', 'missing', 'captions', 'playready']) {
    await page.goto(addressOf(url, `dialects/${title}/${title}.ism`));
    await page.locator('.picture').waitFor();
    await page.waitForTimeout(200);
    await shot(title);
  }
  await page.locator('.stream td button.link').first().click();
  await page.locator('.head-boxes .tree').first().waitFor();
  await shot('head');
  await page.goto(addressOf(url, 'ladder/ladder.ism', { stream: 0, track: 1, fragment: 3 }));
  await page.locator('.tree').first().waitFor();
  await page.locator('.start button').click();
  await page.waitForTimeout(2500);
  await shot('ladder');
  await long(page, url);
  await shot('long');
}, LOOKS[look]);

export const screenshots = Object.fromEntries(Object.keys(LOOKS).map((look) => [`screenshots: ${look}`, shots(look)]));
