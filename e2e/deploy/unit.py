#!/usr/bin/env python3
"""The systemd unit of `deploy/systemd`: read by systemd without a complaint, exposed to little, and enough for the server.

    unit.py [target/release/examples/serve]

`systemd-analyze` judges the unit without drop-ins and with each of them, and with all. strace lists the system calls of a server that
starts, serves, reloads and stops: the unit's filter allows each of them. logrotate rotates the access log. Only the paths of the
program and its files are replaced, and the command that reloads.
"""

import http.client
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
UNITS = HERE.parent.parent / "deploy" / "systemd"
TESTDATA = HERE.parent.parent / "testdata"
sys.path.insert(0, str(HERE.parent / "http"))

from wire import ask, binary_of, free_port, wait_for  # noqa: E402

NAME = "smooth-origin.service"
# Of 10: what `systemd-analyze security` calls "OK" ends at 4.9; a unit without any setting has 9.6.
HIGHEST_EXPOSURE = 2.0
checked = 0


def check(right, message):
    global checked
    checked += 1
    assert right, message


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def unit(folder, binary, drop_ins):
    """A copy of the unit with drop-ins, as /etc/systemd/system has them."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / f"{NAME}.d").mkdir(parents=True)
    text = (UNITS / NAME).read_text()
    assert "ExecStart=/usr/local/bin/serve " in text
    (folder / NAME).write_text(text.replace("/usr/local/bin/serve", str(Path(binary).resolve())))
    for drop_in in drop_ins:
        shutil.copy(UNITS / drop_in, folder / f"{NAME}.d")
    return str(folder / NAME)


def verify(path, drop_ins):
    status, out, errors = run("systemd-analyze", "verify", "--man=no", path)
    # Unknown keys are reported with status 0.
    own = [line for line in (out + errors).splitlines() if "smooth-origin" in line]
    check(status == 0 and not own, f"{drop_ins}: {own or errors}")


def exposure(path):
    status, out, errors = run("systemd-analyze", "security", "--offline=true", "--no-pager", path)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", out)
    check(status == 0 and found, f"systemd-analyze security: {errors}")
    return float(found[1])


def judges_judged(folder, binary):
    """A word that systemd does not know, and a unit without any protection, are noticed."""
    path = unit(folder, binary, [])
    with open(path, "a", encoding="utf-8") as file:
        file.write("ProtectEverything=yes\n")
    status, out, errors = run("systemd-analyze", "verify", "--man=no", path)
    check("ProtectEverything" in out + errors, "an unknown key is not noticed")
    Path(path).write_text(f"[Service]\nExecStart={Path(binary).resolve()}\n")
    check(exposure(path) > 9, "a unit without protection")


def allowed_calls():
    """The system calls that the filter of the unit lets through."""
    allowed = set(calls_of("@default"))
    for line in re.findall(r"^SystemCallFilter=(.*)$", (UNITS / NAME).read_text(), re.MULTILINE):
        names = {call for word in line.lstrip("~").split() for call in calls_of(word)}
        allowed = allowed - names if line.startswith("~") else allowed | names
    # The sets that are always there win over those that are taken away.
    return allowed | set(calls_of("@default"))


def calls_of(word):
    if not word.startswith("@"):
        return [word]
    status, out, errors = run("systemd-analyze", "syscall-filter", "--no-pager", word)
    assert status == 0, errors
    lines = [line.strip() for line in out.splitlines()[1:]]
    return [call for line in lines if line and not line.startswith("#") for call in calls_of(line)]


def traced_calls(binary, folder):
    """The system calls of a server in the course of its life, with TLS, logs and the operator's listener."""
    root = folder / "media"
    shutil.copytree(TESTDATA, root)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    status, _, errors = run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                            "-keyout", str(key), "-out", str(certificate))
    assert status == 0, errors
    port, operator = free_port(), free_port()
    record = folder / "calls"
    # strace ends with the server, and signals are for the server.
    command = ["strace", "-f", "-qq", "-e", "signal=none", "-o", str(record), str(binary), str(root),
               "--listen", f"127.0.0.1:{port}", "--tls-certificate", str(certificate), "--tls-key", str(key),
               "--operator-listen", f"127.0.0.1:{operator}", "--access-log", str(folder / "access.log"), "--log-file", str(folder / "log")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for number in (port, operator):
            wait_for(("127.0.0.1", number), process)
        for target in ("/ladder/ladder.ism/Manifest", "/bframes/bframes.ism/QualityLevels(150000)/Fragments(video=800000)",
                       "/ladder/ladder.ism/master.m3u8", "/none", "/healthz", "/readyz"):
            for fields in ({}, {"Accept-Encoding": "br"}, {"Range": "bytes=5-9"}):
                answered(port, target, fields)
        for target in ("/", "/metrics", "/-/api/presentations", "/-/api/timeline?name=ladder/ladder.ism"):
            ask(("127.0.0.1", operator), target)
        server = int(run("pgrep", "-P", str(process.pid))[1].split()[0])
        os.kill(server, signal.SIGHUP)
        time.sleep(1)
        check(answered(port, "/ntsc/ntsc.ism/Manifest", {}) == 200, "after SIGHUP")
        os.kill(server, signal.SIGTERM)
        check(process.wait(60) == 0, "the server under strace ends in order")
    finally:
        process.kill()
    return set(re.findall(r"^\d+ +(\w+)\(", record.read_text(errors="replace"), re.MULTILINE))


def answered(port, target, fields):
    """The status of a request over TLS; nobody has signed the certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    try:
        connection.request("GET", target, headers=fields)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def rotation(binary, folder):
    """logrotate with `deploy/logrotate.conf`: no line is lost, and none goes into the old file afterwards."""
    logs, port = folder / "logs", free_port()
    logs.mkdir()
    process = subprocess.Popen([binary, str(folder / "media"), "--listen", f"127.0.0.1:{port}", "--access-log", str(logs / "access.log")],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = "127.0.0.1", port
    try:
        wait_for(address, process)
        text = (UNITS.parent / "logrotate.conf").read_text()
        for old, new in (("/var/log/smooth-origin", str(logs)), ("systemctl reload smooth-origin", f"kill -HUP {process.pid}")):
            assert old in text
            text = text.replace(old, new)
        (folder / "logrotate.conf").write_text(text)
        for number in range(5):
            ask(address, f"/none-{number}")
        wait_for_lines(logs / "access.log", 5)
        command = ["logrotate", "--force", "--state", str(folder / "state"), str(folder / "logrotate.conf")]
        status, out, errors = run(*command)
        check(status == 0 and not errors, f"logrotate: {out}{errors}")
        for number in range(5, 8):
            ask(address, f"/none-{number}")
        wait_for_lines(logs / "access.log", 3)
        old = (logs / "access.log.1").read_text()
        check(sorted(re.findall(r"/none-(\d)", old)) == list("01234"), old)
        check(sorted(re.findall(r"/none-(\d)", (logs / "access.log").read_text())) == list("567"), "the new file")
    finally:
        process.kill()
        process.wait()


def wait_for_lines(file, count):
    for _ in range(1200):
        if file.exists() and file.read_text().count("\n") >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"{file} has not {count} lines")


def main():
    binary = binary_of(sys.argv, 1)
    folder = Path(tempfile.mkdtemp(prefix="smooth-unit-"))
    try:
        drop_ins = sorted(path.name for path in UNITS.glob("*.conf"))
        scores = {}
        for used in ([], *([name] for name in drop_ins), drop_ins):
            path = unit(folder / "units", binary, used)
            verify(path, used)
            scores[" and ".join(used) or "unit alone"] = score = exposure(path)
            check(score < HIGHEST_EXPOSURE, f"exposure {score} with {used}")
        judges_judged(folder / "units", binary)
        print("systemd finds no fault; exposure: " + ", ".join(f"{name} {score}" for name, score in scores.items()))
        traced = traced_calls(binary, folder)
        refused = traced - allowed_calls()
        check(len(traced) > 30 and not refused, f"the unit refuses {sorted(refused)} of {len(traced)} system calls")
        families = set(re.findall(r"^RestrictAddressFamilies=(.*)$", (UNITS / NAME).read_text(), re.MULTILINE)[0].split())
        used = set(re.findall(r"socket(?:pair)?\((AF_\w+)", (folder / "calls").read_text(errors="replace")))
        check(used <= families, f"address families {used}")
        rotation(binary, folder)
        print(f"the unit allows all {len(traced)} system calls of the server; its log is rotated; {checked} checks")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
