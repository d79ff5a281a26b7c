#!/usr/bin/env bash
# dash.js: a gap in an on-demand Smooth stream is cut from the length of the film
#
# Version: dash.js 5.2.1 (npm dashjs), its Smooth Streaming module under Node 20, with jsdom 29.1.1
# for the XML.
#
# Expected: the length of an on-demand film is the `Duration` that the manifest declares, or, if the
# player computes it, the end of the last chunk. Both are 8 seconds here.
#
# Observed: the module adds up the `d` of all chunks, takes the smallest sum of the video and audio
# streams, and uses it in place of `Duration`. The time between chunks does not count. A film of 8
# seconds with a gap of 2 seconds has a length of 6, while its last chunk begins at 4 and ends at 8.
# A gap in one audio stream alone does this to the whole film. A gap in a text stream does not.
#
# Why it matters: gaps are legal, and recordings of live events have them: an encoder that was
# restarted leaves one. For such an archive this player assumes a length that is too short by all
# gaps together, and the missing part is the end of the film. RxPlayer 4.5.0 finds 8 seconds in the
# same manifest. The declared `Duration` cannot help, because the sum replaces it whenever the sum
# is smaller.
#
# Output on 2026-11-28:
#   no gap:                 declared 8, player 8, last chunk ends at 8
#   gap in the video:       declared 8, player 6, last chunk ends at 8
#   gap in an audio stream: declared 8, player 6, last chunk ends at 8
#   gap in a text stream:   declared 8, player 8, last chunk ends at 8
#   PASS: the length is the sum of the chunks without the gap
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
printf '{ "private": true }\n' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts dashjs@5.2.1 jsdom@29.1.1 > /dev/null
cat > gap.mjs <<'JS'
import { JSDOM } from 'jsdom';

globalThis.window = new JSDOM('').window;
const { MssHandler } = await import('./node_modules/dashjs/dist/modern/esm/dash.mss.debug.js');

// The module wants the parts of a player around it. The parser uses none of them but the names.
const quiet = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} };
const parser = MssHandler({}).create({
    constants: { AUDIO: 'audio', VIDEO: 'video', TEXT: 'text', STPP: 'stpp' },
    eventBus: { on() {}, off() {}, trigger() {} },
    events: {},
    debug: { getLogger: () => quiet },
    errHandler: { error() {} },
    manifestModel: { getValue: () => null },
    settings: { get: () => ({ streaming: { delay: {}, buffer: {}, timeShiftBuffer: {} } }), update() {} },
    streamController: { getActiveStreamProcessors: () => [] },
}).createMssParser();

const whole = '<c t="0" d="40000000"/><c d="40000000"/>';
const holed = '<c t="0" d="20000000"/><c t="40000000" d="40000000"/>';
const qualities = {
    video: '<QualityLevel Index="0" Bitrate="300000" FourCC="H264" MaxWidth="320" MaxHeight="180" ' +
        'CodecPrivateData="000000016764000DACD941419F9F011000000300100000030320F14299600000000168EBECB22C"/>',
    audio: '<QualityLevel Index="0" Bitrate="64000" FourCC="AACL" SamplingRate="48000" Channels="2" ' +
        'BitsPerSample="16" PacketSize="4" AudioTag="255" CodecPrivateData="1190"/>',
    text: '<QualityLevel Index="0" Bitrate="1000" FourCC="TTML" CodecPrivateData=""/>',
};
const stream = (type, chunks) =>
    `<StreamIndex Type="${type}" ${type === 'text' ? 'Subtype="CAPT"' : ''} Name="${type}" ` +
    'TimeScale="10000000" Chunks="2" QualityLevels="1" ' +
    `Url="QualityLevels({bitrate})/Fragments(${type}={start time})">${qualities[type]}${chunks}</StreamIndex>`;

// The player's length of a film whose stream `type` has a gap of 2 s.
function length(label, type) {
    const body = ['video', 'audio', 'text'].map((t) => stream(t, t === type ? holed : whole)).join('');
    const manifest = parser.parse(
        '<?xml version="1.0" encoding="utf-8"?><SmoothStreamingMedia MajorVersion="2" MinorVersion="0" ' +
        `TimeScale="10000000" Duration="80000000">${body}</SmoothStreamingMedia>`,
    );
    const ends = manifest.Period[0].AdaptationSet.map((set) => {
        const last = set.SegmentTemplate.SegmentTimeline.S.at(-1);
        return (last.t + last.d) / 1e7;
    });
    const player = manifest.mediaPresentationDuration;
    console.log(`${label.padEnd(23)} declared 8, player ${player}, last chunk ends at ${Math.max(...ends)}`);
    return player;
}

const lengths = [
    length('no gap:', null),
    length('gap in the video:', 'video'),
    length('gap in an audio stream:', 'audio'),
    length('gap in a text stream:', 'text'),
];
if (lengths.join() !== '8,6,6,8') {
    console.log('FAIL: the behaviour has changed');
    process.exit(1);
}
console.log('PASS: the length is the sum of the chunks without the gap');
JS
node gap.mjs
