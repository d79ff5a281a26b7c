#!/usr/bin/env python3
"""nginx and Varnish with the configurations of `deploy/`, in front of the example server with that of `deploy/`.

    proxies.py [target/release/examples/serve]

Of the configurations, only ports and paths are replaced, and the lines that docs/deploy.md tells to edit. Tried are: what is a
hit, under which spellings of a URL, and for how long; failures; pages of other sites; ranges and slices; conditions; purging;
origins that are replaced, doubled or down. The servers, both caches and their files are our own, in a temporary folder.
"""

import gzip
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEPLOY = HERE.parent.parent / "deploy"
TESTDATA = HERE.parent.parent / "testdata"
sys.path.insert(0, str(HERE.parent / "http"))

from caches import Cache  # noqa: E402
from wire import Response, binary_of, free_port, wait_for  # noqa: E402

MANIFEST, OTHER = "/ladder/ladder.ism/Manifest", "/bframes/bframes.ism/Manifest"
FRAGMENT = "/bframes/bframes.ism/QualityLevels(150000)/Fragments(video=800000)"
ENCODED = "/bframes/bframes.ism/QualityLevels%28150000%29/Fragments%28video%3d800000%29"
SEGMENT = "/bframes/bframes.ism/video-150000/800000.m4s"
INIT = "/bframes/bframes.ism/video-150000/init.mp4"
PLAYLISTS = ("/bframes/bframes.ism/manifest.mpd", "/bframes/bframes.ism/master.m3u8")
SITE, REFUSED = "https://tv.example.com", "https://evil.example"
# The times of the tests: those of manifests and files are shortened, so that they can be waited for.
MANIFEST_AGE, FILE_AGE, NOT_FOUND_AGE, SETTLED = 4, 5, 5, 1
MANIFEST_CONTROL = f"max-age={MANIFEST_AGE}, stale-while-revalidate=60, stale-if-error=86400"
FRAGMENT_CONTROL = "max-age=86400, stale-while-revalidate=60, stale-if-error=604800"
checked = 0


def check(right, message):
    global checked
    checked += 1
    assert right, message


# ---- Programs ----


class Origin:
    """`serve` with `deploy/serve.toml`, on a port that it keeps when it is started again."""

    def __init__(self, binary, root, *arguments):
        self.port = free_port()
        self.address = "127.0.0.1", self.port
        self.operator = "127.0.0.1", free_port()
        self.log = root.parent / f"access-{self.port}.log"
        self.command = [binary, str(root), "--config", str(DEPLOY / "serve.toml"), "--listen", f"127.0.0.1:{self.port}",
                        "--cache-control", f"manifest={MANIFEST_CONTROL}", "--cache-control", f"file=max-age={FILE_AGE}", "--revalidate", "1", "--quiet",
                        "--operator-listen", "%s:%d" % self.operator, "--access-log", str(self.log), *arguments]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.address, self.process)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def ask(self, target, *fields, method="GET"):
        return ask(self.address, target, *fields, method=method)


def replaced(text, edits):
    for old, new in edits:
        assert old in text, f"no {old!r} to replace"
        text = text.replace(old, new)
    return text


class Nginx:
    name = "nginx"

    def __init__(self, folder, upstreams, has_list=False):
        self.port = free_port()
        os.makedirs(folder)
        self.folder = folder
        edits = [
            ("server 127.0.0.1:8080;", f"server 127.0.0.1:{upstreams[0]};"),
            ("listen 80;", f"listen 127.0.0.1:{self.port};"),
            ("/var/cache/nginx/smooth-origin", f"{folder}/cache"),
            ("/var/log/nginx/smooth-origin.log", f"{folder}/access.log"),
            ("/etc/nginx/smooth-origin.purged", f"{folder}/purged"),
        ]
        if len(upstreams) > 1:
            edits.append(("# server 192.0.2.2:8080;", f"server 127.0.0.1:{upstreams[1]};"))
        if has_list:
            edits.append(('# "https://tv.example.com" $http_origin;', '"https://tv.example.com" $http_origin;'))
        site = os.path.join(folder, "smooth-origin.conf")
        Path(site).write_text(replaced((DEPLOY / "nginx.conf").read_text(), edits))
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        path = os.path.join(folder, "nginx.conf")
        Path(path).write_text(f"""worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
            {'user root;' if os.getuid() == 0 else ''}
            events {{}}
            http {{ {temporary} include {site}; }}""")
        self.command = ["nginx", "-p", folder, "-e", f"{folder}/error.log", "-c", path]

    def purge(self, title):
        """Returns when the processes from before the purge have ended: they may accept connections until then."""
        master = Path(self.folder, "pid").read_text().strip()
        before = children(master)
        environment = {**os.environ, "NGINX_COMMAND": " ".join(self.command)}
        subprocess.run([str(DEPLOY / "nginx-purge.sh"), title, f"{self.folder}/purged"], check=True, env=environment)
        wait_until(lambda: not before & children(master), "nginx replaces its processes")


