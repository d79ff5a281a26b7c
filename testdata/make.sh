#!/usr/bin/env bash
# Makes the four test presentations again from nothing: ./make.sh [FOLDER], by default into the folder of this script.
# Pictures and sounds come from ffmpeg's own generators. The .ism and .ismc are written by index.py.
# One thread and bit-exact flags: the same ffmpeg makes the same bytes each time.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
mkdir -p "$out"/{ladder,split,bframes,ntsc}

# A moving test picture with a running clock and frame number; each presentation turns the colours by another angle.
picture() { # frames per second, hue in degrees
    echo "testsrc2=size=320x180:rate=$1:duration=$seconds,format=yuv420p,hue=h=$2"
}
# A tone that never repeats: it climbs or falls all the time, so that each audio frame has bytes of its own.
tone() { # sample rate, hertz at the start, hertz a second, [hertz by which the right channel is higher]
    local left="0.3*sin(2*PI*($2*t+$3/2*t*t))" right="0.3*sin(2*PI*(($2+${4:-0})*t+$3/2*t*t))"
    echo "aevalsrc=$left${4:+|$right}:sample_rate=$1:duration=$seconds"
}
# What follows the inputs and filters of each call; the caller adds bitrates, maps and file names.
size() { echo "scale=$1:flags=bicubic+accurate_rnd+bitexact"; }
gop() { echo "threads=1:keyint=$1:min-keyint=$1:scenecut=0:open-gop=0:bframes=0"; }
run() { ffmpeg -hide_banner -nostdin -loglevel error -y -filter_threads 1 -filter_complex_threads 1 "$@"; }
h264=(-c:v libx264 -preset medium)
# The encoder's first frame, which only warms it up, would start before 0: move all audio so that it starts at 0.
aac=(-c:a aac -bsf:a "setts=ts=TS-STARTPTS")
ismv=(-threads 1 -flags +bitexact -fflags +bitexact -map_metadata -1 -f ismv -movflags +frag_keyframe)

seconds=24

# ladder: three video qualities and two languages in one file.
run -f lavfi -i "$(picture 25 0)" \
    -f lavfi -i "$(tone 48000 220 20)" -f lavfi -i "$(tone 48000 1400 -20)" \
    -filter_complex "[0:v]split=3[a][b][c];[a]$(size 160:90)[low];[b]$(size 256:144)[mid];[c]$(size 320:180)[high]" \
    -map '[low]' -map '[mid]' -map '[high]' -map 1:a -map 2:a \
    "${h264[@]}" -x264-params "$(gop 50)" -b:v:0 60k -b:v:1 120k -b:v:2 220k \
    "${aac[@]}" -b:a 48k -frames:a 1125 -metadata:s:a:0 language=eng -metadata:s:a:1 language=fra \
    "${ismv[@]}" "$out/ladder/ladder.ismv"
"$here/index.py" "$out/ladder/ladder.ism" --chunks full \
    ladder.ismv:1:60000 ladder.ismv:2:120000 ladder.ismv:3:220000 \
    ladder.ismv:4:48000:audio_eng:eng ladder.ismv:5:48000:audio_fra:fra

# split: a file for each track. 1.92 s of audio are exactly 90 AAC frames, so nearly all chunks are equally long.
run -f lavfi -i "$(picture 25 90)" -f lavfi -i "$(tone 48000 300 15 100)" \
    -filter_complex "[0:v]split=2[a][b];[a]$(size 160:90)[low];[b]$(size 256:144)[high]" \
    -map '[low]' "${h264[@]}" -x264-params "$(gop 50)" -b:v 60k "${ismv[@]}" "$out/split/split_60.ismv" \
    -map '[high]' "${h264[@]}" -x264-params "$(gop 50)" -b:v 120k "${ismv[@]}" "$out/split/split_120.ismv" \
    -map 1:a "${aac[@]}" -b:a 48k -frames:a 1125 "${ismv[@]}" -frag_duration 1920000 "$out/split/split_audio.isma"
"$here/index.py" "$out/split/split.ism" --chunks runs --value-type valueType --details \
    split_120.ismv:1:120000:video split_60.ismv:1:60000:video split_audio.isma:1:48000:audio

# bframes: frames stored in another order than shown, and video that starts 0.08 s after the audio. Each fragment begins
# with a closed (IDR) key frame; halfway there is a second key frame, an open one, which is shown after frames that
# follow it, so its composition offset is not 0.
run -itsoffset 0.08 -f lavfi -i "$(picture 25 180)" -f lavfi -i "$(tone 48000 900 -25)" \
    -map 0:v -map 1:a -fps_mode passthrough \
    "${h264[@]}" -x264-params threads=1:keyint=25:scenecut=0:open-gop=1:bframes=2 -b:v 150k \
    -forced-idr 1 -force_key_frames 'expr:not(mod(n,50))' \
    "${aac[@]}" -b:a 48k -frames:a 1125 \
    "${ismv[@]}" -min_frag_duration 1500000 "$out/bframes/bframes.ismv"
"$here/index.py" "$out/bframes/bframes.ism" --chunks none --prefix s --bom \
    bframes.ismv:1:150000 bframes.ismv:2:48000

# ntsc: 30000/1001 frames and 44100 samples a second, neither a whole number of ticks. The audio shares a file with
# the low video.
seconds=24.024
run -f lavfi -i "$(picture 30000/1001 270)" -f lavfi -i "$(tone 44100 500 10 150)" \
    -filter_complex "[0:v]split=2[a][b];[a]$(size 192:108)[low];[b]$(size 320:180)[high]" \
    -map 1:a -map '[low]' "${aac[@]}" -b:a 64k "${h264[@]}" -x264-params "$(gop 60)" -b:v 80k \
        "${ismv[@]}" "$out/ntsc/ntsc_low.ismv" \
    -map '[high]' "${h264[@]}" -x264-params "$(gop 60)" -b:v 160k "${ismv[@]}" "$out/ntsc/ntsc_high.ismv"
"$here/index.py" "$out/ntsc/ntsc.ism" --chunks full --value-type valueType --repeat-bitrate \
    ntsc_low.ismv:1:64000:audio ntsc_low.ismv:2:80000:video ntsc_high.ismv:1:160000:video

cd "$out"
# The dialects are written by a test: their lines stay.
dialects=$(grep ' dialects/' SHA256SUMS || true)
{ sha256sum {ladder,split,bframes,ntsc}/*; echo "$dialects"; } > SHA256SUMS
