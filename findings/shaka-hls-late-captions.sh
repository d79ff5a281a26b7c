#!/usr/bin/env bash
# Shaka Player: captions of an HLS film that are chosen when all pictures are loaded never appear
#
# Version: Shaka Player 5.2.12 and hls.js 1.7.4 (npm) in Chromium 156 (Debian), driven by playwright-core 1.65.1. The
# pictures are made by ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1. The captions, the playlists,
# the MPD and the server are of this script.
#
# Expected: captions can be switched on at any time. Each caption has a time of its own, and the player asks for their
# segments when they are chosen. A film of 8 s with a caption in each of its four segments was expected to show all four
# captions, whether they are chosen at its beginning or when its pictures are loaded to the end.
#
# Observed: hls.js has four captions in both cases, and so has Shaka Player with the same segments in an MPD. In HLS, Shaka
# Player asks for all four segments of captions, gets them, and has no caption if they are chosen when the last
# pictures are loaded. It keeps captions back until it knows the offset between their times and the film's, and learns that
# offset only from pictures that it appends after captions were chosen: none come any more. A seek to a place that is
# loaded does not help.
#
# Why it matters: by default Shaka Player loads 10 s ahead, so that this hits every film shorter than that, and whoever
# switches captions on in the last seconds of a longer one. The server's log shows that all captions were asked for and sent, so
# the fault is looked for in them. A test that chooses captions after loading fails or passes by the speed of the machine.
# It helps to choose the captions before the film is loaded, or to set `streaming.bufferingGoal` below the length of the film.
#
# Output on 2026-11-30:
#   hls.js, film.m3u8, captions chosen first: 4 segments of captions loaded, 4 of 4 captions seen
#   hls.js, film.m3u8, captions chosen when all pictures are loaded: 4 segments of captions loaded, 4 of 4 captions seen
#   Shaka Player, film.mpd, captions chosen first: 4 segments of captions loaded, 4 of 4 captions seen
#   Shaka Player, film.mpd, captions chosen when all pictures are loaded: 4 segments of captions loaded, 4 of 4 captions seen
#   Shaka Player, film.m3u8, captions chosen first: 4 segments of captions loaded, 4 of 4 captions seen
#   Shaka Player, film.m3u8, captions chosen when all pictures are loaded: 4 segments of captions loaded, 0 of 4 captions seen
#   PASS: in HLS, Shaka Player shows no captions that are chosen when all pictures are loaded
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
npm install --silent --no-audit --no-fund shaka-player@5.2.12 hls.js@1.7.4 playwright-core@1.65.1 > /dev/null

# Four segments of two seconds: init.mp4, 1.m4s to 4.m4s.
"$ffmpeg" -v error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=8 -c:v libx264 -threads 1 -preset ultrafast \
    -tune zerolatency -g 50 -keyint_min 50 -sc_threshold 0 -b:v 300k -flags +bitexact \
    -f dash -seg_duration 2 -init_seg_name init.mp4 -media_seg_name '$Number$.m4s' made.mpd
playlist='#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-PLAYLIST-TYPE:VOD'
{ echo "$playlist"; echo '#EXT-X-MAP:URI="init.mp4"'; printf '#EXTINF:2,\n%s.m4s\n' 1 2 3 4; echo '#EXT-X-ENDLIST'; } > video.m3u8
{ echo "$playlist"; printf '#EXTINF:2,\n%s.vtt\n' 1 2 3 4; echo '#EXT-X-ENDLIST'; } > text.m3u8
for number in 1 2 3 4; do
    printf 'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n00:00:0%s.500 --> 00:00:0%s.500\ncaption %s\n' \
        $((2 * number - 2)) $((2 * number - 1)) "$number" > "$number.vtt"
done
cat > film.m3u8 <<'M3U8'
#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",LANGUAGE="en",AUTOSELECT=YES,DEFAULT=NO,URI="text.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=400000,CODECS="avc1.42c00d",RESOLUTION=320x180,SUBTITLES="text"
video.m3u8
M3U8
template='timescale="1" duration="2" startNumber="1"'
cat > film.mpd <<MPD
<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static"
  mediaPresentationDuration="PT8S" minBufferTime="PT2S"><Period id="0" start="PT0S">
