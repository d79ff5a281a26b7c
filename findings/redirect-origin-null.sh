#!/usr/bin/env bash
# dash.js and Shaka Player in Chromium: a fragment that is redirected to a bucket is asked for with `Origin: null`
#
# Version: dash.js 5.2.1 and Shaka Player 4.16.50 (npm) in Chromium 156 (Debian), driven by
# playwright-core 1.65.1. The servers are of this script.
#
# Expected: an origin answers requests for fragments with 307 and a URL of a bucket. The page is of
# https://tv.example, so the CORS rules of the bucket list https://tv.example, and the players play.
#
# Observed: the bucket gets `Origin: null`, which is none of the listed sites, and the browser refuses
# its answer: nothing plays. It gets the site of the page only if page and origin are the same site.
# Fetch (4.4, HTTP-redirect fetch) calls a request tainted that leaves a second site by a redirect, and
# serializes the origin of such a request as `null`.
#
# Why it matters: the rules that are right for a page that plays from the bucket itself are wrong for
# one that is redirected to it, and the origin cannot mend that. The bucket must allow `*`, which
# excludes cookies, or the manifest must come from the site of the page. Players outside of browsers do
# not show it, and neither does a test whose page the origin serves.
#
# Output on 2026-11-29:
#   dash.js, page on a site of its own: the bucket gets Origin: null
#   dash.js, page from the origin:      the bucket gets Origin: that of the page
#   shaka,   page on a site of its own: the bucket gets Origin: null
#   shaka,   page from the origin:      the bucket gets Origin: that of the page
#   PASS: rules that list the site of the page do not let its redirected requests in
set -euo pipefail

browser=$(command -v chromium || command -v google-chrome || command -v chromium-browser) || {
    echo 'needs Chromium: apt-get install chromium' >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
printf '{ "private": true }\n' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts dashjs@5.2.1 shaka-player@4.16.50 codem-isoboxer@0.3.10 \
    playwright-core@1.65.1 > /dev/null
cat > redirect.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const video =
    '<StreamIndex Type="video" Name="video" TimeScale="10000000" Chunks="2" QualityLevels="1" ' +
    'Url="QualityLevels({bitrate})/Fragments(video={start time})"><QualityLevel Index="0" Bitrate="300000" ' +
    'FourCC="H264" MaxWidth="320" MaxHeight="180" ' +
    'CodecPrivateData="000000016764000DACD941419F9F011000000300100000030320F14299600000000168EBECB22C"/>' +
    '<c t="0" d="40000000"/><c d="40000000"/></StreamIndex>';
const manifest =
    '<?xml version="1.0" encoding="utf-8"?><SmoothStreamingMedia MajorVersion="2" MinorVersion="0" ' +
    `TimeScale="10000000" Duration="80000000">${video}</SmoothStreamingMedia>`;
const scripts = {
    'dash.js': ['dashjs/dist/modern/umd/dash.all.min.js', 'dashjs/dist/modern/umd/dash.mss.min.js'],
    shaka: ['codem-isoboxer/dist/iso_boxer.min.js', 'shaka-player/dist/shaka-player.compiled.js'],
};
const play = {
    'dash.js': '(url, video) => dashjs.MediaPlayer().create().initialize(video, url, true)',
    shaka: `async (url, video) => {
        const player = new shaka.Player();
        await player.attach(video);
        await player.load(url).catch(() => {});
    }`,
};

const listen = (answer) =>
    new Promise((done) => {
        const server = createServer(answer).listen(0, '127.0.0.1', () => done(server));
    });
const siteOf = (server) => `http://127.0.0.1:${server.address().port}`;

// The bucket lists the site of the page, and no other.
let [page, seen] = ['', null];
const bucket = await listen((request, response) => {
    seen ??= request.headers.origin ?? 'none';
    const fields = request.headers.origin === page ? { 'Access-Control-Allow-Origin': page } : {};
    response.writeHead(200, fields).end('a fragment');
});
// A page, the players, a manifest; and fragments, which are in the bucket.
const answer = (request, response) => {
    const path = decodeURIComponent(request.url);
    const cors = { 'Access-Control-Allow-Origin': '*' };
    if (path.includes('Fragments')) return response.writeHead(307, { ...cors, Location: siteOf(bucket) + request.url }).end();
    if (path === '/film.ism/Manifest')
        return response.writeHead(200, { ...cors, 'Content-Type': 'application/vnd.ms-sstr+xml' }).end(manifest);
    if (path.endsWith('.js')) return response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(readFileSync(`node_modules${path}`));
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><video muted></video>');
};
const [origin, other] = [await listen(answer), await listen(answer)];

const browser = await chromium.launch({
    executablePath: process.argv[2],
    args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
});

// The origin that the bucket is told when a player asks for its first fragment.
async function told(player, site) {
    [page, seen] = [site, null];
    const tab = await browser.newPage();
    await tab.goto(site);
    for (const script of scripts[player]) await tab.addScriptTag({ url: `${site}/${script}` });
    await tab.evaluate(`(${play[player]})('${siteOf(origin)}/film.ism/Manifest', document.querySelector('video'))`);
    for (let tries = 0; seen === null && tries < 100; tries++) await new Promise((done) => setTimeout(done, 100));
    await tab.close();
    return seen === site ? 'that of the page' : seen;
}

const all = [];
for (const player of ['dash.js', 'shaka']) {
    for (const [where, site] of [
        ['page on a site of its own:', siteOf(other)],
        ['page from the origin:', siteOf(origin)],
    ]) {
        all.push(await told(player, site));
        console.log(`${`${player},`.padEnd(8)} ${where.padEnd(26)} the bucket gets Origin: ${all.at(-1)}`);
    }
}
await browser.close();
const holds = all.join() === 'null,that of the page,null,that of the page';
console.log(holds ? 'PASS: rules that list the site of the page do not let its redirected requests in' : 'FAIL: the behaviour has changed');
process.exit(holds ? 0 : 1);
JS
node redirect.mjs "$browser"
