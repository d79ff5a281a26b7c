#!/usr/bin/env node
// Follows a live presentation with a JavaScript player in headless Chromium, for a while.
//
//   follow.mjs CLIENT MANIFEST_URL [--seconds N] [--began EPOCH_SECONDS] [--most-behind SECONDS] [--live-delay SECONDS] [--to-end]
//
// MANIFEST_URL is that of Smooth Streaming: the manifests of DASH and HLS lie beside it.
//
// Counts as followed: it starts within 40 s, and from then on for N seconds its time advances as the clock does: no more than
// one second is lost in all, and what a player jumps over is lost, too. Time that is lost while what comes next is in the buffer is not counted, up to half of N: the
// server has done its part, and the machine decodes or draws too slowly. It is printed. Pictures and sound are decoded to the end, the media element meets no error, and no request to
// the origin is answered with an error but 412, which says that a fragment is still to come. A player that asks for a fragment
// that is not announced is counted, and printed.
// With --began, the time of the clock at which media time 0 was recorded, the distance behind that is printed: the latency of the
// whole chain, and the time of the clock at which the first manifest came. With --most-behind, a longer one is a failure. With
// --live-delay, the player is set to this distance from the live edge (dash.js, Shaka Player, hls.js). With --to-end, a line `followed`
// comes before the other one, and the player then has 90 s to play what is left of an event that ends, and to say that it
// has ended.

import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { BROWSERS, FLAGS, STARTS_WITHIN as LAUNCHES_WITHIN, load, onPath, servePage } from '../players/browser.mjs';

const STARTS_WITHIN = 40;
const LOST_AT_MOST = 1;
const ENDS_WITHIN = 90;

const SHAKA_4 = ['node_modules/codem-isoboxer/dist/iso_boxer.min.js', 'node_modules/shaka-player/dist/shaka-player.compiled.js'];
const SHAKA_5 = ['node_modules/shaka-player-5/dist/shaka-player.compiled.js'];

const playWithDashJs = (video, url, tell) => {
  const player = dashjs.MediaPlayer().create();
  player.on('error', ({ error }) => tell(`dash.js error ${error.code ?? ''}: ${error.message ?? error}`));
  if (window.liveDelay) player.updateSettings({ streaming: { delay: { liveDelay: window.liveDelay } } });
  player.initialize(video, url, true);
};

const playWithShaka = (video, url, tell) => {
  const told = (error) => tell(`Shaka Player error ${error.code}: ${error.message} ${JSON.stringify(error.data)}`);
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.addEventListener('error', ({ detail }) => told(detail));
  if (window.liveDelay) {
    player.configure({ manifest: { defaultPresentationDelay: window.liveDelay, dash: { ignoreSuggestedPresentationDelay: true } } });
  }
  player.attach(video).then(() => player.load(url)).then(() => video.play()).catch(told);
};

const playWithRx = (transport) => `(video, url, tell) => {
  const player = new RxPlayer({ videoElement: video });
  player.addEventListener('error', (error) => tell('RxPlayer error ' + error.code + ': ' + error.message));
  player.loadVideo({ url, transport: '${transport}', autoPlay: true });
}`;

