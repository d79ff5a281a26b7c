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

export const live = {
  'live: points, encoders and tracks are shown, played, stopped and started': ({ serve, chromium }) => serveLive(serve, (url) => inPage(chromium, async (page) => {
    await page.goto(url);
    await page.getByText('There are no presentations here').waitFor();
    assert.equal(await page.locator('.live-points').isVisible(), false, 'nothing was pushed');
    const encoder = push(url);
    try {
      // Without reload.
      await until('the point is listed', async () => /started.*1 of 1.*bit\/s/s.test(await row(page).innerText().catch(() => '')));
      await page.screenshot({ path: join(process.env.SHOTS, 'live-list.png'), fullPage: true });
      assert.deepEqual(await serious(page), [], 'the list');
      await row(page).getByRole('link').click();
      const part = page.locator('.live-part');
      await until('the encoder is shown', async () => /127\.0\.0\.1\s+enc1\s+yes/.test(await part.innerText()));
      await until('the tracks are shown', async () => await part.locator('.live-stream').count() === 3);
      const fragments = () => part.locator('.live-stream td.number').nth(1).innerText();
      const before = Number(await fragments());
      await until('fragments are counted', async () => Number(await fragments()) > before);

      await page.locator('input[value=dash]').check();
      await page.locator('.start button').click();
      const played = await until('it plays live', () => page.evaluate(() => {
        const { totalVideoFrames } = document.querySelector('video').getVideoPlaybackQuality();
        return totalVideoFrames > 25 && { totalVideoFrames };
      }));
      await page.screenshot({ path: join(process.env.SHOTS, 'live-point.png'), fullPage: true });

      assert.deepEqual(await serious(page), [], 'the point');
      await part.getByRole('button', { name: `Stop ${POINT}` }).click();
      await until('it is stopped', async () => /stopped/.test(await part.innerText()));
      assert.equal(await encoder.status, 503);
      assert.equal(await part.getByRole('button', { name: `Stop ${POINT}` }).isDisabled(), true);
      await part.getByRole('button', { name: `Start ${POINT}` }).click();
      await until('it may be pushed again', async () => /idle/.test(await part.innerText()));
      return `${played.totalVideoFrames} frames`;
    } finally {
      encoder.end();
    }
  }, { expected: /Applying inline style|status of 4\d\d/ })),
};
