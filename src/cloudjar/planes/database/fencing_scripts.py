"""What the host calls inside a guest to put everybody out of an engine, and to ask a follower how far it is."""

from __future__ import annotations

from cloudjar.planes.database.mariadb_follow_scripts import HEAD as MARIADB_HEAD
from cloudjar.planes.database.postgres_scripts import UNTIL_UP

_HEAD = """
set -eu
export PATH=/usr/lib/engine/server:/usr/lib/engine/client:/usr/sbin:/usr/bin:/sbin:/bin LANG=en_US.UTF-8
data=/database/data
ask() { psql -h /run/postgresql -p "$1" -U rdsadmin -d postgres -X -q -A -t -v ON_ERROR_STOP=1 -c "$2"; }
"""

CLOSE_POSTGRES = (
    _HEAD
    + """
# The engine ends, with everybody who was in it or about to be, and begins anew with what it was told. $1: the port.
pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null || :)
if [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null; then
    tries=0
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        # A follower that does not answer keeps it from ending; what it lacks it gets from the one that begins.
        [ "$tries" -ne 300 ] || kill -QUIT "$pid" 2>/dev/null || :
        [ "$tries" -le 1200 ] || { echo "the engine does not end" >&2; exit 4; }
        sleep 0.05
    done
fi
"""
    + UNTIL_UP
    + """
# What it is told now must be what keeps the others out: what the file says is what it has read.
[ "$(ask "$1" "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
    AND usename <> 'rdsadmin'")" = 0 ] || { echo "somebody is in" >&2; exit 9; }
ask "$1" "SELECT pg_current_wal_insert_lsn()"
"""
)

REACHED_POSTGRES = (
    _HEAD
    + """
# Waits until this follower has the log up to $2. $1: the port; $3: tries of 50 ms. Ends with 5 if it has not.
tries=0
until [ "$(ask "$1" "SELECT coalesce(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) >= '$2', false)
    ")" = t ]; do
    tries=$((tries + 1))
    [ "$tries" -le "$3" ] || exit 5
    sleep 0.05
done
"""
)

CLOSE_MARIADB = (
    MARIADB_HEAD
    + r"""
# Nobody can write any more; who might still think so is put out.
until_up
case $(say -e "SELECT @@GLOBAL.read_only") in
1 | ON) ;;
*) echo "writes are taken" >&2; exit 9 ;;
esac
say -e "SELECT CONCAT('KILL CONNECTION ', ID, ';') FROM information_schema.PROCESSLIST
    WHERE USER NOT IN ('system user', 'event_scheduler', 'rdsadmin', 'rdsrepladmin', 'unauthenticated user')" |
    say --force 2>/dev/null || :
say -e "SELECT @@gtid_binlog_pos"
"""
)
