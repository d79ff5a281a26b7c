#!/usr/bin/env node
// Measures when players in headless Chromium show the pictures and play the sounds of films whose pictures have their
// number in bars and whose sound has a beep per second, each of a tone of its own (times.py makes them).
//
//   times.mjs [--players FOLDER] [--browser FILE] [--together NUMBER] <JOBS
//
// JOBS are lines of JSON: { client, url, starts }; `starts` are the times in seconds to play from, the first without a
// seek, the last to the end. Prints a line of JSON for each: the job with `parts`, one for each start, which have
//   frames   [time on the clock of the page when a picture is shown, its time by the media element, its number]
//   beeps    [time on the clock of the page when a beep begins, its second]
//   buffered the ranges of each source buffer
// and `end`, if the film ended, with its time; `failed` if the player met an error.

import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
];
const BROWSERS = ['chromium', 'google-chrome', 'chromium-browser'];
const PLAYED = 3.2; // seconds of each part: three beeps
const TO_THE_END = 10; // seconds for the last part, which ends before
const WAIT = 60; // seconds until the first picture of a part: it hangs

const SHAKA = 'node_modules/shaka-player-5/dist/shaka-player.compiled.js';

const startShaka = (video, url, failed) => {
  const player = new shaka.Player();
  const told = (error) => failed(`Shaka Player error ${error.code}: ${JSON.stringify(error.data)}`);
  player.addEventListener('error', ({ detail }) => told(detail));
  player.attach(video).then(() => player.load(url)).then(() => video.play()).catch(told);
};

const CLIENTS = {
  // The browser itself: a file, or HLS.
  chromium: {
    start: (video, url) => {
      video.src = url;
      video.play();
    },
  },
  'hls.js': {
    script: 'node_modules/hls.js/dist/hls.min.js',
    start: (video, url, failed) => {
      const player = new Hls();
      player.on(Hls.Events.ERROR, (_, { fatal, details, error }) => {
        if (fatal) failed(`hls.js error ${details}: ${error?.message}`);
      });
      player.loadSource(url);
      player.attachMedia(video);
      player.on(Hls.Events.MANIFEST_PARSED, () => video.play());
    },
  },
  shaka: { script: SHAKA, start: startShaka },
  'dash.js': {
    script: 'node_modules/dashjs/dist/modern/umd/dash.all.min.js',
    start: (video, url, failed) => {
      const player = dashjs.MediaPlayer().create();
      player.on('error', ({ error }) => failed(`dash.js error ${error.code ?? ''}: ${error.message ?? error}`));
      player.initialize(video, url, true);
    },
  },
  rxplayer: {
    script: 'rx-player.js',
    start: (video, url, failed) => {
      const player = new RxPlayer({ videoElement: video });
      player.addEventListener('error', (error) => failed(`RxPlayer error ${error.code}: ${error.message}`));
      player.loadVideo({ url, transport: 'dash', autoPlay: true });
    },
  },
};

const { values: options } = parseArgs({
  options: {
    players: { type: 'string', default: fileURLToPath(new URL('../../target/players', import.meta.url)) },
    browser: { type: 'string', default: BROWSERS.map(onPath).find(Boolean) },
    together: { type: 'string', default: '1' },
  },
});
const { chromium } = createRequire(join(resolve(options.players), 'package.json'))('playwright-core');
const pages = await servePages();
const browser = await chromium.launch({ executablePath: options.browser, headless: true, args: FLAGS, timeout: 120_000 });
try {
  const jobs = [];
  for await (const line of createInterface({ input: process.stdin })) jobs.push(JSON.parse(line));
  await Promise.all(Array.from({ length: Number(options.together) }, async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const page = await browser.newPage();
      const seen = await measure(page, job).catch((error) => ({ failed: error.message.split('\n')[0] }));
      console.log(JSON.stringify({ ...job, ...seen }));
      await page.close();
    }
  }));
} finally {
  await browser.close();
  pages.server.close();
}

async function measure(page, { client, url, starts }) {
  const errors = [];
  page.on('response', (response) => {
    if (response.status() >= 400) errors.push(`${response.status()} for ${response.url()}`);
  });
  await page.goto(`${pages.address}${client}`);
  await page.evaluate(`(${prepare})(${JSON.stringify(url)}, ${CLIENTS[client].start})`);
  const parts = [];
  let failed;
  for (const [number, start] of starts.entries()) {
    if (number > 0) await page.evaluate(seek, start);
    failed = await play(page, number + 1 < starts.length ? PLAYED : TO_THE_END);
    parts.push({ start, ...await page.evaluate(() => ({ ...window.part, buffered: window.buffered() })) });
    if (failed) break;
  }
  const state = await page.evaluate(() => {
    const video = document.querySelector('video');
    return { duration: video.duration, end: video.ended ? video.currentTime : undefined };
  });
  return { parts, ...state, failed: [failed, ...errors].filter(Boolean).join('; ') || undefined };
}

