// The page while an encoder pushes: the list of publishing points, the part of one of them, its player and its buttons.

import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { serious } from './accessibility.mjs';
import { inPage, until } from './browser.mjs';

const FILM = fileURLToPath(new URL('../../testdata/ladder/ladder.ismv', import.meta.url));
const FRAGMENT = 2000; // milliseconds
const LENGTH = 240_000_000n; // ticks of the film
const TFXD = Buffer.from('6d1d9b0542d544e680e2141daff757b2', 'hex');
const POINT = 'events/news.isml';
const BACK = 8; // seconds

/** Starts a server that takes pushes, and calls `use` with its URL. */
async function serveLive(serve, use) {
  const root = mkdtempSync(join(tmpdir(), 'live-'));
  const server = spawn(serve, ['--listen', '127.0.0.1:0', '--live', '--live-look-ahead', '1', root], { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const listening = await new Promise((found, failed) => {
      const look = (line) => { const [, address] = /(127\.0\.0\.1:\d+)/.exec(line) ?? []; if (address) found(address); };
      createInterface({ input: server.stdout }).on('line', look);
      createInterface({ input: server.stderr }).on('line', look);
      server.on('exit', () => failed(new Error(`${serve} ended`)));
    });
    return await use(`http://${listening}`);
  } finally {
    server.kill();
    rmSync(root, { recursive: true });
  }
}

/** The header of the film, and its fragments in the order of the file. */
function boxes() {
  const film = readFileSync(FILM);
  const [header, fragments] = [[], []];
  for (let at = 0; at < film.length;) {
    const size = film.readUInt32BE(at);
    const box = film.subarray(at, at + size);
    const type = film.toString('latin1', at + 4, at + 8);
    if (type === 'moof') fragments.push([box]);
    else if (type === 'mdat') fragments.at(-1).push(box);
    else if (type !== 'mfra') header.push(box);
    at += size;
  }
  return { header: Buffer.concat(header), fragments: fragments.map((parts) => Buffer.concat(parts)) };
}

/** The fragments of the film again and again, each time later. */
function* endless(fragments) {
  for (let round = 0n; ; round += 1n) {
    for (const fragment of fragments) {
      const later = Buffer.from(fragment);
      const at = later.indexOf(TFXD) + TFXD.length + 4; // behind version and flags
      later.writeBigUInt64BE(later.readBigUInt64BE(at) + round * LENGTH, at);
      yield later;
    }
  }
}

/**
 * Pushes the film: its first part at once, the rest as it would be recorded, and the film again when it is over, so that it
 * lasts for as long as a machine takes. Returns what ends the push.
 */
function push(url) {
  const { header, fragments } = boxes();
  const film = endless(fragments);
  const tracks = 5; // each has a fragment in turn
  const encoder = request(`${url}/${POINT}/Streams(enc1)`, { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } });
  const status = new Promise((answered) => {
    encoder.on('response', (response) => { response.resume(); answered(response.statusCode); });
    encoder.on('error', () => answered(0));
  });
  encoder.write(header);
  const write = (count) => { for (let left = count * tracks; left > 0; left -= 1) encoder.write(film.next().value); };
  write(4);
  const timer = setInterval(() => write(1), FRAGMENT);
  return { status, end() { clearInterval(timer); encoder.destroy(); } };
}

const row = (page) => page.locator('.live-points tbody tr');

const numberOf = async (page, key) => Number.parseFloat(await page.locator(`[data-number=${key}]`).innerText());

/** Whether the line of the player is on the timeline, and where: 0 is the left. */
const line = (page) => page.evaluate(() => {
  const [playing, stage] = [document.querySelector('.playing'), document.querySelector('.stage')];
  if (!playing || playing.hidden) return null;
  const [own, all] = [playing.getBoundingClientRect(), stage.getBoundingClientRect()];
  return (own.left - all.left) / all.width;
});

/** Nothing is wider than a phone, and axe-core finds nothing serious on it. */
async function phone(page, name) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  // The timeline is drawn anew a frame later.
  await until(`${name} is as wide as a phone`, () => page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth <= clientWidth;
  }));
  assert.deepEqual(await serious(page), [], `${name} on a phone`);
  await page.setViewportSize(size);
}

