#!/usr/bin/env bash
# dash.js, Shaka Player: an event ends too early for those who watch it if its static MPD omits its beginning
#
# Version: dash.js 5.2.1, Shaka Player 5.2.12 and RxPlayer 4.5.0 (npm; the last bundled by esbuild 0.28.2) in Chromium 156
# (Debian), driven by playwright-core 1.65.1. The segments are made by ffmpeg 9.0.2, the binary in the PyPI package
# imageio-ffmpeg 0.8.1. The MPDs and the server are of this script.
#
# Expected: when an event is over its MPD becomes static, and whoever watches it sees it to its end. The static MPD may offer a
# part of the event, here without the first 4 of 24 s, and lists two segments at the end that no MPD before it listed.
# What it omits is long past, and no segment that remains changes its time: either Period@start and
# presentationTimeOffset stay, or both move by 4 s, as DASH-IF IOP 4.3 (4.6.2) wants it if
# availabilityStartTime stays (the later DASH-IF timing model forbids that a Period moves). Three players were expected to play to
# 24 s in all cases.
#
# Observed: RxPlayer does. dash.js ends at 20 s whether the Period has moved or not, and Shaka Player ends at 20 s if it has
# moved. Both report a regular end and no error, and never ask for the last two segments. Who loads the same static MPD after the
# end sees all of it. dash.js counts the segments that it has asked for from the beginning of the list that it had, and
# finds the count of the shorter list reached. Shaka Player keeps the old Period@start and adds the difference
# of the offsets to the new times twice, so that it takes segments 9 and 10 for those at 20 and 22 s.
#
# Why it matters: the last segments of an event are those that only the static MPD lists, so whoever watches it live loses its
# last seconds, and neither an answer of the server nor an error of the player says so. Who starts after the
# end does not see it, as most tests do. It helps to let the static MPD begin where the last dynamic one began, or to
# offer the shortened one at another URL.
#
# Output on 2026-11-30:
#   RxPlayer, static MPD of the whole event: ended at 24.0 s, last segment asked for: 12 of 12
#   RxPlayer, beginning omitted, Period kept: ended at 24.0 s, last segment asked for: 12 of 12
#   RxPlayer, beginning omitted, Period moved: ended at 24.0 s, last segment asked for: 12 of 12
#   RxPlayer, beginning omitted, Period moved, loaded after the end: ended at 24.0 s, last segment asked for: 12 of 12
#   dash.js, static MPD of the whole event: ended at 24.0 s, last segment asked for: 12 of 12
#   dash.js, beginning omitted, Period kept: ended at 20.0 s, last segment asked for: 10 of 12
#   dash.js, beginning omitted, Period moved: ended at 20.0 s, last segment asked for: 10 of 12
#   dash.js, beginning omitted, Period moved, loaded after the end: ended at 24.0 s, last segment asked for: 12 of 12
#   Shaka Player, static MPD of the whole event: ended at 24.0 s, last segment asked for: 12 of 12; places from 16 s on: 16 s: 9, 18 s: 10, 20 s: 11, 22 s: 12
#   Shaka Player, beginning omitted, Period kept: ended at 24.0 s, last segment asked for: 12 of 12; places from 16 s on: 16 s: 9, 18 s: 10, 20 s: 11, 22 s: 12
#   Shaka Player, beginning omitted, Period moved: ended at 20.0 s, last segment asked for: 10 of 12; places from 16 s on: 16 s: 9, 18 s: 10, 20 s: 9, 22 s: 10
#   Shaka Player, beginning omitted, Period moved, loaded after the end: ended at 24.0 s, last segment asked for: 12 of 12
#   PASS: dash.js and Shaka Player omit as much at the end as the static MPD omits at the beginning
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
npm install --silent --no-audit --no-fund shaka-player@5.2.12 dashjs@5.2.1 rx-player@4.5.0 esbuild@0.28.2 playwright-core@1.65.1 > /dev/null
echo 'import RxPlayer from "rx-player"; globalThis.RxPlayer = RxPlayer;' |
    node_modules/.bin/esbuild --bundle --minify --log-level=warning --outfile=rx.js

