// Plays manifests with a JavaScript player in headless Chromium or Firefox, from a page of another origin.
//
// Counts as played: it starts and passes 4 s of media time, or 2 s in DASH and HLS, plays on after a seek into the chunk
// at 55 %, and ends after a seek into a chunk near the end, each time with newly decoded video and audio; in DASH and HLS
// the first seek is made while it pauses, and the frame that it shows lies within one frame of the target; the duration it
// sets is the manifest's within 0.1 s, and the end lies within 0.5 s of it; no request to the origin is answered with an
// error or refused by CORS, and the media element meets no error. In HLS, the players count from the first picture, end
// with the shorter stream, and close long gaps.
//
// A player whose `start` returns an object is told to change: from the lowest quality to the highest, which has to be
// wider, and to the last language of sound, which has to be asked for and, in Chromium, to be heard: the languages of
// testdata differ by more than an octave.
//
// A player is an object { name, manifest, scripts, start, inFirefox }:
//   name     shown in the report
//   manifest the manifest that it plays, relative to that of Smooth Streaming, which always says what has to be seen;
//            the latter itself if there is none
//   scripts  files below the folder of install.sh that the page loads, in order
//   start    an arrow function that runs in the page: (video, url, tell). It starts to play `url` in `video`, and calls
//            tell.failed(message) on an error the player does not get over. The media element's own error and end are
//            noticed anyway; tell.ended() is for a player that ends before its element does. It may return functions
//            { highest, otherLanguage } or one of them; with `highest` it has started with the lowest quality.
//   inFirefox  whether Firefox plays

import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
];
export const BROWSERS = ['chromium', 'google-chrome', 'chromium-browser'];
const FIREFOX = ['firefox-esr', 'firefox'];
const PREFERENCES = { 'media.autoplay.default': 0, 'media.autoplay.blocking_policy': 0 };
export const STARTS_WITHIN = 120_000; // milliseconds for a browser: more than one needs that does not hang
const DURATION_TOLERANCE = 0.1;
const END_TOLERANCE = 0.5;
const INTO_CHUNK = 0.2;
const LONGEST_FRAME = 0.05;
// The first picture of a stream with B frames is shown a few frames after the start of its chunk.
const FIRST_TOLERANCE = 0.15;

// Failures that a busy machine may cause: such a player plays once more, in a new browser. Refused requests and errors of the media are not
// among these.
const MAY_BE_BUSY = /not within \d+ s|^the first frame is at|Timeout \d+ms exceeded|Timed out after/;

const USAGE = `MANIFEST_URL...
  --players FOLDER  folder of install.sh (target/players)
  --browser FILE    Chromium's executable (the first of ${BROWSERS.join(', ')} on the PATH)
  --timeout SECONDS for each step: start, seek, end (90)`;

/** Reads the command line, plays every manifest it names, prints a line for each and sets the exit status. */
export async function main(player) {
  const { values: options, positionals: urls } = parseArgs({
    allowPositionals: true,
    options: {
      players: { type: 'string', default: fileURLToPath(new URL('../../target/players', import.meta.url)) },
      browser: { type: 'string', default: BROWSERS.map(onPath).find(Boolean) },
      timeout: { type: 'string', default: '90' },
    },
  });
  if (urls.length === 0) {
    console.error(`${player.name}: ${USAGE}`);
    process.exit(2);
  }
  for (const url of urls) {
    const started = Date.now();
    let [word, seen] = ['played', ''];
    try {
      seen = await attempt(player, url, options).catch(async (error) => {
        if (!MAY_BE_BUSY.test(error.message)) throw error;
        return `${await attempt(player, url, options)}; at try 2, before: ${inShort(error)}`;
      });
    } catch (error) {
      [word, seen] = ['failed', inShort(error)];
      process.exitCode = 1;
    }
    const path = decodeURI(addressOf(player, url).pathname);
    console.log(`${word}  ${player.name.padEnd(8)}  ${path}  ${((Date.now() - started) / 1000).toFixed(1)} s  ${seen}`);
  }
}

/** What an error says, in a line. */
function inShort(error) {
  return error.message.trim().split(/\s*\n\s*/).slice(0, 3).join(' / ');
}

/** The address of the manifest that a player plays. */
function addressOf(player, url) {
  return new URL(player.manifest ?? url, url);
}

/** Starts the browser with a fresh profile and plays one manifest. */
async function attempt(player, url, options) {
  const manifest = await fetchManifest(url);
  const pages = await servePage(player, options.players);
  try {
    const browser = await launch(player, options);
    try {
      const page = await browser.newPage();
      return await watch(page, pages.address, player, url, manifest, Number(options.timeout));
    } finally {
      await browser.close();
    }
  } finally {
    pages.server.close();
  }
}

