"""What the host calls inside a guest to make its engine follow another, wait for a follower, and take over.

Beside what `scripts` keeps below ``/database``: the mark ``rewinding`` says that the data were being changed into those
of another lineage, and are nobody's until that is done.
"""

from __future__ import annotations

from cloudjar.planes.database.postgres_scripts import UNTIL_UP

_HEAD = """
set -eu
export PATH=/usr/lib/engine/server:/usr/lib/engine/client:/usr/sbin:/usr/bin:/sbin:/bin LANG=en_US.UTF-8
data=/database/data
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
alive() {
    pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null || :)
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}
"""

FOLLOW = (
    _HEAD
    + """
# Reads an archive (conf/..., follow/...) from standard input: the engine follows what it names, with data that do.
# $1: the port; $2: "afresh" if data that are there are not to be tried, "resume" if they are to be left as they are.
# One at a time, whoever has died that began it.
exec 9>/run/follow.lock
flock 9
new=$(mktemp -d /run/follow.XXXXXX)
trap 'rm -rf "$new"' EXIT
tar -x -C "$new"
install -d -o root -g postgres -m 750 /database/conf
changed=
for file in "$new"/conf/*; do
    name=${file##*/}
    case $name in
    *.key) install -o postgres -g postgres -m 600 "$file" "/database/conf/.$name" ;;
    *) install -o root -g postgres -m 640 "$file" "/database/conf/.$name" ;;
    esac
    case $name in
    postgresql.conf) cmp -s "/database/conf/.$name" "/database/conf/$name" || changed=1 ;;
    esac
    mv "/database/conf/.$name" "/database/conf/$name"
done
readable=$(cat "$new/follow/readable")
halt() {
    rm -f /run/ready
    tries=0
    while alive; do
        kill -QUIT "$pid" 2>/dev/null || :
        tries=$((tries + 1))
        [ "$tries" -le 600 ] || { echo "the engine does not end" >&2; exit 4; }
        sleep 0.05
    done
}
seed() {
    rm -rf "$data" "$data.part"
    install -d -o postgres -g postgres -m 700 "$data.part"
    as pg_basebackup -d "$(cat "$new/follow/copy")" -D "$data.part" -X stream -c fast --no-password
    as touch "$data.part/standby.signal"
    sync -f /database
    mv "$data.part" "$data"
    rm -f /database/rewinding
    sync -f /database
}
rewind() {
    touch /database/rewinding
    sync -f /database
    rm -f "$data/postmaster.pid"
    # Until its first checkpoint a source that has just taken over does not know itself on which timeline it is.
    as psql -d "$(cat "$new/follow/rewind")" -X -q -w -c CHECKPOINT >/dev/null &&
    as pg_rewind -D "$data" --source-server="$(cat "$new/follow/rewind")" \\
        --config-file=/database/conf/postgresql.conf >/dev/null &&
        as touch "$data/standby.signal" && sync -f /database && rm -f /database/rewinding
}
if [ "${2:-}" = resume ]; then
    touch /run/ready
    exit 0
fi
if [ "${2:-}" = afresh ] || [ ! -e "$data/PG_VERSION" ] || [ -e /database/rewinding ]; then
    halt
    seed
elif [ ! -e "$data/standby.signal" ]; then
    halt
    rewind || seed
fi
if alive; then
    if [ -n "$changed" ] && [ "$readable" = no ]; then kill -INT "$pid"; else kill -HUP "$pid"; fi
fi
touch /run/ready
[ "$readable" = yes ] || exit 0
"""
    + UNTIL_UP
)

_ASK = """
ask() { psql -h /run/postgresql -p "$1" -U rdsadmin -d postgres -X -q -A -t -v ON_ERROR_STOP=1 -c "$2"; }
mine="FROM pg_stat_replication WHERE application_name = '$2' AND state IN ('catchup', 'streaming')"
"""

NEAR = (
    _HEAD
    + _ASK
    + """
# Waits until the follower $2 is not far behind. $1: the port; $3: tries of 50 ms until it must have come at all.
# Ends with 5 if it did not come, or comes again and again and never stays, with 7 if it is still far behind.
tries=0
until [ "$(ask "$1" "SELECT count(*) $mine")" = 1 ]; do
    tries=$((tries + 1))
    [ "$tries" -le "$3" ] || exit 5
    sleep 0.05
done
came=$(ask "$1" "SELECT coalesce(max(pid), 0) $mine")
tries=0
until [ "$(ask "$1" "SELECT count(*) $mine AND pg_current_wal_insert_lsn() - flush_lsn < 16777216")" = 1 ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then
        [ "$(ask "$1" "SELECT count(*) $mine AND pid = $came")" = 1 ] || exit 5
        exit 7
    fi
    sleep 0.1
done
"""
)

SYNCED = (
    _HEAD
    + _ASK
    + """
# Waits until the follower $2 has everything that was acknowledged without it. $1: the port; $3: tries of 50 ms.
wait_for() {
    until [ "$(ask "$1" "$2")" = 1 ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt "$3" ]; then exit 5; fi
        sleep 0.05
    done
}
tries=0
wait_for "$1" "SELECT count(*) $mine AND sync_state = 'sync'" "$3"
# The checkpointer reads the configuration before it obeys: from here on every commit waits, and those before are these.
ask "$1" "CHECKPOINT"
there=$(ask "$1" "SELECT pg_current_wal_insert_lsn()")
wait_for "$1" "SELECT count(*) $mine AND sync_state = 'sync' AND flush_lsn >= '$there'" "$3"
"""
)

PROMOTE = (
    _HEAD
    + """
# The engine that follows takes over; nothing when it did.
tries=0
while [ -e "$data/standby.signal" ]; do
    if alive && as pg_ctl promote -D "$data" -w -t 60 >/dev/null 2>/run/promote.err; then break; fi
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then
        echo "the engine does not take over: $(cat /run/promote.err 2>/dev/null)" >&2
        exit 6
    fi
    sleep 0.1
done
"""
)
