// One presentation: facts, findings, tracks, addresses.

import { strict as assert } from 'node:assert';

import { addressOf, inPage } from './browser.mjs';

export const presentation = {
  'a presentation shows its tracks': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(addressOf(url, 'ladder/ladder.ism'));
    const tracks = page.locator('#tracks');
    await tracks.getByText('avc1.').first().waitFor();
    assert.equal(await tracks.locator('tbody tr').count(), 5);
    const text = await tracks.innerText();
    for (const part of ['H.264 High', 'AAC-LC', '320 × 180', '220 kbit/s', 'French (fr)', '48 kHz', 'ladder.ismv']) {
      assert.ok(text.includes(part), `${part} is missing`);
    }
  }),

  'findings say what to do': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(addressOf(url, 'dialects/missing/missing.ism'));
    await page.locator('.finding').first().waitFor();
    const text = await page.locator('#findings').innerText();
    assert.match(text, /What to do:/);
    return `${await page.locator('.finding').count()} kinds`;
  }),

  'the address of each format is copied': ({ url, chromium }) => inPage(chromium, async (page, context) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(addressOf(url, 'ladder/ladder.ism'));
    const buttons = page.locator('#addresses .copy');
    await buttons.first().waitFor();
    assert.ok(await buttons.count() >= 3);
    for (const button of await buttons.all()) {
      await button.click();
      await page.locator('#addresses .copy', { hasText: 'Copied' }).first().waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      const answer = await page.request.get(copied);
      assert.equal(answer.status(), 200, copied);
    }
  }),

  'a presentation that cannot be opened says why': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(addressOf(url, 'nothing/nothing.ism'));
    await page.locator('.notice.bad').waitFor();
    assert.match(await page.locator('.notice.bad').innerText(), /no presentation/);
  }, { expected: /status of 404/ }),

  'a server that does not answer is said to be so': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.route('**/-/api/presentation?**', (route) => route.abort());
    await page.goto(addressOf(url, 'ladder/ladder.ism'));
    await page.getByText('The server does not answer').waitFor();
  }, { expected: /ERR_FAILED/ }),
};