# Twelve segments of two seconds: init.mp4, 1.m4s to 12.m4s.
"$ffmpeg" -v error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=24 -c:v libx264 -threads 1 -preset ultrafast \
    -tune zerolatency -g 50 -keyint_min 50 -sc_threshold 0 -b:v 300k -flags +bitexact \
    -f dash -seg_duration 2 -init_seg_name init.mp4 -media_seg_name '$Number$.m4s' made.mpd

cat > event.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const SEGMENT = 2;
const LENGTH = 24;
const PUBLISHED = 4; // seconds from one MPD to the next
const CUT = 4; // seconds that the static MPD omits at the beginning
const scripts = {
    'Shaka Player': 'node_modules/shaka-player/dist/shaka-player.compiled.js',
    'dash.js': 'node_modules/dashjs/dist/modern/umd/dash.all.min.js',
    RxPlayer: 'rx.js',
};
const play = {
    RxPlayer: `(url, video) => {
        const player = new RxPlayer({ videoElement: video });
        player.addEventListener('error', (error) => { window.failed ??= String(error); });
        player.loadVideo({ url, transport: 'dash', autoPlay: true });
    }`,
    'dash.js': `(url, video) => {
        const player = dashjs.MediaPlayer().create();
        player.on('error', ({ error }) => { window.failed ??= error.message; });
        player.initialize(video, url, true);
    }`,
    'Shaka Player': `(url, video) => {
        const player = (window.player = new shaka.Player());
        player.addEventListener('error', ({ detail }) => { window.failed ??= 'error ' + detail.code; });
        player.attach(video).then(() => player.load(url)).then(() => video.play()).catch((error) => { window.failed = 'error ' + error.code; });
    }`,
};

