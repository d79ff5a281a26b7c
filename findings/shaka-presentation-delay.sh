#!/usr/bin/env bash
# Shaka Player: suggestedPresentationDelay counts from the newest segment of a SegmentTimeline, not from the clock
#
# Version: Shaka Player 5.2.12 and dash.js 5.2.1 (npm) in Chromium 156 (Debian), driven by playwright-core 1.65.1. The
# segments are made by ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1. The server is of this script.
#
# Expected: ISO/IEC 23009-1 defines suggestedPresentationDelay as a fixed delay from the presentation time of each
# access unit: with availabilityStartTime and a clock (UTCTiming) it names one moment, so that all clients play the
# same picture at the same time. A channel with suggestedPresentationDelay="PT10S" was expected to play 10 s behind
# the clock in both players, whether its newest segment was listed a moment ago or four seconds later than it could be.
#
# Observed: dash.js plays about 10 s behind in both. Shaka Player counts the 10 s from the end of the newest segment in the
# timeline, by its default autoCorrectDrift: the later the server lists segments, the further it is behind, by
# just that time. With manifest.dash.autoCorrectDrift set to false the time of listing has no influence: 12 s in both,
# which is the delay and the length of a segment.
#
# Why it matters: a server that lists segments late (for look-ahead, or because it waits for a slow track) and says
# so in suggestedPresentationDelay, as the standard wants it, has its delay counted twice by Shaka Player. Two players
# beside one another show the same channel seconds apart. Nobody sees it with segments that are listed at once,
# where the difference is less than a segment.
#
# Output on 2026-11-30:
#   dash.js, segments listed 0 s late: 10.7 s behind the clock, 10 were suggested
#   dash.js, segments listed 4 s late: 10.3 s behind the clock, 10 were suggested
#   Shaka Player, segments listed 0 s late: 11.1 s behind the clock, 10 were suggested
#   Shaka Player, segments listed 4 s late: 15.9 s behind the clock, 10 were suggested
#   Shaka Player, autoCorrectDrift off, segments listed 0 s late: 12.0 s behind the clock, 10 were suggested
#   Shaka Player, autoCorrectDrift off, segments listed 4 s late: 12.1 s behind the clock, 10 were suggested
#   PASS: Shaka Player counts the delay from the newest segment
set -euo pipefail