/** Plays, seeks, plays on, ends; returns what was seen, throws what went wrong. */
async function watch(page, address, player, url, manifest, timeout) {
  const problems = [];
  const requests = watchRequests(page, url, problems);
  page.on('pageerror', (error) => problems.push(`error in the page: ${error.message}`));

  await page.goto(address);
  const { kinds, starts, first, widest, sounds, ...declared } = await page.evaluate(readManifest, [manifest, player.manifest]);
  if (kinds.length === 0) throw new Error(`${url} is no client manifest with video or audio`);
  const until = async (what, condition, before) => {
    const deadline = Date.now() + timeout * 1000;
    for (;;) {
      const now = await page.evaluate(look);
      if (now.failed || problems.length > 0) {
        // The browser gives the reason of a refused request after the refusal.
        for (let waited = 0; waited < 30 && !problems.some((problem) => problem.includes('CORS policy')); waited += 1) {
          if (waited > 20 && !problems.some((problem) => problem.includes('ERR_FAILED'))) break;
          await sleep(100);
        }
        throw new Error([...new Set([...problems, now.failed ?? []].flat())].slice(0, 3).join('; '));
      }
      const decoded = kinds.every((kind) => now[kind] > before[kind]);
      if (condition(now) && decoded) return now;
      if (Date.now() > deadline) {
        throw new Error(`${what}: not within ${timeout} s; ${JSON.stringify(now)}, before ${JSON.stringify(before)}`);
      }
      await sleep(100);
    }
  };

  const { longest, shortest } = declared;
  const margin = Math.min(2, shortest / 8); // seconds: how far it plays on after a seek, how near the end is "near"
  await page.evaluate(`(${begin})(${player.start}, ${JSON.stringify(addressOf(player, url).href)})`);
  const started = await until('starts and plays', (now) => now.time >= (player.manifest ? 1 : 2) * margin, { video: 0, audio: 0 });
  const { duration } = started;
  if (!(duration <= longest + DURATION_TOLERANCE && duration >= shortest - DURATION_TOLERANCE)) {
    const said = longest === shortest ? longest : `${shortest} to ${longest}`;
    throw new Error(`the player sets a duration of ${duration} s, the manifest says ${said} s`);
  }
  if (player.manifest && !(Math.abs(started.first - first) <= FIRST_TOLERANCE)) {
    throw new Error(`the first frame is at ${started.first} s, by the manifest at ${first} s`);
  }
  // Seeks go to just after the start of a chunk: Chromium 156 cannot start at some key frames of an open group of
  // pictures, which may lie further in, and fails on them in a plain MP4 file too.
  const near = (seconds) => starts.findLast((start) => start <= seconds) + INTO_CHUNK;
  const middle = near(duration * 0.55);
  let before = started;
  const offered = await page.evaluate(() => Object.keys(window.controls ?? {}));
  if (offered.includes('highest') && widest.few < widest.most) {
    before = await until(`shows a lower quality than ${widest.most} pixels`, (now) => now.width < widest.most, before);
    await page.evaluate(() => window.controls.highest());
    before = await until(`shows the highest quality, ${widest.most} pixels`, (now) => now.width === widest.most, before);
  }
  if (offered.includes('otherLanguage') && sounds.length > 1) {
    if (!player.inFirefox) await page.evaluate(listen); // Firefox has no AudioContext without a device
    // A pitch counts that is heard twice in a row: a machine that is busy makes clicks between tones.
    let heard = 0;
    const isSteady = (now) => {
      const isAgain = heard > 0 && Math.abs(Math.log2(now.pitch / heard)) < 0.1;
      heard = now.pitch;
      return isAgain;
    };
    const { pitch } = await until('is heard', (now) => player.inFirefox || isSteady(now), before);
    await page.evaluate(() => window.controls.otherLanguage());
    const isOther = (now) => player.inFirefox || (isSteady(now) && Math.abs(Math.log2(now.pitch / pitch)) > 1);
    const isAsked = () => [...requests.addresses].some((address) => address.includes(`/${sounds.at(-1)}-`));
    const what = `${sounds.at(-1)} is asked for and heard instead of ${pitch} Hz`;
    before = await until(what, (now) => isAsked() && isOther(now), before);
  }
  if (player.manifest) {
    await page.evaluate(seekAndPause, middle);
    const nothing = { video: -1, audio: -1 }; // a browser may have decoded the frame before
    const isShown = ({ shown }) => shown <= middle + 0.001 && middle - shown <= LONGEST_FRAME;
    before = await until(`shows the frame at ${middle} s after a seek`, (now) => !now.seeking && isShown(now), nothing);
    await page.evaluate(() => document.querySelector('video').play());
  } else {
    await page.evaluate(seek, middle);
  }
  const on = await until('plays on after a seek to 55 %', (now) => !now.seeking && now.time >= middle + margin, before);
  await page.evaluate(seek, near(duration - margin));
  const end = await until('ends after a seek near the end', (now) => now.ended, on);
  if (Math.abs(end.time - duration) > END_TOLERANCE) {
    throw new Error(`ends at ${end.time.toFixed(2)} s, the player's duration is ${duration.toFixed(2)} s`);
  }
  return `ended at ${end.time.toFixed(2)} s, ${end.video} frames, ${end.audio} audio bytes, ${requests.answered} answers`;
}

