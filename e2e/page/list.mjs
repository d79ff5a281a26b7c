// The list of presentations.

import { strict as assert } from 'node:assert';

import { inPage, until } from './browser.mjs';

const names = (page) => page.locator('.titles a').evaluateAll((links) => links.map((link) => (
  new URLSearchParams(new URL(link.href).search).get('title')
)));

export const list = {
  'the list has all presentations': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(url);
    await until('ladder is listed', async () => (await names(page)).includes('ladder/ladder.ism'));
    const shown = await names(page);
    assert.deepEqual(shown, [...shown].sort());
    return `${shown.length} presentations`;
  }),

  'the search narrows the list, and the address keeps it': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(url);
    await page.locator('.titles a').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('LADD');
    await until('only ladder is left', async () => (await names(page)).join() === 'ladder/ladder.ism');
    assert.equal(new URL(page.url()).searchParams.get('search'), 'LADD');
    await page.reload();
    await until('only ladder is left', async () => (await names(page)).join() === 'ladder/ladder.ism');
    await page.locator('#search').fill('no such name');
    await page.getByText('No name has this in it.').waitFor();
  }),

  'the keyboard goes from the search to a presentation and back': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(url);
    await page.locator('.titles a').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('split');
    await until('only split is left', async () => (await names(page)).join() === 'split/split.ism');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: 'split/split.ism' }).waitFor();
    assert.equal(await page.title(), 'split/split.ism · smooth-origin');
    await page.goBack();
    await until('the search is back', async () => (await page.locator('#search').inputValue()) === 'split');
  }),

  'more presentations are loaded as they come into view': ({ url, chromium }) => inPage(chromium, async (page) => {
    const all = Array.from({ length: 350 }, (_, at) => `title ${String(at).padStart(3, '0')}.ism`);
    await page.route('**/-/api/presentations?**', (route) => {
      const query = new URL(route.request().url()).searchParams;
      const rest = all.filter((name) => name > (query.get('after') ?? ''));
      const shown = rest.slice(0, Number(query.get('limit')));
      const next = rest.length > shown.length ? shown.at(-1) : null;
      route.fulfill({ json: { presentations: shown.map((name) => ({ name })), next, walked: 350, complete: true } });
    });
    await page.goto(url);
    await until('the first are shown', async () => (await names(page)).length >= 100);
    await until('all are shown', async () => {
      await page.mouse.wheel(0, 20_000);
      return (await names(page)).length === all.length;
    });
    assert.deepEqual(await names(page), all);
  }),

  'a list that is still being made says so, and goes on': ({ url, chromium }) => inPage(chromium, async (page) => {
    let asked = 0;
    await page.route('**/-/api/presentations?**', (route) => {
      asked += 1;
      const complete = asked > 2;
      const shown = ['a.ism', 'b.ism', 'c.ism'].slice(0, asked);
      route.fulfill({ json: { presentations: shown.map((name) => ({ name })), next: null, walked: asked, complete, problems: [{ what: 'locked: permission denied' }] } });
    });
    await page.goto(url);
    await page.getByText('still looking').waitFor();
    await until('the walk is over', async () => (await names(page)).join() === 'a.ism,b.ism,c.ism');
    await page.getByText('1 folder could not be read').click();
    await page.getByText('locked: permission denied').waitFor();
  }),

  'the button checks the presentations of the list, and the filter shows the sick': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(`${url}/?search=dialects`);
    await page.locator('.titles a').first().waitFor();
    const all = await names(page);
    await page.getByRole('button', { name: 'Check these' }).focus();
    await page.keyboard.press('Enter');
    await until('each has its health', async () => await page.locator('.titles .health:not(:empty)').count() === all.length);
    await page.getByText(`of ${all.length} checked`).waitFor();
    await page.getByLabel('Show').selectOption('unchecked');
    await page.getByText('All are checked.').waitFor();
    await page.getByLabel('Show').selectOption('sick');
    await until('the sick are left', async () => (await names(page)).includes('dialects/missing/missing.ism'));
    assert.equal(await page.locator('.titles .health.fine').count(), 0);
    return `${await page.locator('.titles a').count()} of ${all.length} are sick`;
  }),

  'a check of the list is stopped': ({ url, chromium }) => inPage(chromium, async (page) => {
    let asked = 0;
    await page.route('**/-/api/health?**', () => { asked += 1; });
    await page.goto(url);
    await page.locator('.titles a').first().waitFor();
    await page.getByRole('button', { name: 'Check these' }).click();
    await page.locator('progress').waitFor();
    await until('a few are asked for', () => asked === 3);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Check these' }).waitFor();
    assert.equal(asked, 3);
  }),

  'an error of the list is shown with its advice': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.route('**/-/api/presentations?**', (route) => route.fulfill({
      status: 500, json: { error: { what: 'the root cannot be read', file: '/srv/films', advice: 'run chmod', clause: null } },
    }));
    await page.goto(url);
    for (const text of ['The root cannot be read', '/srv/films', 'run chmod']) await page.locator('main').getByText(text, { exact: false }).waitFor();
  }, { expected: /status of 500/ }),
};
