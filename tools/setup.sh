#!/bin/bash
# Everything that Cloudjar, its tests and its demo need on a Debian or Ubuntu host, installed where it is missing:
# system packages (as root), the virtual environment, and with --image the image that machines start from (as root),
# with --clients the stock clients that the stories use.
# Does nothing twice; says what it does. PYTHON names another interpreter than python3.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
python=${PYTHON:-python3}
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf '\n==> %s\n' "$*"; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

is_here() {  # is_here PROBE
    case $1 in
        command:*) command -v "${1#*:}" >/dev/null ;;
        file:*) [ -e "${1#*:}" ] ;;
        python:*) "$python" -c "import ${1#*:}" 2>/dev/null ;;
        name:*) getent hosts "${1#*:}" >/dev/null ;;
        version:*) says_version "${1#*:}" ;;
    esac
}

says_version() {  # says_version PROGRAM/START: whether it is there and begins so what it says of itself
    "${1%%/*}" --version 2>&1 | grep -q "^${1#*/}"
}

watched() {  # watched COMMAND...: its milestones, and all that it said when it fails
    local log
    log=$(mktemp)
    if ! "$@" </dev/null 2>&1 | tee "$log" | sed -nE '/^(Fetched|Need to get|Setting up|Collecting|Processing|Success)/s/^/    /p'
    then
        cat "$log" >&2
        rm -f "$log"
        fail "$* failed: see above." "Try: it again; package mirrors and PyPI must be reachable."
    fi
    rm -f "$log"
}

missing_packages() {  # missing_packages LIST
    local package probe _
    while read -r package probe _; do
        case $package in '' | '#'*) continue ;; esac
        is_here "$probe" || printf '%s\n' "$package"
    done <"$1"
}

install_packages() {  # install_packages LIST
    local missing wanted=() package
    missing=$(missing_packages "$1")
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "Not a Debian or Ubuntu host; left to you to install:" $missing
        return 0
    fi
    if [ "$(id -u)" != 0 ]; then
        say "Without root these are left to you: sudo apt-get install" $missing
        return 0
    fi
    say "System packages:" $missing
    export DEBIAN_FRONTEND=noninteractive
    watched apt-get update
    for package in $missing; do
        if [ -n "$(apt-cache madison "$package" 2>/dev/null)" ]; then
            wanted+=("$package")
        else
            printf '%s is not among the packages of this release.\n' "$package"
        fi
    done
    [ ${#wanted[@]} = 0 ] || watched apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "${wanted[@]}"
}

make_venv() {
    # The marker carries what the environment was made from, so that a changed list or another Python is seen.
    local stamp
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        fail "Cloudjar needs Python 3.11 or newer, and $python is not." "Try: PYTHON=/path/to/python3.11 make setup"
    stamp=$(sha256sum pyproject.toml tools/constraints.txt; "$python" -c 'import sys; print(sys.version, sys.base_prefix)')
    if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.ok" 2>/dev/null)" = "$stamp" ]; then
        return 0
    fi
    say "Virtual environment in $venv"
    "$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear "$venv"
    watched "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
        -c tools/constraints.txt -e '.[dev,clients]'
    printf '%s\n' "$stamp" >"$venv/.ok"
}

make_clients() {
    local stamp
    stamp=$(sha256sum tools/clients.txt; "$venv/bin/python" -c 'import sys; print(sys.version)')
    [ "$(cat "$venv/clients/.ok" 2>/dev/null)" = "$stamp" ] && return 0
    say "Clients for the stories in $venv/clients"
    "$venv/bin/python" -m venv --clear "$venv/clients"
    watched "$venv/clients/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
        -r tools/clients.txt
    printf '%s\n' "$stamp" >"$venv/clients/.ok"
}

make_image() {
    if [ "$(id -u)" != 0 ]; then
        say "Without root there are no machines, and no image is built."
        return 0
    fi
    say "Machine image debian-12 (built once, a minute or two)"
    "$venv/bin/cloudjar" image build debian-12 </dev/null
}

install_packages tools/packages
make_venv
case ${1:-} in
    --image) make_image ;;
    --clients)
        install_packages tools/packages.clients
        make_clients
        ;;
esac