/** Plays by a format, and goes to the first fragment of the timeline and back to where it was. */
async function follows(page, format) {
  const isPlaying = await page.locator('.player').isVisible();
  await page.locator(`input[value=${format}]`).check();
  // Another format goes on by itself.
  if (!isPlaying) await page.locator('.start button').click();
  const played = await until(`${format} plays live`, () => page.evaluate(() => {
    const { totalVideoFrames } = document.querySelector('video').getVideoPlaybackQuality();
    return totalVideoFrames > 25 && { totalVideoFrames };
  }));
  // Until there is enough to go back: an event that has just begun is not much longer than the player's distance from the live edge.
  const [before, right] = await until(`${format}: the first fragment is ${BACK} s away`, async () => {
    const [behind, at] = [await numberOf(page, 'behind'), await line(page)];
    return behind > 0 && at !== null && behind / (1 - at) * at > BACK && [behind, at];
  });
  assert.ok(before < 60, `${format} is ${before} s behind`);
  await page.locator('.picture').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('s');
  const first = await until(`${format}: the line at the first fragment`, async () => {
    const at = await line(page);
    return at !== null && at < right * 0.8 && at;
  });
  const behind = await until(`${format}: further behind`, async () => {
    const now = await numberOf(page, 'behind');
    return now > before + 2 && now;
  });
  await page.locator('.picture').blur();
  return `${format}: ${played.totalVideoFrames} frames, ${before} s behind, from the first fragment ${behind} s; line at ${right.toFixed(2)}, then ${first.toFixed(2)}`;
}

export const live = {
  'live: points, encoders and tracks are shown, played, stopped and started': ({ serve, chromium }) => serveLive(serve, (url) => inPage(chromium, async (page) => {
    await page.goto(url);
    await page.getByText('There are no presentations here').waitFor();
    assert.equal(await page.locator('.live-points').isVisible(), false, 'nothing was pushed');
    let encoder = push(url);
    try {
      // Without reload.
      await until('the point is listed', async () => /started.*1 of 1.*bit\/s.*s ago/s.test(await row(page).innerText().catch(() => '')));
      await page.screenshot({ path: join(process.env.SHOTS, 'live-list.png'), fullPage: true });
      assert.deepEqual(await serious(page), [], 'the list');
      await phone(page, 'the list');
      await row(page).getByRole('link').click();
      const part = page.locator('.live-part');
      await until('the encoder is shown', async () => /127\.0\.0\.1\s+enc1\s+yes/.test(await part.innerText()));
      await until('the tracks are shown', async () => await part.locator('.live-stream').count() === 3);
      assert.match(await part.innerText(), /newest chunk \d+\.\d s ago.*players have snapshot \d+ of \d+, shown/s);
      const fragments = () => part.locator('.live-stream td.number').nth(1).innerText();
      const before = Number(await fragments());
      const table = part.locator('.live-stream .wide').nth(1);
      await table.focus();
      await until('fragments are counted', async () => Number(await fragments()) > before);
      assert.equal(await table.evaluate((of) => of === document.activeElement), true, 'the new table has the focus');
      await part.getByText(/^Last notices/).click();
      assert.match(await part.locator('.live-notices').innerText(), /encoder 127\.0\.0\.1 \(Streams\(enc1\)\) pushes/i);

      const played = [];
      for (const format of ['dash', 'hls']) played.push(await follows(page, format));
      await page.screenshot({ path: join(process.env.SHOTS, 'live-point.png'), fullPage: true });
      // What was read is not old.
      const label = () => page.locator('.picture').getAttribute('aria-label');
      const old = await label();
      await until('the timeline is read again', async () => await label() !== old);
      assert.deepEqual(await serious(page), [], 'the point');
      await phone(page, 'the point');

      // An event ends only after a question.
      const stop = part.getByRole('button', { name: `Stop ${POINT}` });
      const question = page.getByRole('dialog', { name: `Stop ${POINT}?` });
      await stop.focus();
      await page.keyboard.press('Enter');
      await question.waitFor();
      assert.deepEqual(await serious(page), [], 'the question');
      assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Let it go on');
      await page.keyboard.press('Escape');
      await question.waitFor({ state: 'hidden' });
      assert.equal(await stop.evaluate((button) => button === document.activeElement), true, 'the focus is back');
      assert.match(await part.innerText(), /started/);
      await stop.click();
      await question.getByRole('button', { name: 'End the event' }).click();
      await until('it is stopped', async () => /stopped/.test(await part.innerText()));
      assert.equal(await encoder.status, 503);
      assert.equal(await stop.isDisabled(), true);
      await until('the page has the film', async () => await page.locator('.fact.live').count() === 0);
      const start = part.getByRole('button', { name: `Start ${POINT}` });
      await until('the focus is not lost', () => start.evaluate((button) => button === document.activeElement));
      await start.click();
      await until('it may be pushed again', async () => /idle/.test(await part.innerText()));

      // The next event.
      encoder.end();
      encoder = push(url);
      await until('the page has the next event', async () => await page.locator('.fact.live').count() === 1);
      encoder.end();
      await until('the encoder is missed', async () => /No encoder pushes/.test(await part.locator('.troubles').innerText()));
      assert.deepEqual(await serious(page), [], 'without an encoder');
      await page.getByRole('link', { name: '← Presentations' }).click();
      await until('the list says so', async () => /no encoder/.test(await row(page).innerText().catch(() => '')));
      return played.join('; ');
    } finally {
      encoder.end();
    }
  }, { expected: /Applying inline style|status of 4\d\d/ })),
};