const CLIENTS = {
  dashjs: { scripts: ['all', 'mss'].map((part) => `node_modules/dashjs/dist/modern/umd/dash.${part}.min.js`), start: playWithDashJs },
  'rxplayer': { scripts: ['rx-player.js'], start: playWithRx('smooth') },
  'dashjs-dash': { manifest: 'manifest.mpd', scripts: ['node_modules/dashjs/dist/modern/umd/dash.all.min.js'], start: playWithDashJs },
  'shaka-dash': { manifest: 'manifest.mpd', scripts: SHAKA_5, start: playWithShaka },
  'rx-dash': { manifest: 'manifest.mpd', scripts: ['rx-player.js'], start: playWithRx('dash') },
  'shaka-hls': { manifest: 'master.m3u8', scripts: SHAKA_5, start: playWithShaka },
  'hls.js': {
    manifest: 'master.m3u8',
    scripts: ['node_modules/hls.js/dist/hls.min.js'],
    start: (video, url, tell) => {
      const player = new Hls(window.liveDelay ? { liveSyncDuration: window.liveDelay } : {});
      player.on(Hls.Events.ERROR, (_, { fatal, type, details, error }) => {
        if (fatal) tell(`hls.js error ${type} ${details}: ${error?.message}`);
      });
      player.loadSource(url);
      player.attachMedia(video);
      player.on(Hls.Events.MANIFEST_PARSED, () => video.play());
    },
  },
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    players: { type: 'string', default: fileURLToPath(new URL('../../target/players', import.meta.url)) },
    browser: { type: 'string', default: BROWSERS.map(onPath).find(Boolean) },
    seconds: { type: 'string', default: '20' },
    began: { type: 'string' },
    'most-behind': { type: 'string' },
    'live-delay': { type: 'string' },
    'to-end': { type: 'boolean', default: false },
  },
});
const [name, url] = positionals;
const client = CLIENTS[name];
if (!client || !url) {
  console.error(`follow.mjs: CLIENT MANIFEST_URL, and the client is one of ${Object.keys(CLIENTS).join(', ')}`);
  process.exit(2);
}

let [word, seen] = ['played', ''];
try {
  seen = await follow();
} catch (error) {
  [word, seen] = ['failed', error.message.trim().split(/\s*\n\s*/).slice(0, 3).join(' / ')];
  process.exitCode = 1;
}
console.log(`${word}  ${name.padEnd(11)}  ${decodeURI(new URL(url).pathname)}  live  ${seen}`);

async function follow() {
  const pages = await servePage(client, options.players);
  const { chromium } = load(options.players);
  const browser = await chromium.launch({ executablePath: options.browser, headless: true, args: FLAGS, timeout: LAUNCHES_WITHIN });
  try {
    const page = await browser.newPage();
    return await watch(page, pages.address);
  } finally {
    await browser.close();
    pages.server.close();
  }
}

