#!/usr/bin/env bash
# dash.js and RxPlayer in Chromium: a live Smooth presentation whose fragments have no tfrf stops, although its manifest grows
#
# Version: dash.js 5.2.1 and RxPlayer 4.5.0 (npm; bundled by esbuild 0.28.2) in Chromium 156 (Debian), driven by
# playwright-core 1.65.1. The fragments are made by ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1.
# The server is of this script.
#
# Expected: the tfrf box in a live fragment announces the next ones, and a client may also read the manifest
# again. An encoder without look-ahead, or an origin that adds each fragment to its manifest as it arrives
# (LookAheadFragmentCount="0"), was expected to work: a player that finds no tfrf reads the manifest, which lists
# each new chunk, at the price of a request.
#
# Observed: dash.js stops at the first fragment with the error 200, "Missing tfrf in live media segment".
# RxPlayer reads the manifest again every second, and never asks for a chunk that was not in the first one: it
# plays these, and stalls without an error. With `LookAheadFragmentCount="2"` both do the same. With tfrf in the same
# fragments both play on, and dash.js never reads the manifest again.
#
# Why it matters: an origin cannot give up the delay of look-ahead (two fragments, by default) by announcing
# fragments in the manifest alone. A channel without tfrf plays in GStreamer's mssdemux and in VLC, so that a test
# with these passes. What a player in a browser learns of a live channel it learns from tfrf: it must be in
# the newest fragment too that a manifest lists.
#
# Output on 2026-11-29:
#   dash.js,  tfrf in fragments: plays on, manifests 1
#   dash.js,  no tfrf:           stops, "Missing tfrf in live media segment"
#   RxPlayer, tfrf in fragments: plays on
#   RxPlayer, no tfrf:           stops behind the first manifest, which it reads again and again
#   PASS: without tfrf neither player goes on
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
npm install --silent --no-audit --no-fund dashjs@5.2.1 rx-player@4.5.0 esbuild@0.28.2 playwright-core@1.65.1 > /dev/null
echo 'import RxPlayer from "rx-player"; globalThis.RxPlayer = RxPlayer;' |
    node_modules/.bin/esbuild --bundle --minify --log-level=warning --outfile=rx.js

# One minute in chunks of two seconds, a file each; ffmpeg writes tfrf as its look-ahead says.
"$ffmpeg" -v error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=60 \
    -c:v libx264 -threads 1 -preset ultrafast -tune zerolatency -g 50 -b:v 300k -flags +bitexact film.mp4
for count in 0 2; do
    "$ffmpeg" -v error -y -i film.mp4 -c copy -f smoothstreaming -min_frag_duration 2000000 -lookahead_count "$count" "$count.ism"
done

cat > follow.mjs <<'JS'
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const SECOND = 10_000_000;
const scripts = {
    'dash.js': ['node_modules/dashjs/dist/modern/umd/dash.all.min.js', 'node_modules/dashjs/dist/modern/umd/dash.mss.min.js'],
    RxPlayer: ['rx.js'],
};
const play = {
    'dash.js': `(url, video) => {
        const player = dashjs.MediaPlayer().create();
        player.on('error', ({ error }) => { window.failed ??= error.message; });
        player.initialize(video, url, true);
    }`,
    RxPlayer: `(url, video) => {
        const player = new RxPlayer({ videoElement: video });
        player.addEventListener('error', (error) => { window.failed ??= error.message; });
        player.loadVideo({ url, transport: 'smooth', autoPlay: true });
    }`,
};