/** Counts the answers of the origin and notes those that are errors, and requests that got none. */
function watchRequests(page, url, problems) {
  const { origin } = new URL(url);
  const counted = { answered: 0, addresses: new Set() };
  page.on('response', (response) => {
    if (!response.url().startsWith(`${origin}/`)) return;
    counted.answered += 1;
    counted.addresses.add(decodeURI(response.url()));
    if (response.status() >= 400) problems.push(`${response.status()} for ${decodeURI(response.url())}`);
  });
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? 'no answer';
    if (['net::ERR_ABORTED', 'NS_BINDING_ABORTED'].includes(reason)) return; // the player gave it up itself, as it does on a seek
    if (request.url().startsWith(`${origin}/`)) problems.push(`${reason} for ${decodeURI(request.url())}`);
  });
  page.on('console', (message) => {
    if (message.text().includes('CORS policy')) problems.push(message.text());
  });
  return counted;
}

// begin, look, seek, seekAndPause, listen and readManifest run in the page.

function begin(start, url) {
  const video = document.querySelector('video');
  window.look = () => ({
    time: video.currentTime,
    duration: window.duration,
    seeking: video.seeking,
    video: video.getVideoPlaybackQuality().totalVideoFrames,
    // Firefox does not count audio; it does not play on without it.
    audio: video.webkitAudioDecodedByteCount ?? (video.mozHasAudio ? video.getVideoPlaybackQuality().totalVideoFrames : 0),
    ready: video.readyState,
    buffered: Array.from({ length: video.buffered.length }, (_, i) => [video.buffered.start(i), video.buffered.end(i)]),
    failed: window.failed,
    first: window.first,
    shown: window.shown,
    width: video.videoWidth,
    pitch: window.pitch?.(),
  });
  video.requestVideoFrameCallback((_, frame) => { window.first = frame.mediaTime; });
  // Once it has ended, nothing counts any more: dash.js may then seek back by itself, to where Chromium cannot start.
  const tell = {
    failed: (message) => { if (!window.end) window.failed ??= message; },
    ended: () => { window.end ??= { ...window.look(), ended: true }; },
  };
  video.addEventListener('ended', tell.ended);
  // A player may get over a broken fragment by starting anew; here that is a failure.
  video.addEventListener('error', () => tell.failed(`media error ${video.error?.code}: ${video.error?.message}`));
  // The first duration is the player's; at the end of the media the browser replaces it by where the media ends.
  video.addEventListener('durationchange', () => {
    if (Number.isFinite(video.duration)) window.duration ??= video.duration;
  });
  window.controls = start(video, url, tell);
}

function look() {
  return window.end ?? window.look();
}

function seek(seconds) {
  window.end = undefined;
  document.querySelector('video').currentTime = seconds;
}

/** Pauses, seeks, and notes the time of the frame that is shown. */
function seekAndPause(seconds) {
  const video = document.querySelector('video');
  const note = () => video.requestVideoFrameCallback((_, frame) => {
    window.shown = frame.mediaTime;
    note();
  });
  video.pause();
  note();
  video.currentTime = seconds;
}

/** Puts a meter in the way of the sound: `window.pitch` is the loudest frequency, in hertz. */
function listen() {
  const context = new AudioContext();
  const meter = context.createAnalyser();
  meter.fftSize = 8192;
  meter.smoothingTimeConstant = 0;
  context.createMediaElementSource(document.querySelector('video')).connect(meter).connect(context.destination);
  const loudness = new Float32Array(meter.frequencyBinCount);
  window.pitch = () => {
    meter.getFloatFrequencyData(loudness);
    const loudest = loudness.reduce((best, value, at) => (value > loudness[best] ? at : best), 0);
    return loudness[loudest] > -60 ? Math.round((loudest * context.sampleRate) / meter.fftSize) : 0;
  };
}

