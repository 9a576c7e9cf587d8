#!/bin/bash
# Prepares a Debian 12+ or Ubuntu 24.04+ host and plays the Hands-on Project on it: `sudo make demo`.
# What is missing is installed by tools/setup.sh; nothing of the story itself is left behind.
# Options go to the story: --keep, --port N, --planes sim.
set -euo pipefail
cd "$(dirname "$0")/../.."
image=--image
case " $* " in
    *" --planes sim "*) image= ;;
    *)
        if [ "$(id -u)" != 0 ]; then
            printf 'demo: real machines and networks need root\n  Try: sudo make demo\n' >&2
            exit 1
        fi
        ;;
esac
tools/setup.sh $image
exec .venv/bin/python -m examples.hands_on "$@"
