#!/usr/bin/env python3
"""An S3 server, two origins and a cache in front of them, and a player that does not notice that an origin is killed.

    run.py [--cache nginx|varnish] [--content FOLDER] [--serve PROGRAM] [--keep]

--cache    the cache in front of the origins; default: nginx
--content  the folder whose content is in the bucket; default: testdata/
--serve    `serve` with the feature `s3`; default: it is built
--keep     leaves everything running after the test, until Ctrl-C

Everything listens on free ports of 127.0.0.1 and lives in a temporary folder. Needed: Python 3.11 with venv, ffmpeg, and nginx or
Varnish. README.md explains the set-up as a deployment.

What is tested, and fails the script otherwise:
- a player (ffmpeg, HLS, at the pace of the film) gets every frame that the files have, while one origin is killed with SIGKILL;
- meanwhile clients ask for every fragment of every presentation, again and again: no byte is wrong, and no request fails;
- each fragment was fetched from the bucket at most once by each origin, and by both together hardly more than once.
"""

import argparse
import collections
import hashlib
import http.client
import os
import re
import signal
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import xml.etree.ElementTree
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
DEPLOY = REPOSITORY / "deploy"
S3_SERVER = "hadro==0.7.1"
BUCKET = "films"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
# Seconds of the film after which an origin is killed.
KILLED_AFTER = 6
# Clients that ask for fragments meanwhile.
CLIENTS = 8

running = []


def say(text):
    print(f"scale-out: {text}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(name, folder, command, environment=None):
    """Starts a program, whose output goes to a file of its name."""
    log = open(folder / f"{name}.log", "wb")
    clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [str(word) for word in command], stdout=log, stderr=log, env={**clean, **(environment or {})}
    )
    running.append(process)
    return process


def wait_for(name, port, process, folder):
    for _ in range(300):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"scale-out: {name} does not listen:\n{(folder / f'{name}.log').read_text(errors='replace')[-2000:]}")


def get(port, path):
    """The status and the body of a response; an exception if it is not complete."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", quote(path, safe="/()=,"))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


# ---- The parts of the set-up ----


def s3_server(folder, content):
    """A server of S3 with one bucket, whose objects are the files of a folder."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [folder / "venv/bin/pip", "install", "-q", "--disable-pip-version-check", S3_SERVER]
    subprocess.run(pip, check=True)
    (folder / "buckets").mkdir()
    shutil.copytree(content, folder / "buckets" / BUCKET)
    port = free_port()
    process = start("s3", folder, [folder / "venv/bin/hadro", folder / "buckets", "--port", port])
    wait_for("s3", port, process, folder)
    return port


def origin(number, folder, program, s3):
    """An origin that reads the bucket. It has no state but what it keeps in memory."""
    port, operator = free_port(), free_port()
    command = [
        program, f"s3://{BUCKET}", "--config", DEPLOY / "serve.toml", "--listen", f"127.0.0.1:{port}",
        "--operator-listen", f"127.0.0.1:{operator}", "--quiet", "--access-log", folder / f"origin-{number}-access.log",
    ]
    environment = {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}", "AWS_ALLOW_HTTP": "true"}
    process = start(f"origin-{number}", folder, command, environment)
    wait_for(f"origin-{number}", port, process, folder)
    return process, port


def replaced(text, edits):
    """The configuration for deployment, with the ports and folders of the test."""
    for old, new in edits:
        if old not in text:
            sys.exit(f"scale-out: the configuration has no {old!r}")
        text = text.replace(old, new)
    return text


def nginx(folder, origins):
    port = free_port()
    site = folder / "site.conf"
    site.write_text(replaced((DEPLOY / "nginx.conf").read_text(), [
        ("server 127.0.0.1:8080;", f"server 127.0.0.1:{origins[0]};"),
        ("# server 192.0.2.2:8080;", f"server 127.0.0.1:{origins[1]};"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("/var/cache/nginx/smooth-origin", f"{folder}/cache"),
        ("/var/log/nginx/smooth-origin.log", f"{folder}/cache-access.log"),
        ("/etc/nginx/smooth-origin.purged", f"{folder}/purged"),
    ]))
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log; {user}\n"
        f"events {{}}\nhttp {{ {temporary} include {site}; }}\n"
    )
    command = ["nginx", "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"]
    wait_for("cache", port, start("cache", folder, command), folder)
    return port


