#!/usr/bin/env bash
# ffmpeg -f dash -hls_playlist 1: the playlists lose the languages that the MPD of the same run has
#
# Version: ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1.
#
# Expected: one run writes an MPD and HLS playlists for the same segments, so what the MPD says of a track
# is in the playlists too: LANGUAGE in each EXT-X-MEDIA of sound, as `lang` in each AdaptationSet.
#
# Observed: the MPD has lang="eng" and lang="fra". The multivariant playlist has no LANGUAGE, and the names
# of the two are "audio_1" and "audio_2". ffmpeg prints no error and exits with 0. The HLS muxer of the same
# ffmpeg (-f hls -var_stream_map with language:) does write LANGUAGE.
#
# Why it matters: this is the usual way to make one set of CMAF segments for both formats. The DASH player
# offers English and French, the HLS player "audio_1" and "audio_2", and a device that chooses sound by
# its own language plays whichever comes first. Comparing the two manifests of one run shows it; playing
# either does not.
#
# Output on 2026-11-28:
#   MPD of -f dash: exit status 0, lang="eng" lang="fra"
#   playlist of -f dash: NAME="audio_1" NAME="audio_2", LANGUAGE:
#   playlist of -f hls: LANGUAGE="eng" LANGUAGE="fra"
#   PASS: the MPD has the languages, and the playlist of the same run has not
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
"$ffmpeg" -version | head -n 1

input=(-f lavfi -i testsrc2=size=320x180:rate=25:duration=4
       -f lavfi -i sine=frequency=440:duration=4 -f lavfi -i sine=frequency=880:duration=4
       -map 0 -map 1 -map 2 -c:v libx264 -preset ultrafast -g 50 -c:a aac
       -metadata:s:a:0 language=eng -metadata:s:a:1 language=fra)

status=0
"$ffmpeg" -v error "${input[@]}" -f dash -hls_playlist 1 -seg_duration 2 film.mpd || status=$?
mkdir hls
"$ffmpeg" -v error "${input[@]}" -f hls -hls_segment_type fmp4 -hls_time 2 -master_pl_name master.m3u8 \
    -var_stream_map 'v:0,agroup:a a:0,agroup:a,language:eng a:1,agroup:a,language:fra' 'hls/%v.m3u8'

languages() { grep -o 'lang="[^"]*"' "$1" | paste -sd ' '; }
attributes() { # FILE NAME: the values of an attribute in all EXT-X-MEDIA of a playlist
    grep '^#EXT-X-MEDIA' "$1" | grep -oE "[:,]$2=\"[^\"]*\"" | sed 's/^.//' | paste -sd ' '
}
first="exit status $status, $(languages film.mpd)"
second="$(attributes master.m3u8 NAME), LANGUAGE: $(attributes master.m3u8 LANGUAGE || true)"
third=$(attributes hls/master.m3u8 LANGUAGE)
echo "MPD of -f dash: $first"
echo "playlist of -f dash: $second"
echo "playlist of -f hls: $third"

if [ "$first" = 'exit status 0, lang="eng" lang="fra"' ] &&
    [ "$second" = 'NAME="audio_1" NAME="audio_2", LANGUAGE: ' ] &&
    [ "$third" = 'LANGUAGE="eng" LANGUAGE="fra"' ]; then
    echo "PASS: the MPD has the languages, and the playlist of the same run has not"
else
    echo "FAIL: the behaviour has changed"
    exit 1
fi