// An event of 24 s that is `age` seconds old when its MPD is first asked for. The MPD is published every four seconds. The
// one that is published at the end is static, omits `cut` seconds, and has a Period that starts `moved` seconds later.
function channel(cut, moved, age) {
    let began;
    const asked = [];
    const seconds = () => Math.min(LENGTH, Date.now() / 1000 - began);
    const date = (time) => new Date(time * 1000).toISOString();
    const mpd = () => {
        const end = Math.floor(seconds() / PUBLISHED) * PUBLISHED;
        const isOver = end === LENGTH;
        const start = isOver ? moved : 0;
        const first = isOver ? cut : 0;
        const rest = isOver
            ? `type="static" mediaPresentationDuration="PT${LENGTH}S"`
            : `type="dynamic" minimumUpdatePeriod="PT${PUBLISHED}S" suggestedPresentationDelay="PT10S"`;
        return (
            `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:full:2011" ${rest} ` +
            `availabilityStartTime="${date(began)}" publishTime="${date(began + end)}" minBufferTime="PT2S">` +
            `<Period id="0" start="PT${start}S"${isOver ? ` duration="PT${LENGTH - start}S"` : ''}>` +
            `<AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">` +
            `<SegmentTemplate timescale="1" presentationTimeOffset="${start}" startNumber="${first / SEGMENT + 1}" initialization="init.mp4" ` +
            `media="$Number$.m4s"><SegmentTimeline><S t="${first}" d="${SEGMENT}" r="${(end - first) / SEGMENT - 1}"/></SegmentTimeline></SegmentTemplate>` +
            `<Representation id="v" bandwidth="300000" codecs="avc1.42C00D" width="320" height="180"/></AdaptationSet></Period>` +
            `<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="${date(Date.now() / 1000)}"/></MPD>`
        );
    };
    const answer = (request, response) => {
        const path = request.url.slice(1).split('?')[0];
        const fields = { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' };
        if (path === 'event.mpd') {
            began ??= Date.now() / 1000 - age;
            response.writeHead(200, { ...fields, 'Content-Type': 'application/dash+xml' }).end(mpd());
            return;
        }
        const number = Number(path.match(/^(\d+)\.m4s$/)?.[1] ?? 0);
        if (path !== 'init.mp4' && !(number >= 1 && number * SEGMENT <= seconds())) {
            response.writeHead(404, fields).end();
            return;
        }
        if (number) asked.push(number);
        response.writeHead(200, { ...fields, 'Content-Type': 'video/mp4' }).end(readFileSync(path));
    };
    return { answer, asked };
}

const listen = (answer) =>
    new Promise((done) => {
        const server = createServer(answer).listen(0, '127.0.0.1', () => done(server));
    });
const browser = await chromium.launch({
    executablePath: process.argv[2],
    args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
});

// Plays the event until the player says that it has ended.
async function watch(player, name, cut, moved, age) {
    const page = await listen((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><video muted></video>'));
    const { answer, asked } = channel(cut, moved, age);
    const origin = await listen(answer);
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${page.address().port}/`);
    await tab.addScriptTag({ path: scripts[player] });
    await tab.evaluate(`(${play[player]})('http://127.0.0.1:${origin.address().port}/event.mpd', document.querySelector('video'))`);
    let now;
    for (let tries = 0; tries < 120 && !now?.ended; tries += 1) {
        await new Promise((done) => setTimeout(done, 500));
        now = await tab.evaluate(() => ({ time: document.querySelector('video').currentTime, ended: document.querySelector('video').ended, failed: window.failed }));
        if (now.failed) throw new Error(`${player}: ${now.failed}`);
    }
    // What Shaka Player takes to be the places of the segments.
    const places = await tab.evaluate(() => {
        const all = [];
        window.player?.getManifest().variants[0].video.segmentIndex?.forEachTopLevelReference?.((reference) => {
            if (reference.startTime >= 16) all.push(`${reference.startTime} s: ${reference.getUris()[0].match(/(\d+)\.m4s/)[1]}`);
        });
        return all.join(', ');
    });
    await tab.close();
    page.close();
    origin.close();
    const last = Math.max(...asked);
    const text = `${player}, ${name}: ${now.ended ? 'ended' : 'stands'} at ${now.time.toFixed(1)} s, last segment asked for: ${last} of 12${places && `; places from 16 s on: ${places}`}`;
    return { text, time: now.time, ended: now.ended, last };
}

const cases = [
    ['static MPD of the whole event', 0, 0, 13],
    ['beginning omitted, Period kept', CUT, 0, 13],
    ['beginning omitted, Period moved', CUT, CUT, 13],
    ['beginning omitted, Period moved, loaded after the end', CUT, CUT, 30],
];
const all = {};
await Promise.all(
    Object.keys(play).map(async (player) => {
        all[player] = [];
        for (const one of cases) all[player].push(await watch(player, ...one));
    }),
);
await browser.close();
for (const player of Object.keys(play)) for (const { text } of all[player]) console.log(text);
const isWhole = ({ time, ended, last }) => ended && time > LENGTH - 0.2 && last === 12;
const isShort = ({ time, ended, last }) => ended && Math.abs(time - (LENGTH - CUT)) < 0.2 && last === 10;
const [whole, kept, moved, later] = [0, 1, 2, 3];
const holds =
    all.RxPlayer.every(isWhole) &&
    [whole, later].every((one) => isWhole(all['dash.js'][one])) && [kept, moved].every((one) => isShort(all['dash.js'][one])) &&
    [whole, kept, later].every((one) => isWhole(all['Shaka Player'][one])) && isShort(all['Shaka Player'][moved]);
console.log(holds ? 'PASS: dash.js and Shaka Player omit as much at the end as the static MPD omits at the beginning' : 'FAIL: the behaviour has changed');
process.exit(holds ? 0 : 1);
JS
node event.mjs "$browser"