<AdaptationSet id="1" contentType="video" mimeType="video/mp4"><SegmentTemplate $template initialization="init.mp4" media="\$Number\$.m4s"/>
<Representation id="v" bandwidth="300000" codecs="avc1.42C00D" width="320" height="180"/></AdaptationSet>
<AdaptationSet id="2" contentType="text" mimeType="text/vtt" lang="en"><SegmentTemplate $template media="\$Number\$.vtt"/>
<Representation id="t" bandwidth="100"/></AdaptationSet></Period></MPD>
MPD

cat > captions.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const TYPES = { html: 'text/html', mpd: 'application/dash+xml', m3u8: 'application/vnd.apple.mpegurl', vtt: 'text/vtt', mp4: 'video/mp4', m4s: 'video/mp4' };
const scripts = {
    'Shaka Player': 'node_modules/shaka-player/dist/shaka-player.compiled.js',
    'hls.js': 'node_modules/hls.js/dist/hls.min.js',
};
// Loads the film, and returns what chooses its captions.
const load = {
    'Shaka Player': `async (video, url) => {
        const player = new shaka.Player();
        await player.attach(video);
        await player.load(url);
        return () => player.selectTextTrack(player.getTextTracks()[0]);
    }`,
    'hls.js': `async (video, url) => {
        const player = new Hls();
        player.loadSource(url);
        player.attachMedia(video);
        await new Promise((parsed) => player.on(Hls.Events.MANIFEST_PARSED, parsed));
        return () => { player.subtitleTrack = 0; };
    }`,
};

let sent = [];
const server = createServer((request, response) => {
    const path = request.url.slice(1).split('?')[0] || 'page.html';
    const type = TYPES[path.split('.').pop()];
    if (path === 'page.html') {
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><video muted></video>');
    } else if (!type) {
        response.writeHead(404).end();
    } else {
        sent.push(path);
        response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(readFileSync(path));
    }
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const base = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({
    executablePath: process.argv[2],
    args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
});

// Plays the film to its end with captions that are chosen first, or behind the last pictures. Returns how many there were.
async function captions(player, film, isLate) {
    sent = [];
    const tab = await browser.newPage();
    await tab.goto(base);
    await tab.addScriptTag({ path: scripts[player] });
    const count = await tab.evaluate(`(async () => {
        const video = document.querySelector('video');
        const soon = (condition) => new Promise((met) => {
            const timer = setInterval(() => condition() && (clearInterval(timer), met()), 50);
        });
        const choose = await (${load[player]})(video, ${JSON.stringify(base + film)});
        if (${!isLate}) choose();
        await soon(() => video.buffered.length > 0 && video.buffered.end(video.buffered.length - 1) > 7.9);
        if (${isLate}) choose();
        const seen = new Set();
        for (const track of video.textTracks) track.mode = 'showing';
        const look = () => [...video.textTracks].forEach((track) => [...(track.cues ?? [])].forEach((cue) => cue.text && seen.add(cue.text)));
        const timer = setInterval(look, 50);
        await video.play();
        await soon(() => video.ended);
        video.currentTime = 3;
        await new Promise((done) => setTimeout(done, 2000));
        clearInterval(timer);
        return seen.size;
    })()`);
    await tab.close();
    const asked = new Set(sent.filter((path) => path.endsWith('.vtt'))).size;
    const when = isLate ? 'when all pictures are loaded' : 'first';
    console.log(`${player}, ${film}, captions chosen ${when}: ${asked} segments of captions loaded, ${count} of 4 captions seen`);
    return { asked, count };
}

const all = [];
for (const [player, film] of [['hls.js', 'film.m3u8'], ['Shaka Player', 'film.mpd'], ['Shaka Player', 'film.m3u8']])
    for (const isLate of [false, true]) all.push(await captions(player, film, isLate));
await browser.close();
server.close();
const last = all.pop();
const holds = all.every(({ count }) => count === 4) && last.asked === 4 && last.count === 0;
console.log(holds ? 'PASS: in HLS, Shaka Player shows no captions that are chosen when all pictures are loaded' : 'FAIL: the behaviour has changed');
process.exit(holds ? 0 : 1);
JS
node captions.mjs "$browser"