function readManifest([xml, played]) {
  const isHls = played?.endsWith('.m3u8');
  const root = new DOMParser().parseFromString(xml, 'text/xml').documentElement;
  const number = (element, name, otherwise) => Number(element?.getAttribute(name) ?? otherwise);
  const rootTimescale = number(root, 'TimeScale', 10_000_000);
  const streams = [...root.querySelectorAll('StreamIndex')];
  const kinds = ['video', 'audio'].filter((kind) => streams.some((stream) => stream.getAttribute('Type') === kind));
  const main = streams.find((stream) => stream.getAttribute('Type') === kinds[0]);
  const timescaleOf = (stream) => number(stream, 'TimeScale', rootTimescale);
  const begins = streams.filter((stream) => kinds.includes(stream.getAttribute('Type')))
    .map((stream) => number(stream.querySelector('c'), 't', 0) / timescaleOf(stream));
  const starts = [];
  let [ticks, gaps] = [number(main?.querySelector('c'), 't', 0), 0];
  for (const chunk of main?.querySelectorAll('c') ?? []) {
    const gap = (number(chunk, 't', ticks) - ticks) / timescaleOf(main);
    if (isHls && gap > 2) gaps += gap; // shorter ones are filled
    ticks = number(chunk, 't', ticks);
    for (let left = number(chunk, 'r', 1); left > 0; left -= 1) {
      starts.push(ticks / timescaleOf(main) - gaps);
      ticks += number(chunk, 'd', 0);
    }
  }
  const begin = Math.min(...begins);
  const first = starts[0] - begin;
  const end = starts.length > 0 ? ticks / timescaleOf(main) - begin : 0;
  const longest = number(root, 'Duration', 0) / rootTimescale || end;
  const late = isHls ? Math.max(...begins) - begin : 0;
  // DASH and HLS count from the first time.
  const counted = played ? starts.map((start) => start - begin) : starts;
  const widths = [...(main?.querySelectorAll('QualityLevel') ?? [])].map((level) => number(level, 'MaxWidth', 0));
  const widest = { few: Math.min(...widths), most: Math.max(...widths) };
  const sounds = streams.filter((stream) => stream.getAttribute('Type') === 'audio')
    .map((stream) => stream.getAttribute('Name'));
  return { kinds, longest, shortest: longest - gaps - 2 * late, starts: counted, first, widest, sounds };
}

async function fetchManifest(url) {
  const response = await fetch(url).catch((error) => {
    throw new Error(`cannot get ${url}: ${error.cause?.message ?? error.message}; is the origin running there?`);
  });
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const marks = { 'ff,fe': 'utf-16le', 'fe,ff': 'utf-16be' };
  const mark = [...bytes.subarray(0, 2)].map((byte) => byte.toString(16)).join();
  return new TextDecoder(marks[mark] ?? 'utf-8').decode(bytes);
}

async function launch(player, options) {
  const names = player.inFirefox ? FIREFOX : BROWSERS;
  const executablePath = player.inFirefox ? FIREFOX.map(onPath).find(Boolean) : options.browser;
  if (!executablePath) throw new Error(`none of ${names.join(', ')} is on the PATH: run install.sh`);
  if (!player.inFirefox) {
    const { chromium } = load(options.players, 'playwright-core');
    return chromium.launch({ executablePath, headless: true, args: FLAGS, timeout: STARTS_WITHIN });
  }
  // playwright-core drives a Firefox of its own only.
  const puppeteer = load(options.players, 'puppeteer-core');
  return puppeteer.launch({ browser: 'firefox', executablePath, headless: true, extraPrefsFirefox: PREFERENCES, timeout: STARTS_WITHIN });
}

export function load(players, name = 'playwright-core') {
  try {
    return createRequire(join(resolve(players), 'package.json'))(name);
  } catch (error) {
    throw new Error(`no ${name} in ${players}: run install.sh (${error.code})`);
  }
}

/** Serves the page and the player's scripts on a port of its own, so that the origin is another one to the browser. */
export async function servePage(player, players) {
  const scripts = player.scripts.map((script) => join(resolve(players), script));
  const missing = scripts.find((script) => !existsSync(script));
  if (missing) throw new Error(`no ${missing}: run install.sh`);
  const html = `<!DOCTYPE html><link rel="icon" href="data:,"><video width="640" height="360"></video>
    ${scripts.map((_, number) => `<script src="/${number}.js"></script>`).join('\n')}`;
  const server = createServer((request, response) => {
    const script = scripts[Number.parseInt(request.url.slice(1), 10)];
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
    if (script) createReadStream(script).pipe(response);
    else response.end(html);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, address: `http://127.0.0.1:${server.address().port}/` };
}

export function onPath(name) {
  return process.env.PATH.split(delimiter).map((folder) => join(folder, name)).find(existsSync);
}