def varnish(folder, origins):
    port = free_port()
    # The second origin, and requests to both in turn.
    probe = '.probe = { .url = "/readyz"; .interval = 1s; .timeout = 1s; .window = 4; .threshold = 2; .initial = 2; }'
    both = f"""
        import directors;
        backend second {{ .host = "127.0.0.1"; .port = "{origins[1]}"; .connect_timeout = 2s; .first_byte_timeout = 40s; {probe} }}
        sub vcl_init {{ new both = directors.round_robin(); both.add_backend(origin); both.add_backend(second); }}
        sub vcl_recv {{ set req.backend_hint = both.backend(); }}
        # A request that finds the origin gone is made to the other one.
        sub vcl_backend_error {{ if (bereq.retries < 1) {{ return (retry); }} }}
        sub vcl_backend_fetch {{ if (bereq.retries > 0) {{ set bereq.backend = both.backend(); }} }}

    """
    (folder / "default.vcl").write_text(replaced((DEPLOY / "varnish.vcl").read_text(), [
        ('.port = "8080";', f'.port = "{origins[0]}";'),
        ("# Those who may purge.\n", both + "# Those who may purge.\n"),
    ]))
    command = ["varnishd", "-F", "-j", "none", "-n", folder / "varnish", "-f", folder / "default.vcl", "-a", f"127.0.0.1:{port}",
               "-T", "none", "-s", "malloc,256m"]
    wait_for("cache", port, start("cache", folder, command), folder)
    return port


# ---- The content ----


def presentations(content):
    """The titles of a folder that have a file `.ism`."""
    return sorted(str(path.relative_to(content)) for path in content.rglob("*.ism") if path.is_file())


def fragments(port, title):
    """The paths of all fragments of a presentation, by its manifest."""
    status, body = get(port, f"/{title}/Manifest")
    if status != 200:
        return []
    paths = []
    for stream in xml.etree.ElementTree.fromstring(body).iter("StreamIndex"):
        times, time_ = [], 0
        for chunk in stream.iter("c"):
            time_ = int(chunk.get("t", time_))
            for _ in range(int(chunk.get("r", 1))):
                times.append(time_)
                time_ += int(chunk.get("d", 0))
        for quality in stream.iter("QualityLevel"):
            url = stream.get("Url", "").replace("{bitrate}", quality.get("Bitrate")).replace("{Bitrate}", quality.get("Bitrate"))
            if "{CustomAttributes}" in url:
                continue
            paths += [f"/{title}/" + url.replace("{start time}", str(at)).replace("{start_time}", str(at)) for at in times]
    return paths


class Load:
    """Clients that ask the cache for all fragments, and compare each with what it should be."""

    def __init__(self, port, wanted):
        self.port, self.wanted = port, wanted
        self.asked, self.wrong, self.failed = 0, [], []
        self.end = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        paths = sorted(self.wanted)
        at = number * len(paths) // CLIENTS
        while not self.end.is_set():
            path = paths[at % len(paths)]
            at += 1
            try:
                # A text behind the path is dropped by the cache, so this is one object all the same.
                status, body = get(self.port, path)
            except OSError as error:
                self.failed.append(f"{path}: {error}")
                continue
            except http.client.HTTPException as error:
                self.failed.append(f"{path}: {error!r}")
                continue
            self.asked += 1
            if status != 200:
                self.failed.append(f"{path}: status {status}")
            elif hashlib.sha256(body).digest() != self.wanted[path]:
                self.wrong.append(path)

    def stop(self):
        self.end.set()
        for thread in self.threads:
            thread.join()


