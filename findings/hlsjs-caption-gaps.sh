#!/usr/bin/env bash
# hls.js: EXT-X-GAP in the captions is an error of the pictures, and a quality that was chosen by hand goes back to automatic
#
# Version: hls.js 1.7.4 (npm) in Chromium 156 (Debian), driven by playwright-core 1.65.1. The pictures are made by
# ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1. The captions, the playlists and the server are of this
# script.
#
# Expected: RFC 8216bis (4.4.4.7) has EXT-X-GAP for a segment without media, in any media playlist. In a playlist of
# captions it was expected to mean a pause: the segment is not asked for, nothing is shown, and the pictures go on as they
# were. A viewer who has chosen the small pictures was expected to keep them.
#
# Observed: the segments are not asked for, and all captions are there. But each gap is an error "fragGap", several times for
# one segment, and each time the quality of the pictures that is being loaded counts one more `loadError`, although all
# its segments are there and both qualities have the same captions. hls.js gives up the choice by hand, and loads the
# large pictures from then on. With the option `preserveManualLevelOnError`, which is off by default, it keeps the
# choice, and still counts. With WebVTT files without captions in the same places none of this happens.
#
# Why it matters: live captions have many pauses, and EXT-X-GAP looks like the honest mark of one. It disturbs
# the pictures of whoever has captions on: a viewer who wants to save data gets the large pictures without asking for
# them, and the server's log shows no request that failed. Empty WebVTT segments are the better mark of a pause.
#
# Output on 2026-11-30 (the counts depend on the speed of the machine):
#   empty segments: 4 of 4 captions seen, 2 of 2 pauses asked for, no fragGap, the quality is chosen by hand, no large pictures
#   EXT-X-GAP: 4 of 4 captions seen, 0 of 2 pauses asked for, fragGap 13 times, loadError of the quality up to 5, the quality is chosen by the player, large pictures loaded
#   EXT-X-GAP, preserveManualLevelOnError: 4 of 4 captions seen, 0 of 2 pauses asked for, fragGap 13 times, loadError of the quality up to 7, the quality is chosen by hand, no large pictures
#   PASS: a gap in the captions ends the choice of a quality by hand
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
npm install --silent --no-audit --no-fund hls.js@1.7.4 playwright-core@1.65.1 > /dev/null

# Sixty seconds in two qualities, in segments of two seconds: small-init.mp4, small-1.m4s to small-30.m4s, and the same of large.
for quality in 'small 160x90' 'large 320x180'; do
    read -r name size <<< "$quality"
    "$ffmpeg" -v error -y -f lavfi -i "smptebars=size=$size:rate=25:duration=60" -c:v libx264 -threads 1 -preset ultrafast \
        -tune zerolatency -g 50 -keyint_min 50 -sc_threshold 0 -flags +bitexact \
        -f dash -seg_duration 2 -init_seg_name "$name-init.mp4" -media_seg_name "$name-\$Number\$.m4s" "$name.mpd"
done
playlist='#EXTM3U
#EXT-X-VERSION:8
#EXT-X-TARGETDURATION:2
#EXT-X-PLAYLIST-TYPE:VOD'
for name in small large; do
    { echo "$playlist"; echo "#EXT-X-MAP:URI=\"$name-init.mp4\""; printf "#EXTINF:2,\n$name-%s.m4s\n" {1..30}; echo '#EXT-X-ENDLIST'; } > "$name.m3u8"
done
# A caption in each segment but those from 4 s to 8 s: these have EXT-X-GAP in gap.m3u8, and are files without captions in empty.m3u8.
echo "$playlist" | tee gap.m3u8 > empty.m3u8
for number in {1..30}; do
    printf 'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n' > "$number.vtt"
    if ((number == 3 || number == 4)); then
        echo '#EXT-X-GAP' >> gap.m3u8
    else
        printf '\n00:00:%02d.500 --> 00:00:%02d.500\ncaption %s\n' $((2 * number - 2)) $((2 * number - 1)) "$number" >> "$number.vtt"
    fi
    printf '#EXTINF:2,\n%s.vtt\n' "$number" | tee -a gap.m3u8 >> empty.m3u8
