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

  'a file of a track shows its boxes, by mouse and by keyboard': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(addressOf(url, 'ladder/ladder.ism'));
    const stream = page.locator('.stream').first();
    const file = stream.locator('td button.link').first();
    await file.click();
    await stream.locator('.head-boxes .tree .type', { hasText: 'moov' }).waitFor();
    const text = await stream.locator('.head-boxes').innerText();
    for (const part of ['ftyp', 'Head of ladder.ismv', 'trak']) assert.ok(text.includes(part), `${part} is missing`);
    assert.equal(await file.getAttribute('aria-expanded'), 'true');
    await page.keyboard.press('Escape');
    assert.equal(await stream.locator('.head-boxes').isVisible(), false);
    assert.ok(await file.evaluate((one) => one === document.activeElement), 'the focus is lost');
    await page.keyboard.press('Enter');
    await stream.locator('.head-boxes .type', { hasText: 'moov' }).waitFor();
    await file.click();
    assert.equal(await stream.locator('.head-boxes').isVisible(), false);
  }),

  'addresses to copy are where the presentations are': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.route('**/-/api/presentation?**', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ json: { ...await answer.json(), base: 'https://media.example.org:8443' } });
    });
    await page.goto(addressOf(url, 'ladder/ladder.ism', { stream: 0, track: 0, fragment: 1 }));
    await page.locator('.tree').first().waitFor();
    for (const copy of await page.locator('.copy').all()) {
      assert.match(await copy.getAttribute('data-text'), /^https:\/\/media\.example\.org:8443\/ladder\/ladder\.ism\//);
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
    assert.match(await page.locator('.notice.bad').innerText(), /no such file or folder/);
  }, { expected: /status of 404/ }),

  'a server that does not answer is said to be so': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.route('**/-/api/presentation?**', (route) => route.abort());
    await page.goto(addressOf(url, 'ladder/ladder.ism'));
    await page.getByText('The server does not answer').waitFor();
  }, { expected: /ERR_FAILED/ }),
};
