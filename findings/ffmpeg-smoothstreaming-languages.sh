#!/usr/bin/env bash
# ffmpeg -f smoothstreaming: of two audio languages with one bitrate, one is lost
#
# Version: ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1. Debian's 5.1.9 does
# the same.
#
# Expected: two audio tracks with different languages become two audio `StreamIndex` elements, each
# with its `Language`. If the muxer cannot tell the tracks apart, it refuses the job.
#
# Observed: all audio tracks become `QualityLevel` elements of one `StreamIndex`, without `Language`
# and without `Name`. A player therefore takes the languages for qualities of one track, between
# which it may switch. The folder of a track is named only by its bitrate, so two tracks with the
# same `-b:a` share one folder and one set of file names. The track that is mapped last overwrites
# the other: its fragments are on disk byte for byte, those of the first language are not, the
# manifest lists both, and ffmpeg prints no error and exits with 0. With different bitrates both
# tracks are on disk, still as two qualities of one stream.
#
# Why it matters: the usual command for a film with two languages gives every audio track the same
# bitrate. The folder and the manifest look complete, and only a listener notices. `-f ismv` keeps
# the tracks apart, and so do two runs with one language each.
#
# Output on 2026-11-28:
#   exit status 0, audio StreamIndex elements 1, QualityLevel elements 2, Language attributes 0
#   audio fragments on disk 2, of the first language 0, of the second language 2
#   PASS: the second language has replaced the first
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$("$work/venv/bin/python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
"$ffmpeg" -version | head -n 1
cd "$work"

# Two tones stand for two languages.
tones=(-f lavfi -i sine=frequency=440:sample_rate=48000:duration=8
       -f lavfi -i sine=frequency=880:sample_rate=48000:duration=8)
encoder=(-c:a aac -b:a 64k -flags +bitexact)

"$ffmpeg" -v error -y "${tones[@]}" -map 0 "${encoder[@]}" -f smoothstreaming first.ism
"$ffmpeg" -v error -y "${tones[@]}" -map 1 "${encoder[@]}" -f smoothstreaming second.ism
status=0
"$ffmpeg" -v error -y "${tones[@]}" -map 0 -map 1 "${encoder[@]}" \
    -metadata:s:a:0 language=eng -metadata:s:a:1 language=fra \
    -f smoothstreaming both.ism || status=$?

streams=$(grep -c '<StreamIndex Type="audio"' both.ism/Manifest || true)
qualities=$(grep -c '<QualityLevel ' both.ism/Manifest || true)
languages=$(grep -c 'Language=' both.ism/Manifest || true)
echo "exit status $status, audio StreamIndex elements $streams," \
    "QualityLevel elements $qualities, Language attributes $languages"

total=0 first=0 second=0
while IFS= read -r file; do
    total=$((total + 1))
    # The first language's fragment must differ from the second's, or the comparison proves nothing.
    if cmp -s "first.ism/$file" "second.ism/$file"; then echo "FAIL: the tones do not differ"; exit 1; fi
    if cmp -s "both.ism/$file" "first.ism/$file"; then first=$((first + 1)); fi
    if cmp -s "both.ism/$file" "second.ism/$file"; then second=$((second + 1)); fi
done < <(cd both.ism && find . -name 'Fragments(*' | sort)
echo "audio fragments on disk $total, of the first language $first, of the second language $second"

if [ "$status" = 0 ] && [ "$streams" = 1 ] && [ "$qualities" = 2 ] && [ "$languages" = 0 ] &&
    [ "$total" -gt 0 ] && [ "$first" = 0 ] && [ "$second" = "$total" ]; then
    echo "PASS: the second language has replaced the first"
else
    echo "FAIL: the behaviour has changed"
    exit 1
fi