// A channel that began 24 s before the server: chunk i can be had two seconds after it began.
function channel(folder) {
    const quality = readdirSync(folder).find((name) => name.startsWith('QualityLevels'));
    const level = readFileSync(`${folder}/Manifest`, 'utf8').match(/<QualityLevel .*?\/>/)[0];
    const times = readdirSync(`${folder}/${quality}`)
        .map((name) => name.match(/^Fragments\(video=(\d+)\)$/)?.[1])
        .filter(Boolean)
        .map(Number)
        .sort((one, other) => one - other);
    const began = Date.now() / 1000 - 24;
    const asked = { manifests: 0, times: [] };
    const there = () => times.filter((time) => (time - times[0]) / SECOND + 2 <= Date.now() / 1000 - began);
    const answer = (request, response) => {
        const path = decodeURIComponent(request.url);
        const fields = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Date', 'Cache-Control': 'no-store' };
        if (path.endsWith('/Manifest')) {
            asked.manifests += 1;
            const chunks = there().map((time) => `<c t="${time}" d="${2 * SECOND}"/>`);
            response.writeHead(200, { ...fields, 'Content-Type': 'application/vnd.ms-sstr+xml' }).end(
                '<?xml version="1.0" encoding="utf-8"?>' +
                    '<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="0" IsLive="TRUE" ' +
                    `LookAheadFragmentCount="${folder[0]}" DVRWindowLength="600000000">` +
                    `<StreamIndex Type="video" Name="video" QualityLevels="1" Chunks="${chunks.length}" ` +
                    `Url="QualityLevels({bitrate})/Fragments(video={start time})">${level}${chunks.join('')}</StreamIndex></SmoothStreamingMedia>`,
            );
            return;
        }
        const time = Number(path.match(/Fragments\(video=(\d+)\)$/)?.[1]);
        if (!there().includes(time)) {
            response.writeHead(412, fields).end();
            return;
        }
        asked.times.push(time);
        response.writeHead(200, { ...fields, 'Content-Type': 'video/mp4' }).end(readFileSync(`${folder}/${quality}/Fragments(video=${time})`));
    };
    return { answer, asked, first: there().at(-1) };
}

const listen = (answer) =>
    new Promise((done) => {
        const server = createServer(answer).listen(0, '127.0.0.1', () => done(server));
    });
const browser = await chromium.launch({
    executablePath: process.argv[2],
    args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
});

async function follow(player, folder) {
    const page = await listen((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><video muted></video>'));
    const { answer, asked, first } = channel(folder);
    const origin = await listen(answer);
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${page.address().port}/`);
    for (const path of scripts[player]) await tab.addScriptTag({ path });
    await tab.evaluate(`(${play[player]})('http://127.0.0.1:${origin.address().port}/live.isml/Manifest', document.querySelector('video'))`);
    let failed = null;
    for (let tries = 0; !failed && tries < 40; tries += 1) {
        await new Promise((done) => setTimeout(done, 500));
        failed = await tab.evaluate(() => window.failed);
    }
    await tab.close();
    page.close();
    origin.close();
    // The chunks that were not in the first manifest. One may have been added before the manifest was read.
    const later = asked.times.filter((time) => time > first + 2 * SECOND).length;
    return { failed, later, manifests: asked.manifests };
}

const all = {};
for (const player of ['dash.js', 'RxPlayer'])
    for (const [what, folder] of [['tfrf in fragments:', '2.ism'], ['no tfrf:', '0.ism']]) {
        const seen = (all[`${player} ${folder}`] = await follow(player, folder));
        let says = seen.later >= 4 ? 'plays on' : 'stops';
        if (seen.failed) says += `, "${seen.failed}"`;
        else if (player === 'dash.js') says += `, manifests ${seen.manifests}`;
        else if (seen.later < 4 && seen.manifests > 8) says += ' behind the first manifest, which it reads again and again';
        console.log(`${`${player},`.padEnd(9)} ${what.padEnd(18)} ${says}`);
    }
await browser.close();
const holds =
    all['dash.js 2.ism'].later >= 4 && !all['dash.js 2.ism'].failed && all['dash.js 2.ism'].manifests === 1 &&
    /Missing tfrf/.test(all['dash.js 0.ism'].failed) &&
    all['RxPlayer 2.ism'].later >= 4 && !all['RxPlayer 2.ism'].failed &&
    all['RxPlayer 0.ism'].later === 0 && all['RxPlayer 0.ism'].manifests > 8;
console.log(holds ? 'PASS: without tfrf neither player goes on' : `FAIL: the behaviour has changed: ${JSON.stringify(all)}`);
process.exit(holds ? 0 : 1);
JS
node follow.mjs "$browser"
