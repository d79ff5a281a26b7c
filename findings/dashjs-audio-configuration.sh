#!/usr/bin/env bash
# dash.js: without CodecPrivateData, HE-AAC gets no channels and 7.1 a reserved channel configuration
#
# Version: dash.js 5.2.1 (npm dashjs), its Smooth Streaming module under Node 20, with jsdom 29.1.1
# for the XML. The decoder is ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1.
#
# Expected: AAC qualities may leave `CodecPrivateData` empty, and a player then makes the
# AudioSpecificConfig from `FourCC`, `SamplingRate` and `Channels`. dash.js has code for `AACL` and
# for `AACH`, so both were expected to be right: for 7.1 a channel configuration that MPEG-4 defines
# (7, or the 12 that ffmpeg writes), and for HE-AAC four bytes with the channels of the manifest.
#
# Observed: for `AACL` the number of channels is written as the channel configuration. That is right
# for up to six channels, but eight channels have no configuration 8, the value is reserved. For
# `AACH` the channels are always 0, whatever the manifest says. At 48,000 Hz the hex digits of the
# second half are not padded, so that seven digits remain of eight. The decoder cannot be opened
# with these, while it plays the same bytes with the right configuration.
#
# Why it matters: stereo AAC-LC works with an empty `CodecPrivateData`, so an operator concludes that
# the attribute can be left out, and the 7.1 or HE-AAC track of the same title then fails in the
# player. The codec string is right (mp4a.40.2 or mp4a.40.5), the player announces the track, and
# the fault shows only when the decoder sees the initialization segment that the player wrote itself.
# Manifests should have `CodecPrivateData` for all audio. mssdemux of GStreamer 1.22.0 also makes 11C0
# for eight channels, and has no stream at all for `AACH`.
#
# Output on 2026-11-28:
#   AACL 48000 Hz, 2 channels: dash.js 1190, mp4a.40.2
#   AACL 48000 Hz, 6 channels: dash.js 11B0, mp4a.40.2
#   AACL 48000 Hz, 8 channels: dash.js 11C0, mp4a.40.2
#   AACH 24000 Hz, 2 channels: dash.js 2B018800, mp4a.40.5
#   AACH 48000 Hz, 2 channels: dash.js 2980800, mp4a.40.5
#   decoded with 1190: stereo
#   decoded with 11B0: 5.1
#   decoded with 11C0: refused, instead of it 11E0: 7.1
#   decoded with 2B018800: refused, instead of it 2B118800: stereo
#   PASS: 7.1 and HE-AAC cannot be decoded with the configuration that dash.js makes
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$("$work/venv/bin/python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
cd "$work"
printf '{ "private": true }\n' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts dashjs@5.2.1 jsdom@29.1.1 > /dev/null
cat > configuration.mjs <<'JS'
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

const [fourCC, rate, channels] = process.argv.slice(2);
const manifest = parser.parse(
    '<?xml version="1.0" encoding="utf-8"?><SmoothStreamingMedia MajorVersion="2" MinorVersion="0" ' +
    'TimeScale="10000000" Duration="20000000"><StreamIndex Type="audio" Name="audio" TimeScale="10000000" ' +
    'Chunks="1" QualityLevels="1" Url="QualityLevels({bitrate})/Fragments(audio={start time})">' +
    `<QualityLevel Index="0" Bitrate="64000" FourCC="${fourCC}" SamplingRate="${rate}" Channels="${channels}" ` +
    'BitsPerSample="16" PacketSize="4" AudioTag="255" CodecPrivateData=""/>' +
    '<c t="0" d="20000000"/></StreamIndex></SmoothStreamingMedia>',
);
const quality = manifest.Period[0].AdaptationSet[0].Representation[0];
console.log(`${quality.codecPrivateData}, ${quality.codecs}`);
JS

# Sound whose AudioSpecificConfig in `esds` has five bytes, as ffmpeg writes it.
tone() { "$ffmpeg" -v error -y -f lavfi -i "$1" -ac "$2" -c:a aac -flags +bitexact "$3"; }
tone sine=frequency=440:sample_rate=48000:duration=2 2 stereo.mp4
tone sine=frequency=440:sample_rate=24000:duration=2 2 core.mp4
tone 'aevalsrc=0.1*sin(2764*t)|0|0|0|0|0:c=5.1:s=48000:d=2' 6 six.mp4
tone 'aevalsrc=0.1*sin(2764*t)|0|0|0|0|0|0|0:c=7.1:s=48000:d=2' 8 eight.mp4

# Prints the channels that the decoder finds in a file whose configuration is replaced by `$2`.
decode() {
    python3 - "$1" "$2" <<'PY'
import sys

data = bytearray(open(sys.argv[1], "rb").read())
tag = data.index(b"\x05\x80\x80\x80\x05", data.index(b"esds"))  # DecoderSpecificInfo of five bytes
data[tag + 5:tag + 10] = bytes.fromhex(sys.argv[2]).ljust(5, b"\0")
open("changed.mp4", "wb").write(data)
PY
    if "$ffmpeg" -v error -i changed.mp4 -f null - 2> /dev/null; then
        "$ffmpeg" -hide_banner -i changed.mp4 2>&1 | sed -n 's/.*Audio: .* Hz, \([^,]*\),.*/\1/p' || true
    else
        echo refused
    fi
}

seen=''
configuration() {
    local made
    made=$(node configuration.mjs "$1" "$2" "$3")
    echo "$1 $2 Hz, $3 channels: dash.js $made"
    seen+="$made;"
}
configuration AACL 48000 2
configuration AACL 48000 6
configuration AACL 48000 8
configuration AACH 24000 2
configuration AACH 48000 2
wanted='1190, mp4a.40.2;11B0, mp4a.40.2;11C0, mp4a.40.2;2B018800, mp4a.40.5;2980800, mp4a.40.5;'

stereo=$(decode stereo.mp4 1190)
six=$(decode six.mp4 11B0)
eight=$(decode eight.mp4 11C0) eight_right=$(decode eight.mp4 11E0)
high=$(decode core.mp4 2B018800) high_right=$(decode core.mp4 2B118800)
echo "decoded with 1190: $stereo"
echo "decoded with 11B0: $six"
echo "decoded with 11C0: $eight, instead of it 11E0: $eight_right"
echo "decoded with 2B018800: $high, instead of it 2B118800: $high_right"

if [ "$seen" = "$wanted" ] &&
    [ "$stereo/$six/$eight/$eight_right/$high/$high_right" = "stereo/5.1/refused/7.1/refused/stereo" ]; then
    echo "PASS: 7.1 and HE-AAC cannot be decoded with the configuration that dash.js makes"
else
    echo "FAIL: the behaviour has changed"
    exit 1
fi