def children(process):
    return set(subprocess.run(["pgrep", "-P", process], capture_output=True, text=True, check=False).stdout.split())


class Varnish:
    name = "Varnish"

    def __init__(self, folder, upstreams, has_list=False):
        self.port = free_port()
        os.makedirs(folder)
        edits = [('.port = "8080";', f'.port = "{upstreams[0]}";')]
        if has_list:
            edits += [("    unset req.http.Origin;\n", ""), ("set req.grace = 60s;", "set req.grace = 0s;")]
        path = os.path.join(folder, "default.vcl")
        Path(path).write_text(replaced((DEPLOY / "varnish.vcl").read_text(), edits))
        self.command = ["varnishd", "-F", "-j", "none", "-n", os.path.join(folder, "work"), "-f", path,
                        "-a", f"127.0.0.1:{self.port}", "-T", "none", "-s", "malloc,256m"]


class Proxy(Cache):
    """A running cache."""

    def __init__(self, kind, folder, upstreams, has_list=False):
        self.program = kind(folder, upstreams, has_list)
        super().__init__(self.program, f"{folder}.log")
        self.is_nginx = kind is Nginx

    def ask(self, target, *fields, method="GET", source="127.0.0.1"):
        return ask(self.address, target, *fields, method=method, source=source)

    def purge(self, title):
        if self.is_nginx:
            return self.program.purge(title)
        return check(self.ask("/", f"Surrogate-Key: {title}", method="PURGE").status == 204, "PURGE of a key")

    def seen(self, response):
        return response.get("x-cache-status" if self.is_nginx else "x-cache")

    def expect(self, seen, target, *fields, status=200, method="GET"):
        response = self.ask(target, *fields, method=method)
        found = response.status, self.seen(response)
        wanted = (seen,) if isinstance(seen, str) else seen
        check(found[0] == status and found[1] in wanted, f"{self.name}, {target} {fields}: {found}, wanted {status} {seen}")
        return response


