"""What runs inside PostgreSQL's guest: its first process, and what the host calls to make the engine as it must be.

Everything that lasts is below ``/database``, a plain folder of the guest's volume: ``data`` (the engine's own) and
``conf`` (its configuration, certificate and key). After each boot the engine waits for ``/run/ready``: it never starts
with what it was told before. The engine's own programs are in ``/usr/lib/engine/server``, those that speak to it in
``/usr/lib/engine/client``, whichever version they are of.
"""

from __future__ import annotations

INIT = """#!/bin/sh
# The first process: keeps one engine running, and ends it in order when the machine is told to shut down (37).
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=en_US.UTF-8
umask 022
mkdir -p /run/postgresql
chown postgres:postgres /run/postgresql
chmod 2775 /run/postgresql
# What another boot left, or the machine that a snapshot was taken of, says nothing about this one.
rm -f /database/data/postmaster.pid
ending= engine= ends=0
now() { read -r up _ </proc/uptime; echo "${up%.*}"; }
shut() { ending=1; [ -z "$engine" ] || kill -INT "$engine" 2>/dev/null; }
trap shut 37 TERM
while [ -z "$ending" ]; do
    if [ ! -e /run/ready ]; then
        sleep 0.05
        continue
    fi
    began=$(now)
    setpriv --reuid=postgres --regid=postgres --init-groups --no-new-privs --bounding-set=-all \\
        /usr/lib/engine/server/postgres -D /database/data -c config_file=/database/conf/postgresql.conf &
    engine=$!
    [ -z "$ending" ] || kill -INT "$engine"
    # A signal ends the wait, not the engine.
    while kill -0 "$engine" 2>/dev/null; do wait "$engine"; done
    engine=
    [ -z "$ending" ] || break
    # Where another machine stands by, an engine that does not come back is no use: the machine ends with it.
    if [ $(($(now) - began)) -lt 5 ]; then ends=$((ends + 1)); else ends=1; fi
    if [ "$ends" -gt 12 ] && grep -qs yes /database/conf/paired; then exit 1; fi
    sleep 0.2
done
exit 0
"""

UNTIL_UP = """tries=0
until pg_isready -q -h /run/postgresql -p "$1" -U rdsadmin -d postgres; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then
        echo "the engine does not take connections" >&2
        exit 3
    fi
    sleep 0.05
done
"""
"""The engine takes connections at its socket; $1 is the port."""

APPLY = (
    """#!/bin/sh
# Reads an archive of configuration from standard input (conf/..., setup.sql) and makes the engine so.
set -eu
export PATH=/usr/lib/engine/server:/usr/lib/engine/client:/usr/sbin:/usr/bin:/sbin:/bin LANG=en_US.UTF-8
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
new=$(mktemp -d /run/apply.XXXXXX)
trap 'rm -rf "$new"' EXIT
tar -x -C "$new"
if [ ! -e /database/data/PG_VERSION ]; then
    rm -rf /database/data /database/data.part
    install -d -o postgres -g postgres -m 700 /database/data.part
    as initdb -D /database/data.part -U rdsadmin --auth-local=peer --auth-host=reject -E UTF8 \\
        --locale=en_US.UTF-8 --data-checksums --no-sync >/dev/null
    mv /database/data.part /database/data
fi
# What an upgrade left that came to nothing.
rm -rf /database/upgrade
# Another image may know the engine's user by another number.
[ "$(stat -c %U /database/data)" = postgres ] || chown -R postgres:postgres /database/data
install -d -o root -g postgres -m 750 /database/conf
install -d -o postgres -g postgres -m 700 /database/archive
for file in "$new"/conf/*; do
    name=${file##*/}
    case $name in
    *.key) install -o postgres -g postgres -m 600 "$file" "/database/conf/.$name" ;;
    *) install -o root -g postgres -m 640 "$file" "/database/conf/.$name" ;;
    esac
    mv "/database/conf/.$name" "/database/conf/$name"
done
if [ -e /run/ready ]; then
    pid=$(head -n 1 /database/data/postmaster.pid 2>/dev/null || :)
    [ -z "$pid" ] || kill -HUP "$pid" 2>/dev/null || :
else
    sync -f /database
    touch /run/ready
fi
"""
    + UNTIL_UP
    + """# Data that are a follower's (a snapshot of one) are nobody's follower's here.
[ ! -e /database/data/standby.signal ] || as pg_ctl promote -D /database/data -w -t 60 >/dev/null
psql -h /run/postgresql -p "$1" -U rdsadmin -d postgres -X -q -t -v ON_ERROR_STOP=1 -f "$new/setup.sql" >/dev/null
"""
)

ACCEPTS = """#!/bin/sh
# Ends with 0 while the engine takes connections at its socket, whichever port it has.
set -- /run/postgresql/.s.PGSQL.*[0-9]
exec /usr/lib/engine/client/pg_isready -q -h /run/postgresql -p "${1##*.}" -U rdsadmin
"""

TOOLS = {"apply": APPLY, "accepts": ACCEPTS}
