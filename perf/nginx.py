"""nginx with one worker, as a context."""

import socket
import subprocess
import sys
import time

from common import Running, run

CONFIGURATION = """
daemon off; worker_processes 1; error_log {folder}/error.log; pid {folder}/nginx.pid;
worker_rlimit_nofile 20000;
user root;
events {{ worker_connections 8192; }}
http {{
    access_log off; sendfile on; tcp_nopush on; aio off; keepalive_requests 1000000;
    open_file_cache max=10000 inactive=10m; open_file_cache_valid 10m;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    default_type application/vnd.ms-sstr+xml;
    server {{ listen 127.0.0.1:{port} backlog=4096; {site} }}
}}
"""

STATIC = "root {folder}; gzip_static on;"


class Nginx(Running):
    """A site, by default the files of a folder and beside them their compressed forms; its own
    files go to `folder`, `port` is where it listens."""

    def __init__(self, folder, files, site=STATIC, program="nginx"):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        configuration = folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(folder=folder, port=self.port, site=site.format(folder=files))
        )
        self.process = subprocess.Popen([program, "-c", configuration, "-e", folder / "error.log"])
        if not listens(self.port):
            self.process.terminate()
            sys.exit(f"nginx does not start:\n{(folder / 'error.log').read_text()}")

    @property
    def pids(self):
        """Its worker, without the master."""
        return [int(pid) for pid in run("pgrep", "-P", self.process.pid).split()]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except ConnectionRefusedError:
            time.sleep(0.1)
    return False
