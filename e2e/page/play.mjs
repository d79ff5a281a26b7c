// Plays in Chromium: decoded frames, seeking, choices, the position on the timeline, and failures in words.

import { strict as assert } from 'node:assert';

import { addressOf, inPage, until } from './browser.mjs';

const now = (page) => page.evaluate(() => {
  const video = document.querySelector('video');
  return {
    time: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames, width: video.videoWidth, seeking: video.seeking,
  };
});

async function start(page, url, title, format) {
  await page.goto(addressOf(url, title));
  await page.locator('.start').waitFor();
  await page.locator(`input[value=${format}]`).check();
  await page.locator('.start button').click();
  return until(`${format} plays`, async () => {
    const seen = await now(page);
    return seen.time > 0.5 && seen.frames > 10 && seen;
  });
}

const playing = (format) => ({ url, chromium }) => inPage(chromium, async (page) => {
  await start(page, url, 'ladder/ladder.ism', format);
  const number = (name) => page.locator(`[data-number=${name}]`).innerText();
  await until('the first picture is measured', async () => /after the click/.test(await number('first')));
  const first = await number('first');
  // The best quality, then the least.
  const quality = page.getByLabel('Quality');
  await until('qualities are offered', async () => await quality.locator('option').count() === 4);
  for (const [place, width] of [[1, 320], [3, 160]]) {
    await quality.selectOption({ index: place });
    await until(`${width} pixels wide`, async () => (await now(page)).width === width);
  }
  await until('the number says so', async () => /160 × 90/.test(await number('quality')));
  const requests = page.locator('.requests tbody');
  const language = page.getByLabel('Language');
  await language.selectOption({ index: 1 });
  await until('French is asked for', async () => /audio_fra/.test(await requests.innerText()));
  assert.match(await requests.innerText(), /200\s+[\d.]+ k?B\s+[\d.]+ m?s/);
  // A seek goes on with new frames.
  await page.evaluate(() => { document.querySelector('video').currentTime = 16.3; });
  const before = (await now(page)).frames;
  await until('plays on after a seek', async () => {
    const seen = await now(page);
    return !seen.seeking && seen.time > 16.8 && seen.frames > before + 10;
  });
  const { width } = await page.locator('.picture').boundingBox();
  // The line and the time of one moment.
  const line = await page.locator('.playing').evaluate((shown) => ({
    isHidden: shown.hidden, at: new DOMMatrix(getComputedStyle(shown).transform).e, time: document.querySelector('video').currentTime,
  }));
  assert.equal(line.isHidden, false);
  assert.ok(Math.abs(line.at / width - line.time / 24) < 0.05, `the line is at ${line.at} of ${width}, at ${line.time} s`);
  assert.match(await number('buffer'), /\d s/);
  const { frames } = await now(page);
  return `first picture ${first}, ${frames} frames`;
}, { expected: /Applying inline style/ });

const texts = (format) => ({ url, chromium }) => inPage(chromium, async (page) => {
  await start(page, url, 'dialects/captions/captions.ism', format);
  const text = page.getByLabel('Text');
  await until('texts are offered', async () => await text.locator('option').count() === 4);
  const shown = () => page.evaluate(() => {
    const cues = [...document.querySelector('video').textTracks].filter((track) => track.mode === 'showing')
      .flatMap((track) => [...(track.activeCues ?? [])].map((cue) => cue.text ?? ''));
    return [document.querySelector('.captions').innerText, ...cues].join(' ').trim();
  });
  const cue = async (what, isOther) => until(what, async () => {
    await page.evaluate(() => { const video = document.querySelector('video'); if (video.currentTime > 8) video.currentTime = 0.5; });
    const seen = await shown();
    return isOther(seen) && seen;
  });
  await text.selectOption({ index: 1 });
  const english = await cue('an English cue is shown', (seen) => seen);
  await text.selectOption({ index: 2 });
  const german = await cue('a German cue is shown', (seen) => seen && seen !== english);
  await text.selectOption({ index: 0 });
  await until('no cue is shown', async () => !(await shown()));
  return JSON.stringify([english, german]);
}, { expected: /Applying inline style/ });

export const play = {
  'plays DASH': playing('dash'),
  'plays HLS': playing('hls'),
  'plays Smooth Streaming': playing('smooth'),
  'shows texts of DASH': texts('dash'),
  'shows texts of HLS': texts('hls'),
  'shows texts of Smooth Streaming': texts('smooth'),

  'another format takes over while one plays': ({ url, chromium }) => inPage(chromium, async (page) => {
    await start(page, url, 'split/split.ism', 'dash');
    await page.locator('input[value=hls]').check();
    await until('asks for playlists', async () => /m3u8/.test(await page.locator('.requests').innerText()));
    await until('HLS plays', async () => (await now(page)).time > 0.5);
    assert.equal(new URL(page.url()).searchParams.get('format'), 'hls');
  }),

  'a key on the timeline seeks': ({ url, chromium }) => inPage(chromium, async (page) => {
    await start(page, url, 'ladder/ladder.ism', 'dash');
    const picture = page.locator('.picture');
    await picture.focus();
    await picture.press('End');
    await picture.press('ArrowLeft');
    await picture.press('s');
    await until('plays there', async () => (await now(page)).time >= 20);
  }),

  'plays from a fragment on': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(addressOf(url, 'ladder/ladder.ism', { stream: 0, track: 1, fragment: 6 }));
    await page.locator('.start').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'Play from here' }).click();
    await until('plays there', async () => (await now(page)).time > 14.2 && (await now(page)).frames > 5);
  }),

  'an error of the player is in words': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.route('**/ladder.ism/*.mpd', (route) => route.fulfill({ status: 503, body: 'no' }));
    await page.goto(addressOf(url, 'ladder/ladder.ism', { format: 'dash' }));
    await page.locator('.start button').click();
    await page.locator('.play .notice.bad').waitFor();
    const said = await page.locator('.play .notice.bad').innerText();
    assert.match(said, /dash\.js reports/);
    assert.match(said, /503/);
    return said.split('\n')[0];
  }, { expected: /status of 503/ }),

  'a codec that the browser does not decode is named': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.route('**/-/api/presentation?**', async (route) => {
      const answer = await (await route.fetch()).json();
      for (const track of answer.streams[0].tracks) Object.assign(track, { codec: 'VC-1 Advanced', rfc6381: 'vc-1', fourcc: 'WVC1' });
      route.fulfill({ json: answer });
    });
    await page.goto(addressOf(url, 'ladder/ladder.ism'));
    await page.getByText('does not decode the pictures of this presentation: VC-1 Advanced (vc-1)').waitFor();
    await page.locator('#tracks').getByText('not decoded by this browser').first().waitFor();
  }),

  'an encrypted presentation is said to be so': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.goto(addressOf(url, 'dialects/playready/playready.ism'));
    await page.locator('#play').getByText('is encrypted (').waitFor();
    assert.equal(await page.locator('.start').count(), 0);
  }),

  'a build without players says how to get one': ({ url, chromium }) => inPage(chromium, async (page) => {
    await page.route('**/-/api/server', async (route) => {
      route.fulfill({ json: { ...await (await route.fetch()).json(), players: {} } });
    });
    await page.goto(addressOf(url, 'ladder/ladder.ism'));
    await page.getByText('This build of the server has no player.').waitFor();
    await page.getByText('npm').waitFor();
  }),
};
