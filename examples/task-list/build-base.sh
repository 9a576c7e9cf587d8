#!/bin/sh
# Packs this machine's own Python into base.tar, from which the image is built FROM scratch: no registry is needed.
# Works on Debian and Ubuntu, where cloud images have Python already.
set -eu
cd "$(dirname "$0")"

library=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
python=$(readlink -f /usr/bin/python3)
# Debian's psql is a script around the one of its version; without one, tasks are kept in a file.
psql=$(ls /usr/lib/postgresql/*/bin/psql 2>/dev/null | tail -n 1)
list=$(mktemp)
trap 'rm -f "$list"' EXIT
{
    echo /usr/bin/python3
    find "$library" \( -name __pycache__ -o -name test -o -name idlelib -o -name tkinter -o -name lib2to3 -o -name site-packages \
        -o -name ensurepip -o -name 'config-*' \) -prune -o -type f -print
    [ -z "$psql" ] || echo "$psql"
    for file in "$python" $psql "$library"/lib-dynload/*.so; do ldd "$file" || :; done | grep -o '/[^ )]*'
} | sort -u > "$list"
tar --create --dereference --file base.tar.new --transform 's,.*/postgresql/[0-9]*/bin/psql$,usr/bin/psql,' \
    --files-from "$list" 2>/dev/null ||
    { echo "build-base: not everything could be packed" >&2; exit 1; }
mv base.tar.new base.tar
echo "base.tar: $(du -h base.tar | cut -f1) of $(/usr/bin/python3 --version)"
