#!/usr/bin/env node
// Shows the text of testdata/dialects/captions as DASH and HLS in headless Chromium.
//
//   text.mjs CLIENT [OPTIONS] URL
//
// URL is that of captions.ism. Counts as played: the player lists each language once; for each it has the cues
// below, with the same text, start and end; and the browser shows one of them when the film is at its time.

import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { BROWSERS, FLAGS, STARTS_WITHIN, load, onPath, servePage } from './browser.mjs';

/** Start, end and text by language, in seconds from the beginning of the film, which is at 100 s of the media. */
const EXPECTED = {
  en: [
    [0.2, 1.7, 'First & foremost'], [4.5, 6.5, 'Over the border'], [7, 7.5, 'One line\nand another'], [8.04, 9.96, '1 < 2'],
  ],
  de: [[0.4, 1.8, 'Grüße'], [3, 3.5, 'aus Bremen'], [6.25, 7.25, 'drei  Wörter  weit'], [8.5, 9.5, 'ganz innen']],
  fr: [[1, 7, 'ENTRÉE'], [8.2, 9.4, 'SORTIE']],
};
const DASHJS = 'node_modules/dashjs/dist/modern/umd/dash.all.min.js';
const SHAKA = 'node_modules/shaka-player-5/dist/shaka-player.compiled.js';

// The functions `start` run in the page. They play `url` in `video` and return what lists the tracks, and what selects one.

const playWithShaka = async (video, url) => {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  // Shaka Player 5.2.12 shows text of HLS only once it has appended pictures behind its choice: some have to be left by then.
  player.configure('streaming.bufferingGoal', 2);
  await player.attach(video);
  await player.load(url);
  // Shaka Player 5.2.12 often keeps no cue of TTML that is chosen before there are pictures.
  while (video.readyState < 3) await new Promise((soon) => setTimeout(soon, 50));
  return {
    list: () => player.getTextTracks().map(({ language, codecs }) => ({ language, codecs })),
    select: (number) => player.selectTextTrack(player.getTextTracks()[number]),
    // Shaka Player 5.2.12 does not escape what it makes into a cue of the browser, which hides a `<` and what follows.
    isRaw: true,
  };
};

const playWithDashjs = async (video, url) => {
  const player = dashjs.MediaPlayer().create();
  const div = video.parentNode.appendChild(document.createElement('div'));
  const tracks = new Promise((added) => player.on('allTextTracksAdded', ({ tracks }) => added(tracks)));
  player.initialize(video, url, false);
  player.attachTTMLRenderingDiv(div);
  const added = await tracks;
  return {
    list: () => added.map(({ lang, codec }) => ({ language: lang, codecs: codec })),
    select: (number) => player.setTextTrack(number),
  };
};

const playWithRx = async (video, url) => {
  const player = new RxPlayer({ videoElement: video });
  const div = video.parentNode.appendChild(document.createElement('div'));
  // With `textTrackMode: 'native'`, RxPlayer 4.5.0 shows nothing: it removes its `<track>` when a text is chosen.
  player.loadVideo({ url, transport: 'dash', textTrackMode: 'html', textTrackElement: div });
  await new Promise((loaded) => player.addEventListener('playerStateChange', (state) => state === 'LOADED' && loaded()));
  const tracks = player.getAvailableTextTracks();
  return {
    list: () => tracks.map(({ language }) => ({ language })),
    select: (number) => player.setTextTrack(tracks[number].id),
    shown: () => div.innerText,
  };
};

const CLIENTS = {
  'hls.js': {
    manifest: 'master.m3u8',
    scripts: ['node_modules/hls.js/dist/hls.min.js'],
    start: async (video, url) => {
      const player = new Hls({ maxBufferLength: 60 });
      player.loadSource(url);
      player.attachMedia(video);
      await new Promise((parsed) => player.on(Hls.Events.MANIFEST_PARSED, parsed));
      return {
        list: () => player.allSubtitleTracks.map(({ lang, textCodec }) => ({ language: lang, codecs: textCodec })),
        select: (number) => { player.subtitleTrack = number; },
      };
    },
  },
  'shaka-hls': { manifest: 'master.m3u8', scripts: [SHAKA], start: playWithShaka },
  // Not reliable: Shaka Player 5.2.12 often keeps no cue of TTML in HLS if the film does not begin at 0.
  'shaka-imsc': { manifest: 'imsc.m3u8', scripts: [SHAKA], start: playWithShaka },
  'shaka-stpp': { manifest: 'manifest.mpd', scripts: [SHAKA], start: playWithShaka },
  'shaka-wvtt': { manifest: 'wvtt.mpd', scripts: [SHAKA], start: playWithShaka },
  'dashjs-stpp': { manifest: 'manifest.mpd', scripts: [DASHJS], start: playWithDashjs },
  'dashjs-wvtt': { manifest: 'wvtt.mpd', scripts: [DASHJS], start: playWithDashjs },
  'rx-stpp': { manifest: 'manifest.mpd', scripts: ['rx-player.js'], isDrawn: true, start: playWithRx },
  'rx-wvtt': { manifest: 'wvtt.mpd', scripts: ['rx-player.js'], isDrawn: true, start: playWithRx },
};

