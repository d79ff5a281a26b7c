#!/usr/bin/env bash
# hls.js: one sound in a codec that the browser does not have keeps the whole film from playing
#
# Version: hls.js 1.7.4 (npm) under Node 20, with a `MediaSource` that answers as Chromium's does: AAC
# can be decoded, E-AC-3 cannot.
#
# Expected: a film whose group of sound has stereo in AAC, which is the default, and surround in
# E-AC-3 plays with the stereo, and the surround is not offered. RFC 8216bis, 4.4.6.2, wants both
# codecs in the CODECS of the variant, because they are those of all its renditions.
#
# Observed: the film does not load: fatal error `manifestIncompatibleCodecsError`. A variant counts only
# if all codecs of its sound can be decoded. The same sounds in two groups, with a variant for each,
# play: the variant with E-AC-3 is dropped.
#
# Why it matters: one group with all languages and codecs is the shortest form that RFC 8216 allows, and
# a packager that puts all streams of sound into one group writes it. A browser that decodes E-AC-3 plays
# such a film, so its author may not notice that it does not load in the others. Each codec needs a group
# of its own.
#
# Output on 2026-11-29:
#   one group:  fatal error manifestIncompatibleCodecsError
#   two groups: avc1.64001F,mp4a.40.2 with Stereo
#   PASS: the film with one group is refused
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
printf '{ "private": true }\n' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts hls.js@1.7.4 > /dev/null
cat > group.mjs <<'JS'
globalThis.self = globalThis;
globalThis.location = { href: 'http://film.example/' };
globalThis.MediaSource = class {
    static isTypeSupported(type) {
        return !type.includes('ec-3');
    }
};
globalThis.SourceBuffer = class {
    appendBuffer() {}
    remove() {}
};
const { default: Hls } = await import('./node_modules/hls.js/dist/hls.mjs');

const sound = (group, name, isDefault) =>
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${group}",NAME="${name}",LANGUAGE="en",` +
    `DEFAULT=${isDefault ? 'YES' : 'NO'},AUTOSELECT=YES,URI="${name}.m3u8"\n`;
const variant = (group, codecs) =>
    `#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.64001F,${codecs}",RESOLUTION=320x180,AUDIO="${group}"\n` +
    'video.m3u8\n';
const one = sound('a', 'Stereo', true) + sound('a', 'Surround', false) + variant('a', 'mp4a.40.2,ec-3');
const two =
    sound('a', 'Stereo', true) + sound('b', 'Surround', true) + variant('a', 'mp4a.40.2') + variant('b', 'ec-3');

// What the player finds in a multivariant playlist, or the error.
function load(text) {
    class Loader {
        load(context, _, callbacks) {
            const time = { start: 1, first: 1, end: 1 };
            const stats = { loading: time, parsing: time, buffering: time, loaded: text.length, total: text.length };
            setTimeout(() => callbacks.onSuccess({ url: context.url, data: text }, stats, context, null));
        }
        abort() {}
        destroy() {}
    }
    const hls = new Hls({ loader: Loader, autoStartLoad: false, enableWorker: false });
    return new Promise((done) => {
        hls.on(Hls.Events.MANIFEST_PARSED, (_, found) => {
            const codecs = found.levels.map((level) => level.attrs.CODECS);
            done(`${codecs.join('; ')} with ${found.audioTracks.map((track) => track.name).join(', ')}`);
        });
        hls.on(Hls.Events.ERROR, (_, error) => done(`${error.fatal ? 'fatal ' : ''}error ${error.details}`));
        hls.loadSource('http://film.example/master.m3u8');
    });
}

const seen = [await load(`#EXTM3U\n${one}`), await load(`#EXTM3U\n${two}`)];
console.log(`one group:  ${seen[0]}`);
console.log(`two groups: ${seen[1]}`);
const known = ['fatal error manifestIncompatibleCodecsError', 'avc1.64001F,mp4a.40.2 with Stereo'];
const holds = seen.join() === known.join();
console.log(holds ? 'PASS: the film with one group is refused' : 'FAIL: the behaviour has changed');
process.exit(holds ? 0 : 1);
JS
node group.mjs
