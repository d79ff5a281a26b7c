// axe-core finds nothing serious, in light and dark, on wide and narrow pages; and the focus is visible.

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';

import { addressOf, inPage, pathTo } from './browser.mjs';

const STATES = {
  list: (url) => url,
  presentation: (url) => addressOf(url, 'dialects/archive/archive.ism'),
  fragment: (url) => addressOf(url, 'ladder/ladder.ism', { stream: 0, track: 0, fragment: 2 }),
  failure: (url) => addressOf(url, 'nothing.ism'),
};

export async function serious(page) {
  // In the isolated world of the tool: the page's policy allows no other script.
  const results = await page.evaluate(`${readFileSync(pathTo('axe-core'), 'utf8')}; axe.run(document, { resultTypes: ['violations'] })`);
  const bad = results.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  return bad.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, any }) => `${html} ${any[0]?.message ?? ''}`).join('; ')}`);
}

const judge = (colorScheme, width) => ({ url, chromium }) => inPage(chromium, async (page) => {
  for (const [name, address] of Object.entries(STATES)) {
    await page.goto(address(url));
    await page.waitForLoadState('networkidle');
    assert.deepEqual(await serious(page), [], name);
  }
  await page.goto(STATES.list(url));
  await page.getByRole('button', { name: 'Check these' }).click();
  await page.getByText(/of \d+ checked/).waitFor();
  assert.deepEqual(await serious(page), [], 'a checked list');
  await page.goto(STATES.presentation(url));
  await page.locator('.stream td button.link').first().click();
  await page.locator('.head-boxes .tree').first().waitFor();
  assert.deepEqual(await serious(page), [], 'head of a file');
  await page.goto(STATES.fragment(url));
  await page.locator('.start button').click();
  await page.locator('.requests tbody tr').first().waitFor();
  assert.deepEqual(await serious(page), [], 'playing');
}, { colorScheme, viewport: { width, height: 900 }, bypassCSP: false, expected: /status of 404/ });

export const accessibility = {
  'axe-core: light': judge('light', 1240),
  'axe-core: dark': judge('dark', 1240),
  'axe-core: phone': judge('light', 390),

  'Tab reaches every control, with a visible focus': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(addressOf(url, 'ladder/ladder.ism', { stream: 0, track: 0, fragment: 2 }));
    await page.locator('.tree').first().waitFor();
    const wanted = await page.evaluate(() => [...document.querySelectorAll('a[href], button:not(:disabled), input, summary, .picture')]
      .filter((one) => one.checkVisibility() && !(one.type === 'radio' && !one.checked)).length);
    const reached = new Set();
    for (let tab = 0; tab < wanted + 40; tab += 1) {
      await page.keyboard.press('Tab');
      const seen = await page.evaluate(() => {
        const one = document.activeElement;
        if (one === document.body) return null;
        one.dataset.reached ??= String(document.querySelectorAll('[data-reached]').length);
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        return { at: one.dataset.reached, is: one.matches('a[href], button, input, summary, .picture'), shown: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0, html: one.outerHTML.slice(0, 80) };
      });
      if (!seen) break;
      assert.ok(seen.shown, `no visible focus: ${seen.html}`);
      if (seen.is) reached.add(seen.at);
    }
    assert.equal(reached.size, wanted);
    return `${wanted} controls`;
  }),

  'a phone scrolls the page in one direction only': ({ url, chromium }) => inPage(chromium, async (page) => {
    for (const address of Object.values(STATES)) {
      await page.goto(address(url));
      await page.waitForLoadState('networkidle');
      const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(wide <= shown, `${address(url)} is ${wide} pixels wide`);
    }
  }, { viewport: { width: 360, height: 740 }, expected: /status of 404/ }),
};
