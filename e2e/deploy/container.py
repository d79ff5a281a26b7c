#!/usr/bin/env python3
"""The container file, without a registry of images: judged by hadolint, and its steps tried as far as that goes.

    container.py [target/release/examples/serve [hadolint]]

The sources that `.dockerignore` lets into the build are copied to a folder, and cargo checks the example there by the lock file. The
server runs with as few rights as it has in the container. The command of HEALTHCHECK runs against a server that lives, one that answers
503, and none. Building the image itself needs images of a registry: by hand, as docs/deploy.md says.
"""

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from pathlib import Path

from dockerfile_parse import DockerfileParser

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CONTAINER = ROOT / "deploy" / "container"
sys.path.insert(0, str(HERE.parent / "http"))

from wire import Server, ask, binary_of, free_port, wait_for  # noqa: E402

checked = 0


def check(right, message):
    global checked
    checked += 1
    assert right, message


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    return done.returncode, done.stdout + done.stderr


# ---- The file ----


def lint(hadolint):
    status, output = run([hadolint, "--no-color", str(CONTAINER / "Containerfile")])
    check(status == 0, output)
    with tempfile.NamedTemporaryFile("w", suffix=".Containerfile") as file:
        file.write("FROM debian\nRUN apt-get install curl\n")
        file.flush()
        check(run([hadolint, file.name])[0] != 0, "hadolint notices nothing")
    return run([hadolint, "--version"])[1].strip()


