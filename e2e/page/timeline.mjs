// The timeline: zoom, pan, keys, the chosen fragment and its boxes.

import { strict as assert } from 'node:assert';

import { addressOf, inPage, until } from './browser.mjs';

const LADDER = 'ladder/ladder.ism';
const range = (page) => page.locator('.range').innerText();
const query = (page) => Object.fromEntries(new URL(page.url()).searchParams);

async function open(page, url, more) {
  await page.goto(addressOf(url, LADDER, more));
  await page.locator('.picture').waitFor();
  await until('the picture is painted', () => page.evaluate(() => performance.getEntriesByName('timeline').length > 0));
}

/** Returns a point of the picture: a part of its width, and a row. */
async function point(page, part, row) {
  const box = await page.locator('.picture').boundingBox();
  const label = await page.locator('.label').nth(row).boundingBox();
  return [box.x + box.width * part, label.y + 40];
}

export const timeline = {
  'the picture has bars in the colours of the tracks': ({ url, chromium }) => inPage(chromium, async (page) => {
    await open(page, url);
    const colours = await page.locator('.picture').evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Map();
      for (let at = 0; at < data.length; at += 4) {
        const colour = data.slice(at, at + 3).join();
        seen.set(colour, (seen.get(colour) ?? 0) + 1);
      }
      return [...seen].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([colour]) => colour);
    });
    assert.ok(colours.includes('63,116,221') && colours.includes('35,144,126'), colours.join(' '));
  }),

  'wheel, buttons and keys zoom, and a drag pans': ({ url, chromium }) => inPage(chromium, async (page) => {
    await open(page, url);
    const whole = await range(page);
    await page.locator('.picture').scrollIntoViewIfNeeded();
    await page.mouse.move(...await point(page, 0.5, 0));
    const changes = {
      wheel: () => page.mouse.wheel(0, -300),
      drag: async () => {
        await page.mouse.down();
        await page.mouse.move(...await point(page, 0.7, 0), { steps: 5 });
        await page.mouse.up();
      },
      'button out': () => page.getByRole('button', { name: 'Zoom out' }).click(),
      'button in': () => page.getByRole('button', { name: 'Zoom in' }).click(),
      later: () => page.getByRole('button', { name: 'Later' }).click(),
      earlier: () => page.getByRole('button', { name: 'Earlier' }).click(),
      'key +': () => page.locator('.picture').press('+'),
      'key -': () => page.locator('.picture').press('-'),
      'key PageDown': () => page.locator('.picture').press('PageDown'),
      'key Shift+ArrowLeft': () => page.locator('.picture').press('Shift+ArrowLeft'),
    };
    for (const [name, change] of Object.entries(changes)) {
      const before = await range(page);
      await change();
      await until(`${name} changes the window from ${before}`, async () => await range(page) !== before);
    }
    // The address gets the window when it has not changed for a moment, perhaps also between two of the changes.
    let [address, since] = [null, 0];
    await until('the address has the window', () => {
      if (page.url() !== address) [address, since] = [page.url(), Date.now()];
      return query(page).from !== undefined && Date.now() - since > 1000;
    });
    const zoomed = await range(page);
    await page.reload();
    await until(`${zoomed} is back`, async () => await page.locator('.range').count() > 0 && await range(page) === zoomed);
    await page.locator('.picture').press('0');
    await until('all is in view', async () => await range(page) === whole);
    assert.equal(query(page).fragment, undefined, 'a drag chooses nothing');
  }),

  'two fingers zoom': ({ url, chromium }) => inPage(chromium, async (page, context) => {
    await open(page, url);
    await page.locator('.picture').scrollIntoViewIfNeeded();
    const before = await range(page);
    const protocol = await context.newCDPSession(page);
    const [middle, y] = await point(page, 0.5, 0);
    const touch = (type, spread) => protocol.send('Input.dispatchTouchEvent', {
      type, touchPoints: spread === null ? [] : [{ x: middle - spread, y, id: 0 }, { x: middle + spread, y, id: 1 }],
    });
    await touch('touchStart', 40);
    for (const spread of [50, 60, 80, 100]) await touch('touchMove', spread);
    await touch('touchEnd', null);
    await until('the window is shorter', async () => await range(page) !== before);
  }, { hasTouch: true }),

  'a click shows the boxes of a fragment, and back closes them': ({ url, chromium }) => inPage(chromium, async (page) => {
    await open(page, url);
    await page.locator('.picture').scrollIntoViewIfNeeded();
    await page.mouse.click(...await point(page, 0.52, 1));
    await page.locator('.tree').first().waitFor();
    const { stream, track, fragment } = query(page);
    assert.deepEqual([stream, track], ['0', '1']);
    const tree = await page.locator('.boxes').innerText();
    for (const part of ['moof', 'traf', 'tfhd', 'mdat', 'at 0,']) assert.ok(tree.includes(part), `no ${part} in ${tree}`);
    await page.locator('.boxes summary', { hasText: 'mfhd' }).click();
    assert.match(await page.locator('.boxes').innerText(), /sequence number/i);
    const next = page.getByRole('button', { name: 'Next' });
    await next.click();
    await until('the next one is shown', () => query(page).fragment === String(Number(fragment) + 1));
    await page.goBack();
    await until('the first one is shown', () => query(page).fragment === fragment);
    await page.reload();
    await page.locator('.tree').first().waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await until('it is closed', () => page.locator('.fragment').isHidden());
  }),

  'the download is the fragment as it is stored': ({ url, chromium }) => inPage(chromium, async (page) => {
    await open(page, url, { stream: 0, track: 2, fragment: 3 });
    await page.locator('.tree').first().waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
    const { createReadStream } = await import('node:fs');
    const chunks = [];
    for await (const chunk of createReadStream(await download.path())) chunks.push(chunk);
    const saved = Buffer.concat(chunks);
    const served = await (await page.request.get(await page.locator('.links .copy').getAttribute('data-text'))).body();
    assert.equal(saved.subarray(4, 8).toString(), 'moof');
    assert.ok(saved.equals(served));
    return `${saved.length} bytes`;
  }),

  'the keyboard goes through fragments and says which': ({ url, chromium }) => inPage(chromium, async (page) => {
    await open(page, url);
    const picture = page.locator('.picture');
    await picture.focus();
    const said = async (pattern) => until(`says ${pattern}`, async () => pattern.test(await page.locator('.spoken').innerText()));
    await said(/fragment 0: starts at 0:00\.000/);
    await picture.press('ArrowRight');
    await said(/fragment 1:/);
    await picture.press('End');
    await said(/fragment 11:/);
    await picture.press('ArrowDown');
    await said(/120 kbit\/s.*fragment 11:/);
    await picture.press('Home');
    await picture.press('Enter');
    await page.locator('.tree').first().waitFor();
    const { stream, track, fragment } = query(page);
    assert.deepEqual([stream, track, fragment], ['0', '1', '0']);
    await page.keyboard.press('Escape');
    await until('it is closed', () => page.locator('.fragment').isHidden());
    assert.ok(await picture.evaluate((one) => one === document.activeElement), 'Escape leads back to the picture');
  }),

  'gaps are a pattern, a table, and a key away': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(addressOf(url, 'dialects/archive/archive.ism'));
    const summary = page.locator('.irregular > summary');
    await summary.waitFor();
    assert.equal(await summary.innerText(), '3 gaps');
    await page.locator('.picture').press('n');
    await until('says a gap', async () => /a gap of .* follows/.test(await page.locator('.spoken').innerText()));
    await summary.click();
    await page.locator('.irregular button').nth(1).click();
    assert.ok(await page.locator('.picture').evaluate((picture) => picture === document.activeElement));
  }),
};