async function watch(page, address) {
  const { origin } = new URL(url);
  const problems = [];
  const counts = { answers: 0, early: 0 };
  let manifest = 0;
  page.on('response', (response) => {
    if (!response.url().startsWith(`${origin}/`)) return;
    counts.answers += 1;
    // hls.js places itself by the playlist of a quality, not by the first one.
    if (/Manifest$|\.mpd$|\.m3u8$/.test(response.url()) && !/master\.m3u8$/.test(response.url())) manifest ||= Date.now() / 1000;
    if (response.status() === 412) counts.early += 1;
    else if (response.status() >= 400) problems.push(`${response.status()} for ${decodeURI(response.url())}`);
  });
  page.on('pageerror', (error) => problems.push(`error in the page: ${error.message}`));
  await page.goto(address);
  await page.evaluate((delay) => { window.liveDelay = delay; }, Number(options['live-delay'] ?? 0));
  await page.evaluate(`(${begin})(${client.start}, ${JSON.stringify(new URL(client.manifest ?? url, url).href)})`);

  const look = async () => {
    const now = await page.evaluate(() => window.look());
    if (now.failed) problems.push(now.failed);
    if (problems.length > 0) throw new Error([...new Set(problems)].slice(0, 3).join('; '));
    return now;
  };
  const begun = Date.now();
  let first = await look();
  while (!(first.time > 0 && first.video > 0 && first.audio > 0 && !first.paused && first.ready >= 3)) {
    if (Date.now() - begun > STARTS_WITHIN * 1000) throw new Error(`has not started within ${STARTS_WITHIN} s: ${JSON.stringify(first)}`);
    await sleep(100);
    first = await look();
  }
  // A player may seek once to its distance from the live edge.
  await sleep(1000);
  first = await look();
  let last = first;
  let behind = [];
  let jumped = 0; // seconds that were not shown
  let [stalled, longest] = [0, 0]; // seconds without progress: now, and at most
  let held = 0; // seconds that were lost although they were in the buffer
  const until = Date.now() + Number(options.seconds) * 1000;
  while (Date.now() < until) {
    await sleep(250);
    const before = last;
    last = await look();
    held += heldUp(before, last);
    const [passed, shown] = [last.clock - before.clock, last.time - before.time];
    // Players that are late play a little faster.
    if (shown > 1.3 * passed + 0.3) jumped += shown - passed;
    stalled = shown > 0 ? 0 : stalled + passed;
    longest = Math.max(longest, stalled);
    if (options.began) behind.push(last.clock - Number(options.began) - last.time);
  }
  const lost = (last.clock - first.clock) - (last.time - first.time) + jumped;
  if (lost - held > LOST_AT_MOST || held > Number(options.seconds) / 2) {
    throw new Error(`lost ${lost.toFixed(2)} s in ${options.seconds} s, of which ${held.toFixed(2)} s were in the buffer and ${jumped.toFixed(2)} s jumped over; at most ${longest.toFixed(2)} s at a time: ${JSON.stringify(last)}`);
  }
  if (!(last.video > first.video && last.audio > first.audio)) throw new Error(`decodes no more: ${JSON.stringify([first, last])}`);
  const [from, to] = [behind[0], behind.at(-1)];
  behind = behind.sort((one, other) => one - other);
  const median = behind[behind.length >> 1];
  if (options['most-behind'] && !(median <= Number(options['most-behind']))) {
    throw new Error(`is ${median?.toFixed(2)} s behind, and ${options['most-behind']} s are the most`);
  }
  const distance = options.began ? `, ${median.toFixed(2)} s behind the recording (${from.toFixed(2)} at first, ${to.toFixed(2)} at last), first manifest at ${manifest.toFixed(2)}` : '';
  const slow = held > 0.1 ? `, ${held.toFixed(2)} s lost by a busy machine` : '';
  const end = options['to-end'] ? await playToEnd(look) : '';
  return `${(last.time - first.time).toFixed(1)} s in ${(last.clock - first.clock).toFixed(1)} s${slow}${distance}, ${counts.answers} answers, ${counts.early} of them 412${end}`;
}

async function playToEnd(look) {
  console.log('followed');
  const until = Date.now() + ENDS_WITHIN * 1000;
  let now = await look();
  while (!now.ended) {
    if (Date.now() > until) throw new Error(`has not ended within ${ENDS_WITHIN} s: ${JSON.stringify(now)}`);
    await sleep(250);
    now = await look();
  }
  return `, ended at ${now.time.toFixed(2)} s`;
}

/** The seconds that playing fell behind the clock while it had all of them in the buffer and was not told to pause. */
function heldUp(before, now) {
  const passed = now.clock - before.clock;
  const [, end] = before.buffered.find(([start, end]) => start <= before.time && before.time < end) ?? [];
  const isHeldUp = !before.paused && !now.paused && end >= before.time + passed;
  return isHeldUp ? Math.max(0, passed - (now.time - before.time)) : 0;
}

// Runs in the page.
function begin(start, url) {
  const video = document.querySelector('video');
  window.look = () => ({
    clock: Date.now() / 1000,
    time: video.currentTime,
    paused: video.paused,
    ended: video.ended,
    ready: video.readyState,
    video: video.getVideoPlaybackQuality().totalVideoFrames,
    audio: video.webkitAudioDecodedByteCount,
    buffered: Array.from({ length: video.buffered.length }, (_, i) => [video.buffered.start(i), video.buffered.end(i)]),
    failed: window.failed,
  });
  video.addEventListener('error', () => { window.failed ??= `media error ${video.error?.code}: ${video.error?.message}`; });
  start(video, url, (message) => { window.failed ??= message; });
}
