"""nginx-vod-module beside us: its configuration, and a film that both can serve.

The module makes fragments of MP4 files, one for each track: film-1.mp4, film-2.mp4, … for the
qualities of the video, film-sound.mp4. Ours is the same media in fragments, made by ffmpeg.
"""

import json
import sys

from common import run

# Documented: the caches, gzip of manifests (MSS manifests are text/xml). Tuned: whole fragments leave
# in one call (`postpone_output`) and are read in one (`vod_cache_buffer_size`), and the module is told
# the length of our fragments. The mapping cache is of use in mapped mode only.
SITE = """
    location /vod/ {{
        alias {folder}/;
        vod mss; vod_mode local;
        vod_segment_duration 2000; vod_align_segments_to_key_frames on;
        vod_manifest_segment_durations_mode accurate;
        vod_metadata_cache metadata_cache 512m;
        vod_response_cache response_cache 128m;
        vod_mapping_cache mapping_cache 5m;
        vod_cache_buffer_size 1m;
        postpone_output 1m;
        gzip on; gzip_types text/xml;
    }}
"""

# The same for segments of DASH, one file per track and chunk.
DASH_SITE = SITE.replace("vod mss;", "vod dash;").replace("text/xml", "application/dash+xml")

# The same for HLS of fragmented MP4, with caches of its own; a rendition has video or audio, as ours.
HLS_SITE = (
    SITE.replace("/vod/", "/hls/")
    .replace("_cache 5", "_cache_of_hls 5")
    .replace("_cache 128m", "_cache_of_hls 128m")
    .replace("vod mss;", "vod hls; vod_hls_container_format fmp4;")
    .replace("text/xml", "application/vnd.apple.mpegurl")
)


def parts(content):
    """The parts of the file names between `film-` and `.mp4`, sound last."""
    names = sorted(file.stem.removeprefix("film-") for file in content.glob("film-*.mp4"))
    if "sound" not in names or len(names) < 2:
        sys.exit(f"film-1.mp4 and film-sound.mp4 are wanted in {content}")
    return [name for name in names if name != "sound"] + ["sound"]


def manifest(content):
    return f"/vod/film-,{','.join(parts(content))},.mp4.urlset/manifest"


def dash_manifest(content):
    return f"{manifest(content)}.mpd"


def playlists(content):
    """Media playlists of HLS, by kind; each of one track."""
    # The module names a track by its kind and place, and a file by its place.
    urls = {"video": [], "audio": []}
    for place, part in enumerate(parts(content), 1):
        kind = "audio" if part == "sound" else "video"
        folder = f"/hls/film-,{','.join(parts(content))},.mp4.urlset"
        urls[kind].append(f"{folder}/index-f{place}-{kind[0]}1.m3u8")
    return urls


def write_fragmented(content, folder):
    """Writes the same media as `film.ism`."""
    folder.mkdir(parents=True)
    tracks = ""
    for part in parts(content):
        source = content / f"film-{part}.mp4"
        element = "audio" if part == "sound" else "video"
        name = f"film-{part}.ism{element[0]}"
        cut = ["-frag_duration", "2000000"] if part == "sound" else ["-movflags", "frag_keyframe"]
        run("ffmpeg", "-v", "error", "-nostdin", "-i", source, "-map", f"0:{element[0]}:0",
            "-c", "copy", *cut, "-f", "ismv", folder / name)
        tracks += (
            f'<{element} src="{name}" systemBitrate="{bitrate(source)}">'
            f'<param name="trackID" value="1"/></{element}>'
        )
    (folder / "film.ism").write_text(f"<smil><body><switch>{tracks}</switch></body></smil>")


def bitrate(file):
    shown = run("ffprobe", "-v", "error", "-show_streams", "-of", "json", file)
    return json.loads(shown)["streams"][0]["bit_rate"]