def ask(address, target, *fields, method="GET", source="127.0.0.1"):
    """One request; its path as it is given. Bodies may come in chunks."""
    connection = http.client.HTTPConnection(*address, timeout=60, source_address=(source, 0))
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for field in fields:
            connection.putheader(*field.split(": ", 1))
        connection.endheaders()
        response = connection.getresponse()
        return Response(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


# ---- Content ----


def make(root):
    for name in ("ladder", "bframes"):
        shutil.copytree(TESTDATA / name, root / name)
    (root / "film.mp4").write_bytes(b"".join(number.to_bytes(4, "big") for number in range(5 << 18)))
    for name in NAMES:
        (root / name).write_text(name)
    (root / "old.txt").write_text("old")
    shutil.copytree(TESTDATA / "bframes", root / "Two Words (1)")
    for number in range(len(HOSTILE)):
        shutil.copytree(root / "bframes", root / "copies" / str(number), copy_function=os.link)
    for path in root.rglob("*"):
        # What was changed just now is too new for its time to tell versions apart.
        os.utime(path, (1_577_836_800, 1_577_836_800))


# Requests that must not take the place of another: most get 400, 404 or 415.
HOSTILE = ("/{}%2Fbframes.ism/Manifest", "/x/../{}/bframes.ism/Manifest", "/./{}/bframes.ism/Manifest", "//{}//bframes.ism//Manifest",
           "/{}/bframes.ism/Manifest%00", "/{}/bframes.ism%5CManifest", "/{}/bframes.ism/Manifest%3Ffilter=x", "/{}/bframes.ism/Manifest/",
           "/{}/bframes.ism/%4Danifest", "/{}/bframes.ism/Manifest?filter=x", "/{}/bframes.ism/Manifest?t=2026-01-02T03:04:05Z",
           "/{}/bframes.ism/Manifest%20", "/{}/bframes.ism/Manifest#x", "/%252E/{}/bframes.ism/Manifest")
NAMES = ("two words.txt", "number #1.txt", "percent%20.txt", "question?.txt", "plus+and&.txt", "grün.txt", "semi;colon,.txt")


def quoted(name):
    """Percent-encoded as browsers do it."""
    return "/" + "".join(chr(byte) if chr(byte) in "+&;,.()=" or chr(byte).isalnum() and byte < 128 else f"%{byte:02X}" for byte in name.encode())


# ---- What is tried ----


def documented(binary):
    """The times in docs/deploy.md are those of serve.toml."""
    printed = subprocess.run([binary, "--config", DEPLOY / "serve.toml", "--print-config"], capture_output=True, text=True, check=False)
    check(printed.returncode == 0, f"serve.toml: {printed.stderr}")
    values = tomllib.loads(printed.stdout)
    check(values["folders"] == ["/srv/media"] and values["listen"] == "127.0.0.1:8080", printed.stdout[:500])
    guide = (DEPLOY.parent / "docs" / "deploy.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]*\| `([^`]*)` \|", guide, re.MULTILINE)
    check(dict(rows) == values["cache-control"], f"docs/deploy.md has {dict(rows)}, serve.toml makes {values['cache-control']}")
    check(values["cache-control"]["fragment"] == FRAGMENT_CONTROL, "times of fragments")


def hits(proxy, origin):
    """The second request is a hit, and both have what the origin sends."""
    for target in (MANIFEST, OTHER, *PLAYLISTS, FRAGMENT, SEGMENT, INIT, "/clientaccesspolicy.xml", "/two%20words.txt"):
        direct = origin.ask(target)
        check(direct.status == 200, f"{target}: {direct.status}")
        for seen in ("MISS", "HIT"):
            through = proxy.expect(seen, target)
            check(through.body == direct.body, f"{proxy.name}, {target}: other bytes")
            for name in ("content-type", "cache-control", "surrogate-key", "last-modified", "access-control-allow-origin"):
                check(through.get(name) == direct.get(name), f"{proxy.name}, {target}: {name}: {through.get(name)}")
            check(through.get("etag").removeprefix("W/") in (direct.get("etag"), packed_tag(origin, target)),
                  f"{proxy.name}, {target}: {through.get('etag')}")
    check(proxy.ask(MANIFEST).get("cache-control") == MANIFEST_CONTROL, "the manifest's time")
    check(proxy.ask(FRAGMENT).get("cache-control") == FRAGMENT_CONTROL, "the fragment's time")


def packed_tag(origin, target):
    return origin.ask(target, "Accept-Encoding: gzip").get("etag")


def codings(proxy, origin):
    """One copy of a manifest for those who accept gzip and those who do not."""
    target = "/Two%20Words%20(1)/bframes.ism/Manifest"
    for _ in range(100):
        if origin.ask(target, "Accept-Encoding: gzip").get("content-encoding") == "gzip":
            break
        time.sleep(0.05)
    plain = origin.ask(target).body
    packed = proxy.expect("MISS", target, "Accept-Encoding: gzip, deflate, br")
    check(packed.get("content-encoding") == "gzip" and gzip.decompress(packed.body) == plain, f"{proxy.name}: packed")
    for fields in ((), ("Accept-Encoding: identity",), ("Accept-Encoding: br",)):
        unpacked = proxy.expect("HIT", target, *fields)
        check((unpacked.get("content-encoding"), unpacked.body) == ("", plain), f"{proxy.name}: {fields}")
        check("accept-encoding" in unpacked.get("vary").lower(), f"{proxy.name}: Vary: {unpacked.get('vary')}")


def spellings(proxy, origin):
    """One copy per path, however it is written; and no spelling puts another response in its place."""
    fragment = origin.ask(FRAGMENT).body
    for target in (ENCODED, ENCODED.replace("%3d", "%3D"), FRAGMENT + "?token=1", FRAGMENT + "?t=1690000000", FRAGMENT + "?filter="):
        check(proxy.expect("HIT", target).body == fragment, f"{proxy.name}: {target}")
    whole = origin.ask(MANIFEST).body
    # A selection that is refused, a part of the film, and a time that the film does not have.
    for option, status in (("filter=x", 415), ("a=b&VBEGIN=10", 200), ("t=2026-01-02T03:04:05Z", 404)):
        part = proxy.ask(f"{MANIFEST}?{option}")
        check(part.status == status, f"{proxy.name}: {option}: {part.status}")
        check(part.body != whole, f"{proxy.name}: {option}: the whole manifest")
        now = proxy.ask(MANIFEST)
        check((now.status, now.body) == (200, whole), f"{proxy.name}: {option} is kept as the manifest")
    for number, hostile in enumerate(HOSTILE):
        # First of all requests for this manifest.
        proxy.ask(hostile.format(f"copies/{number}"))
        manifest = f"/copies/{number}/bframes.ism/Manifest"
        now = proxy.ask(manifest)
        check((now.status, now.body) == (200, origin.ask(manifest).body), f"{proxy.name}: {hostile} takes the manifest's place")
    for name in NAMES:
        through = proxy.ask(quoted(name))
        check((through.status, through.body.decode()) == (200, name), f"{proxy.name}, {quoted(name)}: {through.status} {through.body!r}")
    if proxy.is_nginx:
        for target in (FRAGMENT.replace("/Fragments", "//Fragments"), FRAGMENT.replace("bframes", "%62frames", 1), "/x/.." + FRAGMENT):
            proxy.expect("HIT", target)
    # Letter case makes copies: nobody can know that the origin ignores it.
    check(proxy.ask(OTHER.replace("Manifest", "manifest")).status == 200, "manifest")


def heads(proxy, origin):
    target = FRAGMENT.replace("800000", str(second_start(origin)))
    whole = origin.ask(target)
    head = proxy.expect("MISS", target, method="HEAD")
    check((head.body, head.get("content-length")) == (b"", str(len(whole.body))), f"{proxy.name}: HEAD")
    check(proxy.expect("HIT", target).body == whole.body, "GET after HEAD")
    # Varnish 7.1 takes `*` for a validator that differs.
    anything = ["If-None-Match: *"] if proxy.is_nginx else []
    for fields in ([f"If-None-Match: {whole.get('etag')}"], [f"If-Modified-Since: {whole.get('last-modified')}"], anything):
        if not fields:
            continue
        response = proxy.ask(target, *fields)
        check((response.status, response.body) == (304, b""), f"{proxy.name}, {fields}: {response.status}")
    check(proxy.ask(target, 'If-None-Match: "other"').status == 200, f"{proxy.name}: of another version")
    manifest = proxy.ask(OTHER)
    check(proxy.ask(OTHER, f"If-None-Match: {manifest.get('etag')}").status == 304, f"{proxy.name}: {manifest.get('etag')}")


def second_start(origin):
    chunks = re.findall(r"<c [^>]*>", origin.ask(OTHER).body.decode().split("</StreamIndex>")[0])
    return 800000 + int(re.search(r' d="(\d+)"', chunks[0])[1])


def ranges(proxy, origin):
    """Of what is kept and of what is not yet, and of whole files, which nginx keeps in slices."""
    segment = SEGMENT.replace("800000", str(second_start(origin)))
    for target in (segment, FRAGMENT, OTHER, "/film.mp4"):
        whole = origin.ask(target).body
        size = len(whole)
        for field, begin, end in (("5-99", 5, 100), ("0-0", 0, 1), ("-7", size - 7, size), (f"{size - 3}-", size - 3, size),
                                  (f"100-{size + 5}", 100, size)):
            part = proxy.ask(target, f"Range: bytes={field}")
            check((part.status, part.body) == (206, whole[begin:end]) or (part.status, part.body) == (200, whole) and target == OTHER,
                  f"{proxy.name}, {target} {field}: {part.status}, {len(part.body)} bytes")
        check(proxy.ask(target, f"Range: bytes={size}-").status in (416, 200 if target == OTHER else 416), f"{proxy.name}, {target}: 416")
        check(proxy.ask(target).body == whole, f"{proxy.name}, {target}: the whole after its parts")
    part = proxy.ask("/film.mp4", f"Range: bytes={(2 << 20) - 10}-{(4 << 20) + 10}")
    check(part.body == origin.ask("/film.mp4").body[(2 << 20) - 10 : (4 << 20) + 11], f"{proxy.name}: over two edges of slices")
    proxy.expect("HIT" if proxy.is_nginx else "PASS", "/film.mp4", "Range: bytes=3000000-3000010", status=206)


def sites(proxy):
    """All sites may play: one copy for all, and a preflight is answered."""
    for site in (SITE, REFUSED, "null"):
        response = proxy.expect("HIT", FRAGMENT, f"Origin: {site}")
        check(response.get("access-control-allow-origin") == "*", f"{proxy.name}: {site}")
    preflight(proxy, SITE, "*")


def preflight(proxy, site, allowed):
    fields = f"Origin: {site}", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: range"
    response = proxy.ask(FRAGMENT, *fields, method="OPTIONS")
    found = [response.get(f"access-control-allow-{name}") for name in ("origin", "headers")]
    check((response.status, *found) == (204, allowed, "range"), f"{proxy.name}: preflight: {response.status} {found}")


def listed_sites(proxy):
    """A list of sites: each is told what it is allowed, and no other."""
    for target in (FRAGMENT, OTHER):
        for seen in ("MISS", "HIT"):
            for site, allowed in ((SITE, SITE), (REFUSED, ""), (None, "")):
                response = proxy.ask(target, *([f"Origin: {site}"] if site else []))
                check(response.status == 200 and response.get("access-control-allow-origin") == allowed,
                      f"{proxy.name}: {site}: {response.get('access-control-allow-origin')}")
            check(seen == "MISS" or proxy.seen(response) == "HIT", f"{proxy.name}: of a list")
    preflight(proxy, SITE, SITE)


def missing(proxy):
    """A 404 is kept for some seconds, and a refusal too."""
    proxy.ask("/old.txt")
    target = f"/late-{proxy.name}.txt"
    for seen in ("MISS", "HIT"):
        response = proxy.expect(seen, target, status=404)
        check(response.get("cache-control") == f"max-age={NOT_FOUND_AGE}", "the time of a 404")
    proxy.expect(("MISS", "PASS"), "/bframes/bframes.ismv", status=403)
    if not proxy.is_nginx:
        proxy.ask(OTHER + "?filter=y")
        proxy.expect("HIT", OTHER + "?filter=y", status=415)
    return target


def while_new(file, text, ask):
    """The answer of a request that was made, and answered, while a file was too new to be served: a busy machine takes several tries."""
    for _ in range(20):
        began = time.monotonic()
        file.write_text(text)
        response = ask()
        if time.monotonic() - began < SETTLED * 0.8:
            break
    return response


def unsettled(proxies, origin, root):
    """A file that is too new is answered with 503, which nobody keeps, and served as soon as it is old enough."""
    for proxy in proxies:
        response = while_new(root / "new.txt", "new", lambda: proxy.ask("/new.txt"))
        check((response.status, response.get("retry-after")) == (503, "1"), f"{proxy.name}: {response.status}")
    check(while_new(root / "old.txt", "newer", lambda: origin.ask("/old.txt")).status == 503, "old.txt")
    for proxy in proxies:
        # What is kept, and has grown old, is better than a failure.
        for _ in range(3):
            response = while_new(root / "old.txt", "newer", lambda: proxy.ask("/old.txt"))
            check(response.body == b"old", f"{proxy.name} does not send what is stale in place of a 503")
            time.sleep(0.1)
    time.sleep(1.2)
    for proxy in proxies:
        check(proxy.expect("MISS", "/new.txt").body == b"new", "new.txt")
        proxy.expect("HIT", "/new.txt")
        wait_until(lambda: proxy.ask("/old.txt").body == b"newer", f"{proxy.name} keeps what is stale")


def purges(proxy):
    """A presentation with all that belongs to it, and nothing of another; by those who may."""
    own = (OTHER, FRAGMENT, SEGMENT, ENCODED)
    for target in (*own, MANIFEST):
        proxy.ask(target)
        proxy.expect(("HIT", "STALE", "UPDATING"), target)
    # A fetch that is under way may bring the old copy after the purge.
    for target in (*own, MANIFEST):
        wait_until(lambda: is_fresh(proxy, target), f"{proxy.name}, {target}: fresh")
    if proxy.is_nginx:
        proxy.expect("BYPASS", FRAGMENT, "X-Refresh: 1")
        proxy.expect("HIT", FRAGMENT)
        response = proxy.ask(FRAGMENT, "X-Refresh: 1", source="127.0.0.2")
        check(proxy.seen(response) == "HIT", "a stranger may refresh")
        for _ in range(2):
            proxy.purge("bframes/bframes.ism")
            for target in own[:3]:
                proxy.expect("MISS", target)
            proxy.expect(("HIT", "STALE", "UPDATING"), MANIFEST)
            proxy.expect("HIT", FRAGMENT)
        lines = Path(proxy.program.folder, "purged").read_text().splitlines()
        check(len(lines) == 1, f"a line per title: {lines}")
        proxy.purge("Two Words (1)/bframes.ism")
        proxy.expect("MISS", "/Two%20Words%20(1)/bframes.ism/Manifest")
    else:
        for fields in (("Surrogate-Key: bframes/bframes.ism",), ()):
            check(proxy.ask(FRAGMENT, *fields, method="PURGE", source="127.0.0.2").status == 405, "a stranger may purge")
            proxy.expect("HIT", FRAGMENT)
        check(proxy.ask("/", 'Surrogate-Key: x || obj.status == 200', method="PURGE").status == 400, "an expression in a key")
        proxy.purge("bframes/bframes.ism")
        for target in own[:3]:
            proxy.expect("MISS", target)
        proxy.expect("HIT", MANIFEST)
        key = proxy.ask("/Two%20Words%20(1)/bframes.ism/Manifest").get("surrogate-key")
        # A fetch that is under way may bring the old copy after the purge.
        wait_until(lambda: is_fresh(proxy, "/Two%20Words%20(1)/bframes.ism/Manifest"), "Two Words: fresh")
        check(proxy.ask("/", f"Surrogate-Key: {key}", method="PURGE").status == 204, key)
        proxy.expect("MISS", "/Two%20Words%20(1)/bframes.ism/Manifest")
        check(proxy.ask(ENCODED, method="PURGE").status == 200, "PURGE of a URL")
        proxy.expect("MISS", FRAGMENT)
        proxy.expect("HIT", SEGMENT)


def is_fresh(proxy, target):
    """Whether what is kept was fetched or validated a moment ago. Varnish calls it a hit also while it is asked for again."""
    response = proxy.ask(target)
    return proxy.seen(response) == "HIT" and (proxy.is_nginx or age_of(response) < lifetime_of(response))


def age_of(response):
    return int(response.get("age") or 0)


def lifetime_of(response):
    return int(re.search(r"max-age=(\d+)", response.get("cache-control"))[1])


def wait_until(right, what):
    """For what a process does in its own time: later than a minute, it hangs."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if right():
            return check(True, what)
        time.sleep(0.05)
    return check(False, what)


def grown_old(proxies):
    """A manifest is asked for again when it is old: the one client that meets this does not wait."""
    for proxy in proxies:
        wait_until(lambda: is_fresh(proxy, MANIFEST), f"{proxy.name}: the manifest")
    time.sleep(MANIFEST_AGE + 1.2)
    for proxy in proxies:
        old = proxy.expect(("STALE", "UPDATING") if proxy.is_nginx else "HIT", MANIFEST)
        if not proxy.is_nginx:
            check(int(old.get("age")) > MANIFEST_AGE, f"Age: {old.get('age')}")
        # It is asked for behind the back of that client, which a machine that is busy does a moment later.
        wait_until(lambda: is_fresh(proxy, MANIFEST), f"{proxy.name}: the manifest after a 304")
        check(proxy.ask(MANIFEST).body == old.body, f"{proxy.name}: the manifest after a 304")
        proxy.expect("HIT", FRAGMENT)


def down(proxies, origin):
    """What is kept is sent, old or not; what is not is a failure that nobody keeps."""
    for proxy in proxies:
        proxy.ask(MANIFEST)
        proxy.ask(FRAGMENT)
    time.sleep(MANIFEST_AGE + 1.2)
    origin.stop()
    unknown = "/ladder/ladder.ism/manifest.mpd?down"
    try:
        # Before and after Varnish knows.
        for wait in (0, 6):
            time.sleep(wait)
            for proxy in proxies:
                for target in (MANIFEST, FRAGMENT, MANIFEST, "/old.txt"):
                    response = proxy.ask(target)
                    check(response.status == 200, f"{proxy.name}, {target}, {wait} s after the origin went down: {response.status}")
                    time.sleep(0.1)
                failure = proxy.ask(unknown)
                check(failure.status in (502, 503, 504), f"{proxy.name}: {failure.status}")
    finally:
        origin.start()
    for proxy in proxies:
        wait_until(lambda: proxy.ask(unknown).status == 200, f"{proxy.name}: a failure is kept")
        wait_until(lambda: proxy.seen(proxy.ask(MANIFEST)) == "HIT", f"{proxy.name}: fresh again")


def second_round(proxy, origin):
    """Varnish sends what is older than its grace in the second round. For this, the grace is 0 s in place of a minute."""
    before = proxy.ask(MANIFEST)
    time.sleep(MANIFEST_AGE + 0.2)
    origin.stop()
    try:
        for _ in range(3):
            now = proxy.ask(MANIFEST)
            check((now.status, now.body) == (200, before.body), f"{proxy.name}: {now.status} in place of what is stale")
        check(proxy.ask("/ladder/ladder.ism/manifest.mpd").status == 503, "what is not kept")
    finally:
        origin.start()


def replacement(proxies, origin, root):
    """After a film was replaced: the origin is told, then the cache, and the next request has the new one."""
    manifest, wanted = "/copies/0/bframes.ism/Manifest", origin.ask(MANIFEST).body
    for proxy in proxies:
        check(proxy.ask(manifest).body != wanted, "the old film")
    for file in (root / "ladder").iterdir():
        shutil.copy(file, root / "copies" / "0")
    os.replace(root / "copies" / "0" / "ladder.ism", root / "copies" / "0" / "bframes.ism")
    time.sleep(1.2)
    check(origin.ask("/-/look-again?all", "Content-Length: 0", method="POST").status in (403, 404, 405), "look-again for everybody")
    told = ask(origin.operator, "/-/look-again?name=copies/0/bframes.ism", "Content-Length: 0", method="POST")
    check(told.status == 200, f"look-again: {told.status} {told.body}")
    origin.ask(manifest)
    wait_until(lambda: origin.ask(manifest).body == wanted, "the origin has the new film")
    time.sleep(0.3)
    for proxy in proxies:
        proxy.purge("copies/0/bframes.ism")
        check(proxy.expect("MISS", manifest).body == wanted, f"{proxy.name}: the new film")
        refused = proxy.ask("/-/look-again?all", "Content-Length: 0", method="POST"), proxy.ask("/copies/0/bframes.ism", method="PURGE")
        check(refused[0].status in (403, 404, 405), f"{proxy.name} passes look-again on: {refused[0].status}")
        check(not proxy.is_nginx or refused[1].status in (403, 404, 405), f"{proxy.name} passes PURGE on: {refused[1].status}")


def two_origins(first, second, folder):
    """Both send the same; if one is down, the other answers."""
    targets = (MANIFEST, OTHER, *PLAYLISTS, FRAGMENT, SEGMENT, "/film.mp4", "/grün.txt".replace("ü", "%C3%BC"))
    for target in targets:
        answers = [(one.body, one.get("etag"), one.get("last-modified")) for one in (first.ask(target), second.ask(target))]
        check(answers[0] == answers[1] and answers[0][1], f"{target}: {[answer[1:] for answer in answers]}")
    proxy = Proxy(Nginx, folder, [first.port, second.port])
    try:
        first.stop()
        for target in targets:
            proxy.expect("MISS", target)
        proxy.expect("HIT", FRAGMENT, f"If-None-Match: {second.ask(FRAGMENT).get('etag')}", status=304)
    finally:
        proxy.stop()
        first.start()


def logged(proxy, origin):
    """The access log of the origin has the client's address, and nginx's name of the request."""
    target = f"/logged-{proxy.name}"
    ask(proxy.address, target, source="127.0.0.3")
    wait_until(lambda: target in origin.log.read_text(), "the line of the log")
    line = next(line for line in origin.log.read_text().splitlines() if target in line)
    check(line.startswith("127.0.0.3 "), line)
    if proxy.is_nginx:
        log = Path(proxy.program.folder, "access.log")
        wait_until(lambda: target in log.read_text(), "the line of nginx's log")
        own = next(line for line in log.read_text().splitlines() if target in line)
        check(own.rsplit(" ", 1)[1] in line, f"{own!r} and {line!r}")


def private(proxy, origin):
    """A proxy publishes nothing of the operator's part."""
    check(b"smooth_origin" in ask(origin.operator, "/metrics").body, "/metrics for the operator")
    for target in ("/", "/-/api/server", "/metrics", "/-/assets/page.js", "/healthz", "/readyz", "/healthz?a", "/-"):
        response = proxy.ask(target)
        check(response.status in (403, 404), f"{proxy.name}, {target}: {response.status}")


def main():
    binary = binary_of(sys.argv, 1)
    folder = Path(tempfile.mkdtemp(prefix="smooth-deploy-"))
    root, listed = folder / "root", None
    began, running = time.monotonic(), []
    make(root)
    documented(binary)
    origin = Origin(binary, root, "--files", "*.mp4", "--files", "*.txt")
    listed = Origin(binary, root, "--files", "*.mp4", "--files", "*.txt", "--allow-origin", SITE)
    try:
        for server in (origin, listed):
            server.start()
        proxies = [Proxy(kind, str(folder / kind.name), [origin.port]) for kind in (Nginx, Varnish)]
        running += proxies
        late = [(proxy, missing(proxy)) for proxy in proxies]
        since = time.monotonic()
        for proxy in proxies:
            hits(proxy, origin)
            spellings(proxy, origin)
            codings(proxy, origin)
            heads(proxy, origin)
            ranges(proxy, origin)
            sites(proxy)
            private(proxy, origin)
            logged(proxy, origin)
            print(f"{proxy.name}: hits, spellings, codings, HEAD, conditions, ranges, sites, the log")
        for proxy, target in late:
            (root / target[1:]).write_text("here")
        time.sleep(max(1.2, since + NOT_FOUND_AGE + 1.2 - time.monotonic()))
        for proxy, target in late:
            check(proxy.ask(target).body == b"here", f"{proxy.name}: a 404 was kept too long")
        unsettled(proxies, origin, root)
        print("a 404 is kept for 5 s, a 503 is not kept")
        for proxy in proxies:
            purges(proxy)
        print("purging takes one presentation and nothing else")
        replacement(proxies, origin, root)
        print("a film that was replaced is seen once the origin and the cache are told")
        grown_old(proxies)
        print("a manifest that has grown old is sent while it is asked for again")
        down(proxies, origin)
        print("while the origin is down, what is kept is sent")
        with_list = [Proxy(kind, str(folder / f"{kind.name}-list"), [listed.port], True) for kind in (Nginx, Varnish)]
        running += with_list
        for proxy in with_list:
            listed_sites(proxy)
        second_round(with_list[1], listed)
        print("a list of sites: each is told what it is allowed")
        two_origins(origin, listed, str(folder / "nginx-two"))
        print(f"two origins send the same; {checked} checks in {time.monotonic() - began:.0f} s")
    finally:
        for program in (*running, origin, listed):
            if program.process:
                program.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
