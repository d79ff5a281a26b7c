#!/usr/bin/env python3
"""An S3 server, two origins and a cache in front of them, and a player that does not notice that an origin is killed.

    run.py [--cache nginx|varnish] [--content FOLDER] [--serve PROGRAM] [--stores FOLDER] [--keep]

--cache    the cache in front of the origins; default: nginx
--content  the folder whose content is in the bucket; default: testdata/. The counts below hold up to 200 MB of media
--serve    `serve` with the feature `s3`; default: it is built
--stores   the folder in which e2e/stores/install.sh has put the S3 server; default: it is installed into a temporary one
--keep     leaves everything running after the test, until Ctrl-C

Everything listens on free ports of 127.0.0.1 and lives in a temporary folder. Needed: Python 3.11 with venv, ffmpeg, and nginx or
Varnish. README.md explains the set-up as a deployment.

What is tested, and fails the script otherwise:
- a player (ffmpeg, HLS, at the pace of the film) gets every frame that the files have, while one origin is killed with SIGKILL;
- meanwhile clients ask for every fragment and manifest, again and again, and afterwards for every segment and playlist of DASH and HLS:
  no byte is wrong, and no request fails;
- each request that reaches the bucket is counted, by origin and object: a presentation is opened within four round trips, a fragment
  is read once by an origin that was asked for it, as a fragment of Smooth Streaming, a segment or its key frames, and not at all when
  it is asked again.
"""

import argparse
import collections
import hashlib
import http.client
import http.server
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
import xml.etree.ElementTree
from pathlib import Path
from urllib.parse import quote, unquote, urljoin

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
DEPLOY = REPOSITORY / "deploy"
S3_SERVER = "hadro==0.7.1"
BUCKET = "films"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
# Seconds of the film that are played, and after which an origin is killed.
PLAYED = 14
KILLED_AFTER = 5
# Clients that ask for fragments meanwhile.
CLIENTS = 8
# Round trips in which a presentation is opened.
MOST_ROUNDS = 4
# Seconds of an answer of the bucket while round trips are counted.
ROUND_TRIP = 0.1
# Seconds after which something hangs.
HANGS_AFTER = 600
# Seconds until each path has been asked for.
ASKED_WITHIN = 180

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
    for _ in range(600):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"scale-out: {name} does not listen:\n{(folder / f'{name}.log').read_text(errors='replace')[-2000:]}")


def get(port, path):
    """The status and the body of a response; an exception if it is not complete."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", quote(path, safe="/()=,"))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


# ---- The parts of the set-up ----


def s3_server(folder, content, stores):
    """A server of S3 with one bucket, whose objects are the files of a folder."""
    programs = (stores or folder) / "venv/bin"
    if stores is None:
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([programs / "pip", "install", "-q", "--disable-pip-version-check", S3_SERVER], check=True)
    elif not (programs / "hadro").exists():
        sys.exit(f"scale-out: there is no {programs / 'hadro'}: run e2e/stores/install.sh {stores}")
    (folder / "buckets").mkdir()
    shutil.copytree(content, folder / "buckets" / BUCKET)
    port = free_port()
    process = start("s3", folder, [programs / "hadro", folder / "buckets", "--port", port])
    wait_for("s3", port, process, folder)
    return port


class Counter:
    """Passes the requests of one origin on to the bucket, and writes them down."""

    def __init__(self, s3):
        self.s3, self.lock = s3, threading.Lock()
        self.requests, self.rounds, self.delay = [], 0, 0
        counter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_GET(self):
                counter.pass_on(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                """An origin that is killed leaves its connections."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, handler):
        path, _, query = handler.path.partition("?")
        key = unquote(path).removeprefix(f"/{BUCKET}").strip("/")
        span = re.fullmatch(r"bytes=(\d*)-(\d*)", handler.headers.get("Range", ""))
        with self.lock:
            # It was asked for after all answers so far.
            round_ = self.rounds + 1
            self.requests.append(Request(handler.command, key, span and span.group(1), query))
        connection = http.client.HTTPConnection("127.0.0.1", self.s3, timeout=20)
        try:
            fields = {name: value for name, value in handler.headers.items() if name.lower() != "connection"}
            connection.request(handler.command, handler.path, headers=fields)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        time.sleep(self.delay)
        with self.lock:
            self.rounds = max(self.rounds, round_)
        handler.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "keep-alive"):
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def take(self):
        """The requests since the last call, and the number of round trips that they took."""
        with self.lock:
            taken = self.requests, self.rounds
            self.requests, self.rounds = [], 0
        return taken