/** Waits until seconds of a part are played, or until it ends; returns what went wrong. */
async function play(page, seconds) {
  const began = Date.now();
  for (;;) {
    await sleep(100);
    const now = await page.evaluate(() => {
      const { frames } = window.part;
      const of = frames.length > 0 ? (performance.now() - frames[0][0]) / 1000 : undefined;
      return { of, failed: window.failed, ended: document.querySelector('video').ended };
    });
    if (now.failed) return now.failed;
    if (now.of >= seconds || now.ended) return undefined;
    if (now.of === undefined && Date.now() - began > WAIT * 1000) return `no picture within ${WAIT} s`;
  }
}

// prepare, listen and seek run in the page.

async function prepare(url, start) {
  const video = document.querySelector('video');
  const canvas = new OffscreenCanvas(320, 8).getContext('2d', { willReadFrequently: true });
  window.part = { frames: [], beeps: [] };
  const buffers = [];
  const add = MediaSource.prototype.addSourceBuffer;
  MediaSource.prototype.addSourceBuffer = function (type) {
    const buffer = add.call(this, type);
    buffers.push([type.split('/')[0], buffer]);
    return buffer;
  };
  window.buffered = () => buffers.map(([type, buffer]) => {
    try {
      const ranges = buffer.buffered;
      return [type, ...Array.from({ length: ranges.length }, (_, i) => [ranges.start(i), ranges.end(i)])];
    } catch {
      return [type];
    }
  });
  const onFrame = (_, frame) => {
    canvas.drawImage(video, 0, 0, 320, 8);
    const { data } = canvas.getImageData(0, 4, 320, 1);
    let number = 0;
    for (let bit = 0; bit < 16; bit += 1) number += data[(bit * 20 + 10) * 4] > 127 ? 2 ** bit : 0;
    if (!video.seeking) window.part.frames.push([frame.expectedDisplayTime, frame.mediaTime, number]);
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
  const context = new AudioContext({ sampleRate: 48_000 });
  // Finds beeps: sound after silence. The tone is counted in crossings of zero, for 60 ms.
  const listener = `registerProcessor('listener', class extends AudioWorkletProcessor {
    process([[samples]]) {
      for (let i = 0; samples && i < samples.length; i += 1) {
        const loud = Math.abs(samples[i]) > 0.05;
        if (this.since === undefined) {
          this.quiet = loud ? 0 : (this.quiet ?? 0) + 1;
          if (loud && (this.before ?? 0) > 9_600) {
            Object.assign(this, { since: 0, crossings: 0, at: currentTime + i / sampleRate });
          }
          this.before = this.quiet;
        } else {
          this.crossings += (samples[i] >= 0) !== (this.last >= 0) ? 1 : 0;
          this.since += 1;
          if (this.since === 2_880) {
            this.port.postMessage([this.at, this.crossings / 0.12]);
            this.since = undefined;
            this.before = this.quiet = 0;
          }
        }
        this.last = samples[i];
      }
      return true;
    }
  });`;
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([listener], { type: 'text/javascript' })));
  const node = new AudioWorkletNode(context, 'listener');
  context.createMediaElementSource(video).connect(node).connect(context.destination);
  await context.resume();
  node.port.onmessage = ({ data: [at, tone] }) => {
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    window.part.beeps.push([performanceTime + (at - contextTime) * 1000, Math.round((tone - 500) / 100)]);
  };
  const failed = (message) => { window.failed ??= message; };
  video.addEventListener('error', () => failed(`media error ${video.error?.code}: ${video.error?.message}`));
  start(video, url, failed);
}

function seek(seconds) {
  const video = document.querySelector('video');
  video.currentTime = seconds;
  window.part = { frames: [], beeps: [] };
}

/** Serves a page for each client, and the clients' scripts. */
async function servePages() {
  const server = createServer((request, response) => {
    const client = CLIENTS[request.url.slice(1).replace(/\.script$/, '')];
    const script = client?.script && join(resolve(options.players), client.script);
    if (request.url.endsWith('.script') && script && existsSync(script)) {
      response.setHeader('Content-Type', 'text/javascript');
      createReadStream(script).pipe(response);
      return;
    }
    response.setHeader('Content-Type', 'text/html');
    response.end(`<!DOCTYPE html><link rel="icon" href="data:,"><video crossorigin="anonymous" width="320"></video>
      ${script ? `<script src="${request.url}.script"></script>` : ''}`);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, address: `http://127.0.0.1:${server.address().port}/` };
}

function onPath(name) {
  return process.env.PATH.split(delimiter).map((folder) => join(folder, name)).find(existsSync);
}