def structure():
    """What is promised of the image: instructions of the last stage."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(CONTAINER / "Containerfile", Path(folder, "Dockerfile"))
        parser = DockerfileParser(folder)
        instructions = [(entry["instruction"], entry["value"]) for entry in parser.structure]
    last = max(number for number, (name, _) in enumerate(instructions) if name == "FROM")
    stage = dict(instructions[last:])
    arguments = dict(value.split("=", 1) for name, value in instructions if name == "ARG")
    for name, value in instructions:
        if name == "FROM":
            image = re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], value.split()[0])
            check(re.search(r":[\w.-]+$", image) and not image.endswith(":latest"), f"{image} has no tag")
    rust = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["rust-version"]
    check(f"rust:{rust}." in arguments["RUST"], f"{arguments['RUST']} is not Rust {rust}")
    user = stage["USER"].split(":")[0]
    check(user.isdigit() and int(user) > 0, f"runs as {user}")
    check("HEALTHCHECK" in stage and "ENTRYPOINT" in stage, "HEALTHCHECK, ENTRYPOINT")
    check(not [value for name, value in instructions[last:] if name == "RUN"], "the image that runs installs nothing")
    port = tomllib.loads((CONTAINER / "serve.toml").read_text())["listen"].rsplit(":", 1)[1]
    check(stage["EXPOSE"] == port, f"EXPOSE {stage['EXPOSE']}, serve.toml listens on {port}")
    return stage, port


def configurations(binary):
    """Both configurations are read by the server, and make the same but for folders and addresses."""
    made = []
    for file in (CONTAINER / "serve.toml", ROOT / "deploy" / "serve.toml"):
        done = subprocess.run([binary, "--config", file, "--print-config"], capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"{file}: {done.stderr}")
        made.append(tomllib.loads(done.stdout))
    for name in ("cache-control", "limit"):
        check(made[0][name] == made[1][name], f"{name} differs")


# ---- The build ----


def ignored(path, rules):
    """As Docker reads .dockerignore: the last rule that matches a path, or a folder above it, decides."""
    verdict = False
    parts = path.split("/")
    prefixes = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    for is_exception, pattern in rules:
        if any(pattern.fullmatch(prefix) for prefix in prefixes):
            verdict = not is_exception
    return verdict


def rules_of(text):
    rules = []
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            pattern = re.escape(line.lstrip("!")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
            rules.append((line.startswith("!"), re.compile(pattern)))
    return rules


def context(folder):
    """The files of the commit that reach the build."""
    rules = rules_of((ROOT / ".dockerignore").read_text())
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    used = [file for file in files if file and not ignored(file, rules)]
    for file in used:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    return used


def features():
    """Features of the stores that the example has, as the comment of the build argument lists them."""
    text = (CONTAINER / "Containerfile").read_text()
    comment = re.search(r"# Stores [^\n]* of ([\w,-]+)\.\nARG FEATURES=\"\"\n", text)
    check(comment, "no comment lists the values of the argument FEATURES")
    known = tomllib.loads((ROOT / "examples" / "Cargo.toml").read_text())["features"]
    missing = [name for name in comment[1].split(",") if "remote" not in known.get(name, [])]
    check(not missing, f"{missing} are no stores of the example")
    return comment[1]


def build(folder):
    """Cargo finds all that it needs, by the lock file, without stores and with all of them."""
    used = context(folder)
    copied = re.findall(r"/src/(\S+)", (CONTAINER / "Containerfile").read_text())
    for file in (file for file in copied if not file.startswith("target")):
        check((folder / file).is_file(), f"{file} does not reach the build")
    text = (CONTAINER / "Containerfile").read_text()
    command = shlex.split(re.search(r"cargo build (.*?) &&", text)[1])
    check("--locked" in command and "--release" in command, command)
    # A check in place of the release build: of the same package, example and lock file, with what is compiled already.
    command = ["cargo", "check", "--quiet", *[word for word in command if word != "--release"]]
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    environment = {**os.environ, "CARGO_TARGET_DIR": target, "SMOOTH_ORIGIN_PLAYER": "off"}
    check("$FEATURES" in command, command)
    # Without stores, and with all.
    for value in ("", features()):
        words = [value if word == "$FEATURES" else word for word in command]
        status, output = run(words, cwd=folder, env=environment)
        check(status == 0, output)
    return len(used)


# ---- Health ----


def health(stage, port, binary):
    command = json.loads(stage["HEALTHCHECK"].partition("CMD ")[2])
    other = free_port()

    def healthy(number):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as configuration:
            configuration.write((CONTAINER / "serve.toml").read_text().replace(f'":{port}"', f'"127.0.0.1:{number}"'))
            configuration.flush()
            here = {"/usr/local/bin/serve": str(binary), "/etc/smooth-origin/serve.toml": configuration.name}
            return run([here.get(word, word) for word in command], timeout=60)[0]

    with tempfile.TemporaryDirectory() as root, Server(binary, root) as server:
        check(healthy(server.address[1]) == 0, "a server that lives is not healthy")
    check(healthy(other) != 0, "no server is healthy")

    class NotReady(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(503)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), NotReady) as not_ready:
        threading.Thread(target=not_ready.handle_request, daemon=True).start()
        check(healthy(not_ready.server_address[1]) != 0, "another answer than 200 is healthy")


# ---- Rights ----


def few_rights(stage, port, binary, folder):
    """As in the container: a root that is read-only, the user of the image, no capabilities, its configuration."""
    if os.getuid() != 0:
        return "its rights are not tried: only root can"
    folder.chmod(0o755)
    media, number = folder / "media", free_port()
    shutil.copytree(ROOT / "testdata" / "ladder", media)
    shutil.copy(binary, folder / "serve")
    text = (CONTAINER / "serve.toml").read_text()
    text = text.replace('"/media"', f'"{media}"').replace(f'":{port}"', f'"127.0.0.1:{number}"')
    (folder / "serve.toml").write_text(text)
    run(["chmod", "-R", "a+rX", str(folder)])
    user = stage["USER"].split(":")[0]
    commands = f"""set -e; mount --make-rprivate /; mount --bind {folder} {folder}
        mount -o remount,ro,bind {folder}; mount -o remount,ro,bind /
        if touch {folder}/x /x 2>/dev/null; then exit 3; fi
        cd {media}
        exec setpriv --reuid {user} --regid {user} --clear-groups --no-new-privs --bounding-set=-all \
            {folder}/serve --config {folder}/serve.toml"""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(["unshare", "--mount", "bash", "-c", commands], stdout=output, stderr=output)
        try:
            wait_for(("127.0.0.1", number), process)
            check(ask(("127.0.0.1", number), "/ladder.ism/Manifest").status == 200, "not served")
            process.terminate()
            check(process.wait(60) == 0, "it does not end in order")
            output.seek(0)
            check(b"GET /ladder.ism/Manifest" in output.read(), "no line of the access log on stdout")
        except AssertionError as error:
            output.seek(0)
            raise AssertionError(f"{error}: {output.read().decode(errors='replace')[-2000:]}") from None
        finally:
            process.kill()
            process.wait()
    return f"runs as user {user} on a read-only root"


def main():
    binary = binary_of(sys.argv, 1)
    hadolint = sys.argv[2] if len(sys.argv) > 2 else "hadolint"
    version = lint(hadolint)
    stage, port = structure()
    configurations(binary)
    with tempfile.TemporaryDirectory(prefix="smooth-container-") as folder:
        count = build(Path(folder))
    with tempfile.TemporaryDirectory(prefix="smooth-container-") as folder:
        rights = few_rights(stage, port, binary, Path(folder))
    health(stage, port, binary)
    print(f"{version}: no fault; {count} files reach the build and suffice; {rights}; healthy if it lives; {checked} checks")


if __name__ == "__main__":
    main()