def play(url, folder, at_pace):
    """The hashes of all frames of a film as ffmpeg shows them, by its video and its sound."""
    pace = ["-re"] if at_pace else []
    command = ["ffmpeg", "-v", "warning", *pace, "-i", url, "-map", "0:v:0", "-map", "0:a:0", "-f", "framemd5", "-"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    running.append(process)
    return process


def frames(process, what):
    output, errors = process.communicate(timeout=300)
    if process.returncode != 0 or "rror" in errors:
        sys.exit(f"scale-out: {what}: ffmpeg reports {errors[-2000:]}")
    return [line.split(",")[0] + line.split(",")[-1] for line in output.splitlines() if not line.startswith("#")]


# ---- The test ----


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", choices=("nginx", "varnish"), default="nginx")
    parser.add_argument("--content", type=Path, default=REPOSITORY / "testdata")
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    for tool in ("ffmpeg", "nginx" if options.cache == "nginx" else "varnishd"):
        if shutil.which(tool) is None:
            sys.exit(f"scale-out: needs {tool}: apt-get install {tool.removesuffix('d')}")
    program = options.serve
    if program is None:
        say("builds serve with the feature s3, some minutes the first time")
        build = ["cargo", "build", "--release", "--manifest-path", REPOSITORY / "Cargo.toml", "-p", "smooth-origin-examples",
                 "--features", "s3", "--example", "serve"]
        subprocess.run(build, check=True)
        program = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release/examples/serve"

    with tempfile.TemporaryDirectory(prefix="scale-out-") as folder:
        folder = Path(folder)
        # nginx and Varnish may run as another user.
        folder.chmod(0o755)
        s3 = s3_server(folder, options.content)
        say(f"S3: http://127.0.0.1:{s3}/{BUCKET}")
        first, one = origin(1, folder, program, s3)
        _, two = origin(2, folder, program, s3)
        cache = (nginx if options.cache == "nginx" else varnish)(folder, (one, two))
        say(f"origins: http://127.0.0.1:{one} and http://127.0.0.1:{two}; {options.cache}: http://127.0.0.1:{cache}")

        # What is right: the answers of a server of the folder itself.
        port = free_port()
        direct = start("direct", folder, [program, options.content, "--listen", f"127.0.0.1:{port}", "--quiet", "--no-page"])
        wait_for("direct", port, direct, folder)
        titles = presentations(options.content)
        wanted = {}
        for title in titles:
            for path in fragments(port, title):
                status, body = get(port, path)
                if status == 200:
                    wanted[path] = hashlib.sha256(body).digest()
        say(f"{len(titles)} presentations, {len(wanted)} fragments")
        if not wanted:
            sys.exit("scale-out: the folder has no presentation that is served")
        film = max(titles, key=lambda title: sum(path.startswith(f"/{title}/") for path in wanted))
        right = frames(play(f"http://127.0.0.1:{port}/{film}/master.m3u8", folder, at_pace=False), "the film from the folder")
        direct.terminate()

        say(f"plays {film} by HLS through {options.cache}, with {CLIENTS} clients that ask for every fragment")
        player = play(f"http://127.0.0.1:{cache}/{film}/master.m3u8", folder, at_pace=True)
        time.sleep(KILLED_AFTER)
        # Objects that nobody has asked for come from the origins, so the load begins when one is about to go.
        load = Load(cache, wanted)
        time.sleep(0.2)
        first.send_signal(signal.SIGKILL)
        first.wait()
        say(f"the first origin is killed {KILLED_AFTER} s into the film")
        seen = frames(player, "the film through the cache")
        load.stop()

        say(f"frames: {len(seen)} of {len(right)}; fragments: {load.asked}, {len(load.failed)} failed, {len(load.wrong)} wrong")
        if seen != right:
            sys.exit("scale-out: the frames differ from those of the files")
        for kind, list_ in (("failed", load.failed), ("wrong", load.wrong)):
            if list_:
                sys.exit(f"scale-out: {kind}: " + "; ".join(list_[:5]))
        count_reads(folder, wanted)
        say("the player did not notice, and no byte was wrong")
        if options.keep:
            say(f"goes on until Ctrl-C: http://127.0.0.1:{cache}/{film}/Manifest")
            signal.pause()


def count_reads(folder, wanted):
    """Each origin was asked once for a fragment, but for those that were under way when one was killed."""
    asked = collections.Counter()
    for number in (1, 2):
        log = (folder / f"origin-{number}-access.log").read_text(errors="replace")
        asked.update(re.findall(r'"GET (\S+/Fragments\([^ ]+) HTTP', log))
    repeated = sum(count - 1 for count in asked.values())
    say(f"requests for fragments that reached the origins: {sum(asked.values())} for {len(wanted)} fragments")
    if repeated > CLIENTS:
        sys.exit(f"scale-out: {repeated} fragments were fetched again")


try:
    main()
except KeyboardInterrupt:
    pass
finally:
    for process in running:
        process.kill()