done
# The bits per second of the largest segment of a quality, and 1000 for the captions.
peak() { stat -c %s "$1"-[0-9]*.m4s | sort -n | tail -1 | awk '{ print $1 * 8 / 2 + 1000 }'; }
for kind in gap empty; do
    echo '#EXT-X-ENDLIST' >> "$kind.m3u8"
    cat > "film-$kind.m3u8" <<M3U8
#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",LANGUAGE="en",AUTOSELECT=YES,DEFAULT=NO,URI="$kind.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=$(peak small),CODECS="avc1.42c00b",RESOLUTION=160x90,SUBTITLES="text"
small.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=$(peak large),CODECS="avc1.42c00c",RESOLUTION=320x180,SUBTITLES="text"
large.m3u8
M3U8
done

cat > gaps.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const TYPES = { m3u8: 'application/vnd.apple.mpegurl', vtt: 'text/vtt', mp4: 'video/mp4', m4s: 'video/mp4' };
let sent = [];
const server = createServer((request, response) => {
    const path = request.url.slice(1) || 'page.html';
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

// Plays 12 s of a film with its captions, and with the small quality chosen by hand.
async function play(kind, config) {
    sent = [];
    const tab = await browser.newPage();
    await tab.goto(base);
    await tab.addScriptTag({ path: 'node_modules/hls.js/dist/hls.min.js' });
    const seen = await tab.evaluate(
        async ({ url, config }) => {
            const video = document.querySelector('video');
            const player = new Hls(config);
            let gaps = 0;
            let counted = 0;
            player.on(Hls.Events.ERROR, (_, { details, frag }) => {
                if (details !== 'fragGap' || frag.type !== 'subtitle') return;
                gaps += 1;
                counted = Math.max(counted, ...player.levels.map(({ loadError }) => loadError));
            });
            player.on(Hls.Events.MANIFEST_PARSED, () => {
                player.currentLevel = 0;
                player.subtitleTrack = 0;
            });
            player.loadSource(url);
            player.attachMedia(video);
            const captions = new Set();
            await video.play();
            while (video.currentTime < 12) {
                await new Promise((done) => setTimeout(done, 100));
                for (const track of video.textTracks) for (const cue of track.cues ?? []) if (cue.startTime < 12) captions.add(cue.text);
            }
            return { gaps, counted, captions: captions.size, isByHand: !player.autoLevelEnabled };
        },
        { url: `${base}film-${kind}.m3u8`, config },
    );
    await tab.close();
    return { ...seen, large: sent.filter((path) => /^large-\d+\.m4s$/.test(path)).length, pauses: new Set(sent.filter((path) => /^[34]\.vtt$/.test(path))).size };
}

const all = {};
for (const [name, kind, config] of [
    ['empty segments', 'empty', {}],
    ['EXT-X-GAP', 'gap', {}],
    ['EXT-X-GAP, preserveManualLevelOnError', 'gap', { preserveManualLevelOnError: true }],
]) {
    const seen = (all[name] = await play(kind, config));
    console.log(
        `${name}: ${seen.captions} of 4 captions seen, ${seen.pauses} of 2 pauses asked for, ${seen.gaps ? `fragGap ${seen.gaps} times, loadError of the quality up to ${seen.counted}` : 'no fragGap'}, ` +
            `the quality is chosen ${seen.isByHand ? 'by hand' : 'by the player'}, ${seen.large ? 'large pictures loaded' : 'no large pictures'}`,
    );
}
await browser.close();
server.close();
const { 'empty segments': empty, 'EXT-X-GAP': gap, 'EXT-X-GAP, preserveManualLevelOnError': kept } = all;
const holds =
    Object.values(all).every(({ captions }) => captions === 4) &&
    empty.pauses === 2 && gap.pauses === 0 && kept.pauses === 0 &&
    empty.gaps === 0 && empty.counted === 0 && empty.isByHand &&
    gap.gaps > 0 && gap.counted > 0 && !gap.isByHand &&
    kept.gaps > 0 && kept.counted > 0 && kept.isByHand;
console.log(holds ? 'PASS: a gap in the captions ends the choice of a quality by hand' : `FAIL: the behaviour has changed: ${JSON.stringify(all)}`);
process.exit(holds ? 0 : 1);
JS
node gaps.mjs "$browser"