/** Runs in the page: starts the player and keeps every cue that a track has had. */
async function begin(start, url) {
  const video = document.querySelector('video');
  video.muted = true;
  window.seen = new Map();
  // dash.js keeps TTML as the nodes that it draws.
  const textOf = (node) => node.text ?? (node.kind === 'br' ? '\n' : (node.contents ?? []).map(textOf).join(''));
  const plain = (cue) => {
    if (window.player.isRaw) return cue.text.replaceAll(/<\/?[biu]>/g, '');
    if (cue.isd) return cue.isd.contents.map(textOf).join('\n');
    return cue.getCueAsHTML().textContent;
  };
  const keep = (start, end, text) => {
    if (text.trim() !== '') window.seen.set(`${start} ${end} ${text}`, [start, end, text]);
  };
  window.look = () => {
    const tracks = [...video.textTracks].filter((track) => track.mode === 'showing');
    tracks.flatMap((track) => [...track.cues ?? []]).forEach((cue) => keep(cue.startTime, cue.endTime, plain(cue)));
    const active = tracks.flatMap((track) => [...track.activeCues ?? []]).map(plain);
    const drawn = window.player.shown ? [window.player.shown()] : [];
    return { cues: [...window.seen.values()], active: [...active, ...drawn], seeking: video.seeking };
  };
  // Where a player has no cues, the times are those at which the text appears and disappears.
  const draw = (before, since) => {
    const text = window.player.shown().replaceAll('\u00a0', ' ');
    if (text !== before) {
      keep(since, video.currentTime, before);
      since = video.currentTime;
    }
    requestAnimationFrame(() => draw(text, since));
  };
  window.player = await start(video, url);
  if (window.player.shown) draw('', 0);
  return window.player.list();
}

/** Joins parts of a cue that follow each other: players divide cues at the borders of segments. */
function joined(cues, tolerance) {
  const all = cues.toSorted(([a], [b]) => a - b).map((cue) => [...cue]);
  const result = [];
  for (const cue of all) {
    const before = result.find(([, end, text]) => text === cue[2] && cue[0] <= end + tolerance);
    if (before) before[1] = Math.max(before[1], cue[1]);
    else result.push(cue);
  }
  return result;
}

function same(cues, expected, tolerance) {
  return cues.length === expected.length && cues.every(([start, end, text], number) => {
    const [expectedStart, expectedEnd, expectedText] = expected[number];
    return Math.abs(start - expectedStart) <= tolerance && Math.abs(end - expectedEnd) <= tolerance && text === expectedText;
  });
}

async function until(page, what, timeout, condition) {
  const deadline = Date.now() + timeout * 1000;
  for (;;) {
    const now = await page.evaluate(() => window.look());
    if (condition(now)) return now;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeout} s; ${JSON.stringify(now.cues)} ${JSON.stringify(now.active)}`);
    await sleep(100);
  }
}

async function attempt(client, url, options) {
  const { chromium } = load(options.players);
  const pages = await servePage(client, options.players);
  const browser = await chromium.launch({ executablePath: options.browser, headless: true, args: FLAGS, timeout: STARTS_WITHIN });
  // What is drawn has the times of frames, and HTML shows several spaces as one.
  const tolerance = client.isDrawn ? 0.25 : 0.002;
  const spaced = (text) => (client.isDrawn ? text.replaceAll(/ +/g, ' ') : text);
  const counts = [];
  const one = async (language) => {
    const expected = EXPECTED[language].map(([start, end, text]) => [start, end, spaced(text)]);
    const page = await browser.newPage();
    await page.goto(pages.address);
    const manifest = `${url.replace(/\/$/, '')}/${client.manifest}`;
    const tracks = await page.evaluate(`(${begin})(${client.start}, ${JSON.stringify(manifest)})`);
    if (options.list) console.log(JSON.stringify(tracks));
    const wanted = tracks.flatMap((track, number) => (track.language?.startsWith(language) ? [number] : []));
    if (wanted.length !== 1) throw new Error(`${wanted.length} tracks of ${language} in ${JSON.stringify(tracks)}`);
    await page.evaluate((number) => { window.seen.clear(); window.player.select(number); document.querySelector('video').play(); }, wanted[0]);
    await until(page, `all cues of ${language}`, options.timeout, ({ cues }) => same(joined(cues.map(([start, end, text]) => [start, end, spaced(text)]), tolerance), expected, tolerance));
    const [start, end, text] = expected.at(-1);
    await page.evaluate((time) => { document.querySelector('video').currentTime = time; }, (start + end) / 2);
    await until(page, `shows ${text}`, options.timeout, ({ active, seeking }) => !seeking && active.map(spaced).includes(text));
    await page.close();
    return `${expected.length} cues in ${language}`;
  };
  try {
    for (const language of Object.keys(EXPECTED)) {
      // On a busy machine, dash.js and Shaka Player sometimes show no text that is chosen while they load.
      const again = (error) => {
        if (!error.message.includes('not within')) throw error;
        return one(language);
      };
      counts.push(await one(language).catch(again));
    }
  } finally {
    await browser.close();
    pages.server.close();
  }
  return counts.join(', ');
}

const { values: options, positionals: [name, url] } = parseArgs({
  allowPositionals: true,
  options: {
    players: { type: 'string', default: fileURLToPath(new URL('../../target/players', import.meta.url)) },
    browser: { type: 'string', default: BROWSERS.map(onPath).find(Boolean) },
    timeout: { type: 'string', default: '40' },
    list: { type: 'boolean', default: false },
  },
});
if (!CLIENTS[name] || !url) {
  console.error(`text.mjs: CLIENT URL, and the client is one of ${Object.keys(CLIENTS).join(', ')}`);
  process.exit(2);
}
try {
  const seen = await attempt(CLIENTS[name], url, { ...options, timeout: Number(options.timeout) });
  console.log(`played  ${name.padEnd(8)}  ${new URL(url).pathname}  ${seen}`);
} catch (error) {
  console.log(`failed  ${name.padEnd(8)}  ${new URL(url).pathname}  ${error.message.trim().split(/\s*\n\s*/).slice(0, 3).join(' / ')}`);
  process.exitCode = 1;
}