browser=$(command -v chromium || command -v google-chrome || command -v chromium-browser) || {
    echo 'needs Chromium: apt-get install chromium' >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
printf '{ "private": true }\n' > package.json
npm install --silent --no-audit --no-fund shaka-player@5.2.12 dashjs@5.2.1 playwright-core@1.65.1 > /dev/null

# Two minutes in segments of two seconds, a file each: init.mp4, 1.m4s, 2.m4s, …
"$ffmpeg" -v error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=120 -c:v libx264 -threads 1 -preset ultrafast \
    -tune zerolatency -g 50 -keyint_min 50 -sc_threshold 0 -b:v 300k -flags +bitexact \
    -f dash -seg_duration 2 -init_seg_name init.mp4 -media_seg_name '$Number$.m4s' film.mpd

cat > follow.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const SEGMENT = 2;
const DELAY = 10;
const scripts = {
    Shaka: 'node_modules/shaka-player/dist/shaka-player.compiled.js',
    'dash.js': 'node_modules/dashjs/dist/modern/umd/dash.all.min.js',
};
const play = {
    Shaka: `(url, video, settings) => {
        const player = new shaka.Player();
        player.configure(settings);
        player.attach(video).then(() => player.load(url)).then(() => video.play()).catch((error) => { window.failed = 'error ' + error.code; });
    }`,
    'dash.js': `(url, video) => {
        const player = dashjs.MediaPlayer().create();
        player.on('error', ({ error }) => { window.failed ??= error.message; });
        player.initialize(video, url, true);
    }`,
};

// A channel that began 40 s ago. A segment is listed, and can be had, `late` seconds after it was whole.
function channel(late) {
    const began = Date.now() / 1000 - 40;
    const count = () => Math.floor((Date.now() / 1000 - began - late) / SEGMENT);
    const date = (seconds) => new Date(seconds * 1000).toISOString();
    const answer = (request, response) => {
        const path = request.url.slice(1).split('?')[0];
        const fields = { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' };
        if (path === 'live.mpd') {
            response.writeHead(200, { ...fields, 'Content-Type': 'application/dash+xml' }).end(
                `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="dynamic" ` +
                    `availabilityStartTime="${date(began)}" publishTime="${date(Date.now() / 1000)}" minimumUpdatePeriod="PT2S" ` +
                    `timeShiftBufferDepth="PT60S" suggestedPresentationDelay="PT${DELAY}S" minBufferTime="PT2S"><Period id="0" start="PT0S">` +
                    `<AdaptationSet contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">` +
                    `<SegmentTemplate timescale="1" startNumber="1" initialization="init.mp4" media="$Number$.m4s"><SegmentTimeline>` +
                    `<S t="0" d="${SEGMENT}" r="${count() - 1}"/></SegmentTimeline></SegmentTemplate>` +
                    `<Representation id="v" bandwidth="300000" codecs="avc1.42C00D" width="320" height="180"/></AdaptationSet></Period>` +
                    `<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="${date(Date.now() / 1000)}"/></MPD>`,
            );
            return;
        }
        const number = Number(path.match(/^(\d+)\.m4s$/)?.[1] ?? 0);
        if (path !== 'init.mp4' && !(number >= 1 && number <= count())) {
            response.writeHead(404, fields).end();
            return;
        }
        response.writeHead(200, { ...fields, 'Content-Type': 'video/mp4' }).end(readFileSync(path));
    };
    return { answer, began };
}

const listen = (answer) =>
    new Promise((done) => {
        const server = createServer(answer).listen(0, '127.0.0.1', () => done(server));
    });
const browser = await chromium.launch({
    executablePath: process.argv[2],
    args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
});

// Seconds behind the clock, in the middle of those that were seen.
async function behind(player, late, settings = {}) {
    const page = await listen((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><video muted></video>'));
    const { answer, began } = channel(late);
    const origin = await listen(answer);
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${page.address().port}/`);
    await tab.addScriptTag({ path: scripts[player] });
    await tab.evaluate(`(${play[player]})('http://127.0.0.1:${origin.address().port}/live.mpd', document.querySelector('video'), ${JSON.stringify(settings)})`);
    const seen = [];
    for (let tries = 0; tries < 24; tries += 1) {
        await new Promise((done) => setTimeout(done, 500));
        const now = await tab.evaluate(() => ({ clock: Date.now() / 1000, time: document.querySelector('video').currentTime, paused: document.querySelector('video').paused, failed: window.failed }));
        if (now.failed) throw new Error(`${player}: ${now.failed}`);
        if (tries >= 12 && now.time > 0 && !now.paused) seen.push(now.clock - began - now.time);
    }
    await tab.close();
    page.close();
    origin.close();
    return seen.sort((one, other) => one - other)[seen.length >> 1];
}

const all = {};
for (const [name, player, settings] of [
    ['dash.js', 'dash.js'],
    ['Shaka Player', 'Shaka'],
    ['Shaka Player, autoCorrectDrift off', 'Shaka', { manifest: { dash: { autoCorrectDrift: false } } }],
])
    for (const late of [0, 4]) {
        const seconds = (all[`${name} ${late}`] = await behind(player, late, settings));
        console.log(`${name}, segments listed ${late} s late: ${seconds.toFixed(1)} s behind the clock, ${DELAY} were suggested`);
    }
await browser.close();
const off = (name, late) => all[`${name} ${late}`] - DELAY;
const holds =
    Math.abs(off('dash.js', 0)) < 2.2 && Math.abs(off('dash.js', 4)) < 2.2 && off('Shaka Player', 4) > 3.5 &&
    off('Shaka Player', 4) - off('Shaka Player', 0) > 2 && Math.abs(off('Shaka Player, autoCorrectDrift off', 4)) < 2.2;
console.log(holds ? 'PASS: Shaka Player counts the delay from the newest segment' : 'FAIL: the behaviour has changed');
process.exit(holds ? 0 : 1);
JS
node follow.mjs "$browser"
