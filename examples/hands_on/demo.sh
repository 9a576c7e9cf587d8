#!/bin/sh
# Prepares a Debian 12+ or Ubuntu 24.04+ host and plays the Hands-on Project on it: `sudo make demo`.
# Installs what is missing of the packages below, makes .venv, builds the Debian machine image (once per host),
# and leaves nothing of the story itself behind. Options go to the story: --keep, --port N, --planes sim.
set -eu
cd "$(dirname "$0")/../.."

PACKAGES="ca-certificates conmon curl debian-archive-keyring e2fsprogs iproute2 jq mmdebstrap mount nftables
openssh-client procps python3 python3-venv runc util-linux"

fail() {
    echo "demo: $1" >&2
    [ -z "${2:-}" ] || echo "  $2" >&2
    [ -z "${3:-}" ] || echo "  Try: $3" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || fail "real machines and networks need root" "" "sudo make demo"
command -v apt-get >/dev/null || fail "this host has no apt-get" "the demo prepares Debian and Ubuntu hosts" \
    "install by hand what cloudjar doctor names, then .venv/bin/python -m examples.hands_on"

has() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

missing=""
for package in $PACKAGES; do has "$package" || missing="$missing $package"; done
command -v aws >/dev/null || [ -x .venv-aws/bin/aws ] || want_aws=1
if [ -n "$missing" ] || [ -n "${want_aws:-}" ]; then
    echo "Looking up packages"
    apt-get update -q >/dev/null || fail "the package lists cannot be fetched" "" "apt-get update"
    if [ -n "${want_aws:-}" ] && apt-cache show awscli >/dev/null 2>&1; then
        missing="$missing awscli"
        want_aws=""
    fi
fi
if [ -n "$missing" ]; then
    echo "Installing:$missing"
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $missing >/tmp/cloudjar-demo-apt.log 2>&1 ||
        { tail -n 20 /tmp/cloudjar-demo-apt.log >&2; fail "the packages cannot be installed" "see above" "apt-get install$missing"; }
    rm -f /tmp/cloudjar-demo-apt.log
fi

python=/usr/bin/python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed" "this host has $("$python" --version)" "Debian 12 or Ubuntu 24.04"
if ! .venv/bin/python -c 'import cloudjar' 2>/dev/null; then
    echo "Installing Cloudjar into .venv"
    "$python" -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --progress-bar on -e . ||
        fail "Cloudjar cannot be installed" "see above" "connect the host to PyPI or a mirror of it (pip config)"
fi
if [ -n "${want_aws:-}" ]; then
    echo "Installing the AWS CLI into .venv-aws (this distribution has no package of it)"
    "$python" -m venv .venv-aws
    .venv-aws/bin/pip install --quiet --disable-pip-version-check awscli
fi
if [ -d .venv-aws ]; then
    PATH="$PATH:$PWD/.venv-aws/bin"
    export PATH
fi
echo "$(aws --version 2>&1)"

case " $* " in *"--planes sim"*) ;; *) .venv/bin/cloudjar image build debian-12 ;; esac
exec .venv/bin/python -m examples.hands_on "$@"