Request = collections.namedtuple("Request", "method key start query")


def origin(number, folder, program, s3):
    """An origin that reads the bucket. It has no state but what it keeps in memory."""
    port, operator = free_port(), free_port()
    command = [
        program, f"s3://{BUCKET}", "--config", DEPLOY / "serve.toml", "--listen", f"127.0.0.1:{port}",
        "--operator-listen", f"127.0.0.1:{operator}", "--quiet", "--access-log", folder / f"origin-{number}-access.log",
        "--hot-memory", "256",
        # A request is not made again because the machine is busy: each is counted.
        "--store-timeout", "30", "--read-timeout", "120",
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
            custom = ",".join(f"{one.get('Name')}={one.get('Value')}" for one in quality.iter("Attribute"))
            url = unquote(stream.get("Url", ""))
            for name, value in (("bitrate", quality.get("Bitrate")), ("CustomAttributes", custom)):
                url = re.sub("{" + name + "}", lambda _: value, url, flags=re.IGNORECASE)
            paths += [f"/{title}/" + url.replace("{start time}", str(at)).replace("{start_time}", str(at)) for at in times]
    return paths


def segments(port, title):
    """The paths of the texts of DASH and HLS, and of all segments; those of DASH are the same as those of HLS."""
    paths, playlists, at = [f"/{title}/manifest.mpd"], [f"/{title}/master.m3u8"], 0
    while at < len(playlists):
        playlist = playlists[at]
        at += 1
        status, body = get(port, playlist)
        if status != 200:
            continue
        paths.append(playlist)
        text = body.decode()
        named = re.findall(r'URI="([^"]+)"', text) + [line for line in text.splitlines() if line and line[0] != "#"]
        for name in named:
            path = unquote(urljoin(playlist, name))
            if not path.endswith(".m3u8"):
                paths.append(path)
            elif path not in playlists:
                playlists.append(path)
    return list(dict.fromkeys(paths))


class Places:
    """Where in the bucket each fragment is, which is found by its bytes."""

    def __init__(self, content):
        self.content, self.files, self.of = content, {}, {}
        # Fragments by their places. Presentations that share a file read it each for itself.
        self.titles = collections.defaultdict(set)

    def add(self, path, title, body):
        folder = str(Path(title).parent)
        if folder not in self.files:
            files = [file for file in (self.content / folder).rglob("*") if file.is_file() and file.suffix.lower() not in (".ism", ".ismc")]
            self.files[folder] = [(str(file.relative_to(self.content)), file.read_bytes()) for file in files]
        places = [(key, bytes_.find(body)) for key, bytes_ in self.files[folder]]
        self.of[path] = [(key, at) for key, at in places if at >= 0]
        for place in self.of[path]:
            self.titles[place].add(title)


class Load:
    """Clients that ask the cache for all paths, again and again or once, and compare each answer with what it should be."""

    def __init__(self, port, wanted, once=False):
        self.port, self.wanted, self.once = port, wanted, once
        self.asked, self.wrong, self.failed = collections.Counter(), [], []
        self.end = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        paths = sorted(self.wanted)
        at = number * len(paths) // CLIENTS
        last = (number + 1) * len(paths) // CLIENTS
        while not self.end.is_set() and not (self.once and at >= last):
            path = paths[at % len(paths)]
            at += 1
            try:
                status, body = get(self.port, path)
            except OSError as error:
                self.failed.append(f"{path}: {error}")
                continue
            except http.client.HTTPException as error:
                self.failed.append(f"{path}: {error!r}")
                continue
            self.asked[path] += 1
            if status != 200:
                self.failed.append(f"{path}: status {status}")
            elif hashlib.sha256(body).digest() != self.wanted[path]:
                self.wrong.append(path)

    def join(self):
        for thread in self.threads:
            thread.join()

    def stop(self):
        """Ends, when each path has been asked for, or soon if that takes long."""
        until = time.monotonic() + ASKED_WITHIN
        while len(self.asked) < len(self.wanted) and not self.failed and not self.wrong and time.monotonic() < until:
            time.sleep(0.1)
        self.end.set()
        self.join()

    def check(self, what):
        asked = sum(self.asked.values())
        say(f"{what}: {asked} answers for {len(self.asked)} paths, {len(self.failed)} failed, {len(self.wrong)} wrong")
        for kind, list_ in (("failed", self.failed), ("wrong", self.wrong)):
            if list_:
                sys.exit(f"scale-out: {kind}: " + "; ".join(list_[:5]))
        if len(self.asked) < len(self.wanted):
            sys.exit("scale-out: not every path was asked for: the machine is too slow")


def play(url, at_pace):
    """The hashes of all frames of the first part of a film as ffmpeg shows them, by its video and its sound."""
    pace = ["-re"] if at_pace else []
    command = ["ffmpeg", "-v", "warning", *pace, "-i", url, "-t", str(PLAYED), "-map", "0:v:0", "-map", "0:a:0", "-f", "framemd5", "-"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    running.append(process)
    return process


def frames(process, what):
    output, errors = process.communicate(timeout=HANGS_AFTER)
    if process.returncode != 0 or "rror" in errors:
        sys.exit(f"scale-out: {what}: ffmpeg reports {errors[-2000:]}")
    return [line.split(",")[0] + line.split(",")[-1] for line in output.splitlines() if not line.startswith("#")]


# ---- The requests that reach the bucket ----


def open_all(counter, port, titles, round_trip=ROUND_TRIP):
    """Opens each presentation at an origin. Returns the requests and the round trips of each."""
    opened = {}
    counter.delay = round_trip
    for title in titles:
        counter.take()
        get(port, f"/{title}/Manifest")
        opened[title] = counter.take()
    counter.delay = 0
    return opened


def count_again(opened, folder, program, s3):
    """Replaces counts that are too high by those of an origin of its own, at long round trips: on a machine that is busy, a request
    may come after the answer to another one that was made at the same time. How an origin reads does not depend on that."""
    late = [title for title, (_, rounds) in opened.items() if rounds > MOST_ROUNDS]
    if not late:
        return
    counter = Counter(s3)
    process, port = origin(3, folder, program, counter.port)
    for title, (_, rounds) in open_all(counter, port, late, 10 * ROUND_TRIP).items():
        say(f"{title}: {opened[title][1]} round trips, and {rounds} if they take {10 * ROUND_TRIP:.0f} s")
        opened[title] = opened[title][0], rounds
    process.kill()


def check_openings(opened):
    """A presentation is opened in a fixed number of round trips."""
    worst = max(rounds for _, rounds in opened.values())
    requests = sum(len(requests) for requests, _ in opened.values())
    say(f"{len(opened)} presentations were opened with {requests} requests, each in at most {worst} round trips")
    late = [f"{title}: {rounds}" for title, (_, rounds) in opened.items() if rounds > MOST_ROUNDS]
    if late:
        sys.exit(f"scale-out: more than {MOST_ROUNDS} round trips to open: " + "; ".join(late))


def asked_of(number, folder):
    """The paths of fragments that an origin has sent, by its access log."""
    log = (folder / f"origin-{number}-access.log").read_text(errors="replace")
    return {unquote(path) for path in re.findall(r'"GET (\S+/Fragments\(\S+) HTTP/1.1" (?:200|206|304) ', log)}


def without_openings(requests, opened):
    """Without what opens a presentation again of which a file is missing: after a while, it is looked for once more."""
    missing = [of_title for of_title, _ in opened.values() if any(not request.key for request in of_title)]
    known = {request[1:] for of_title in missing for request in of_title}
    return [request for request in requests if request[1:] not in known]


def reads_of(requests):
    """The number of reads from each place of the bucket."""
    return collections.Counter((request.key, int(request.start)) for request in requests if request.method == "GET" and request.start)


def check_reads(number, reads, places):
    """An origin has read each fragment once, and nothing else."""
    faults = []
    for place, count in reads.items():
        # A fragment of two presentations may be read for each. What is no fragment is read by openings alone.
        may = len(places.titles.get(place, ()))
        if count > may:
            faults.append(f"{place[0]} from byte {place[1]}: {count} reads, {may} are right")
    if faults:
        sys.exit(f"scale-out: origin {number}: " + "; ".join(faults[:10]))


def table(openings, reads, looks, places):
    """Prints the requests for each object, by origin."""
    fragments = collections.Counter(key for key, _ in places.titles)
    rows = collections.defaultdict(lambda: [0] * 7)
    for at in (0, 1):
        for requests, _ in openings[at].values():
            for request in requests:
                rows[request.key or "(list)"][1 + at] += 1
        for (key, _), count in reads[at].items():
            rows[key][3 + at] += count
        for key in looks[at]:
            rows[key or "(list)"][5 + at] += 1
    for key, count in fragments.items():
        rows[key][0] = count
    width = max(len(key) for key in rows)
    head = ("fragments", "opening 1", "opening 2", "reads 1", "reads 2", "looks 1", "looks 2")
    print(f"{'object':<{width}} " + " ".join(f"{name:>9}" for name in head))
    for key in sorted(rows):
        print(f"{key:<{width}} " + " ".join(f"{count:>9}" for count in rows[key]))
    sums = [sum(row[column] for row in rows.values()) for column in range(7)]
    print(f"{'in total':<{width}} " + " ".join(f"{count:>9}" for count in sums), flush=True)


# ---- The test ----


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", choices=("nginx", "varnish"), default="nginx")
    parser.add_argument("--content", type=Path, default=REPOSITORY / "testdata")
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--stores", type=Path)
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
    began = time.monotonic()
    signal.signal(signal.SIGALRM, hangs)
    signal.alarm(HANGS_AFTER)

    with tempfile.TemporaryDirectory(prefix="scale-out-") as folder:
        folder = Path(folder)
        # nginx and Varnish may run as another user.
        folder.chmod(0o755)
        s3 = s3_server(folder, options.content, options.stores and options.stores.resolve())
        say(f"S3: http://127.0.0.1:{s3}/{BUCKET}")
        counters = [Counter(s3), Counter(s3)]
        first, one = origin(1, folder, program, counters[0].port)
        _, two = origin(2, folder, program, counters[1].port)
        cache = (nginx if options.cache == "nginx" else varnish)(folder, (one, two))
        say(f"origins: http://127.0.0.1:{one} and http://127.0.0.1:{two}; {options.cache}: http://127.0.0.1:{cache}")
        for counter in counters:
            if counter.take()[0]:
                sys.exit("scale-out: a start asked something of the bucket")

        # What is right: the answers of a server of the folder itself.
        port = free_port()
        direct = start("direct", folder, [program, options.content, "--listen", f"127.0.0.1:{port}", "--quiet", "--no-page"])
        wait_for("direct", port, direct, folder)
        titles = [title for title in presentations(options.content) if get(port, f"/{title}/Manifest")[0] == 200]
        wanted, places = {}, Places(options.content)
        for title in titles:
            smooth = fragments(port, title)
            for path in [f"/{title}/Manifest", *smooth, *segments(port, title)]:
                status, body = get(port, path)
                if status == 200:
                    wanted[path] = hashlib.sha256(body).digest()
                    if "/Fragments(" in path:
                        places.add(path, title, body)
        say(f"{len(titles)} presentations, {len(places.of)} fragments, {len(wanted)} paths with segments and texts")
        if not places.of:
            sys.exit("scale-out: the folder has no presentation that is served")
        film = max(titles, key=lambda title: sum(path.startswith(f"/{title}/") for path in places.of))
        right = frames(play(f"http://127.0.0.1:{port}/{film}/master.m3u8", at_pace=False), "the film from the folder")
        direct.terminate()

        openings = [{}, {}]
        openers = [
            threading.Thread(target=lambda at=at, port=port: openings[at].update(open_all(counters[at], port, titles)))
            for at, port in enumerate((one, two))
        ]
        for opener in openers:
            opener.start()
        for opener in openers:
            opener.join()
        for opened in openings:
            count_again(opened, folder, program, s3)
            check_openings(opened)

        say(f"plays {film} by HLS through {options.cache}, with {CLIENTS} clients that ask for everything")
        player = play(f"http://127.0.0.1:{cache}/{film}/master.m3u8", at_pace=True)
        time.sleep(KILLED_AFTER)
        # Objects that nobody has asked for come from the origins, so the load begins when one is about to go.
        smooth = {path: digest for path, digest in wanted.items() if path in places.of or path.endswith("/Manifest")}
        load = Load(cache, smooth)
        time.sleep(0.5)
        first.send_signal(signal.SIGKILL)
        first.wait()
        say(f"the first origin is killed {KILLED_AFTER} s into the film")
        seen = frames(player, "the film through the cache")
        load.stop()

        say(f"frames: {len(seen)} of {len(right)}")
        if seen != right or not right:
            sys.exit("scale-out: the frames differ from those of the files")
        load.check("fragments and manifests")
        # The access log is written ten times a second.
        time.sleep(0.5)
        reads, looks = [], []
        for at, counter in enumerate(counters):
            requests = without_openings(counter.take()[0], openings[at])
            asked = asked_of(at + 1, folder)
            reads.append(reads_of(requests))
            looks.append([request.key for request in requests if request.method != "GET" or not request.start])
            check_reads(at + 1, reads[at], places)
            for path in asked:
                if not any(reads[at][place] for place in places.of.get(path, ())):
                    sys.exit(f"scale-out: origin {at + 1} has sent {path} without a read")
            say(f"origin {at + 1} was asked for {len(asked)} of {len(places.of)} fragments, and made {sum(reads[at].values())} reads")

        others = Load(cache, {path: digest for path, digest in wanted.items() if path not in smooth}, once=True)
        others.join()
        others.check("segments and playlists of DASH and HLS")
        requests = without_openings(counters[1].take()[0], openings[1])
        of_segments = reads_of(requests)
        say(f"for these, origin 2 made {sum(of_segments.values())} reads")
        # What was read for a fragment is not read for its segment.
        reads[1].update(of_segments)
        check_reads(2, reads[1], places)
        looks[1] += [request.key for request in requests if request.method != "GET" or not request.start]

        # What an origin has read is in its memory.
        again = sorted(asked_of(2, folder))
        for path in again:
            status, body = get(two, path)
            if status != 200 or hashlib.sha256(body).digest() != wanted[path]:
                sys.exit(f"scale-out: {path}: status {status}, or other bytes")
        repeated = [request for request in without_openings(counters[1].take()[0], openings[1]) if request.method == "GET"]
        say(f"{len(again)} fragments that origin 2 was asked for again cost {len(repeated)} reads")
        table(openings, reads, looks, places)
        if repeated:
            sys.exit(f"scale-out: read again: {repeated[:5]}")
        say(f"the player did not notice, and no byte was wrong ({time.monotonic() - began:.0f} s)")
        signal.alarm(0)
        if options.keep:
            say(f"goes on until Ctrl-C: http://127.0.0.1:{cache}/{film}/Manifest")
            signal.pause()


def hangs(*_):
    sys.exit(f"scale-out: it has not ended within {HANGS_AFTER} s")


try:
    main()
except KeyboardInterrupt:
    pass
finally:
    # nginx leaves its worker behind if it is killed.
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
