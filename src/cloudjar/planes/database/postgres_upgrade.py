"""How PostgreSQL's data go from one major version to another: the old engine's own program writes down what is in it,
the new engine reads it. Both run inside the guest, one after the other, where nobody reaches them.

Until the new data are whole the old ones stay as they are: an upgrade that fails has changed nothing.
"""

from __future__ import annotations

_COMMON = """set -eu
export PATH=/usr/lib/engine/server:/usr/lib/engine/client:/usr/sbin:/usr/bin:/sbin:/bin LANG=en_US.UTF-8
work=/database/upgrade
export PGHOST=$work/run PGPORT=5432 PGUSER=rdsadmin
as() { setpriv --reuid=postgres --regid=postgres --init-groups --no-new-privs "$@"; }
own=$(postgres --version | sed 's/[^0-9]*\\([0-9]*\\).*/\\1/')
has=$(cat /database/data/PG_VERSION 2>/dev/null || :)
begin() {
    echo 'local all all trust' >"$work/hba"
    as pg_ctl -D "$1" -s -w -t 600 -l "$work/log" -o "$2 -c listen_addresses= -c port=5432 -c ssl=off \\
-c unix_socket_directories=$work/run -c hba_file=$work/hba -c archive_mode=off -c logging_collector=off" start ||
        { tail -n 5 "$work/log" >&2; exit 1; }
}
end() { as pg_ctl -D "$1" -s -w -t 600 -m fast stop; }
"""

LEAVE = f"""#!/bin/sh
# Writes down everything that is in the data, with the old engine, which nobody was told to start.
{_COMMON}
[ "$own" = "$has" ] || exit 0
[ ! -e "$work/left" ] || exit 0
rm -rf "$work"
rm -f /database/data/postmaster.pid
install -d -o postgres -g postgres -m 700 "$work" "$work/run"
begin /database/data "-c config_file=/database/conf/postgresql.conf"
as pg_dumpall --globals-only --file="$work/globals.sql"
as psql -X -At -d postgres -c "SELECT oid FROM pg_database WHERE datallowconn AND NOT datistemplate
    AND datname <> 'rdsadmin' ORDER BY oid" >"$work/oids"
while read -r oid; do
    PGDATABASE=$(as psql -X -At -d postgres -c "SELECT datname FROM pg_database WHERE oid = $oid")
    export PGDATABASE
    printf %s "$PGDATABASE" >"$work/$oid.name"
    as pg_dump --format=custom --compress=1 --file="$work/$oid.dump" </dev/null
done <"$work/oids"
unset PGDATABASE
end /database/data
sync -f /database
touch "$work/left"
"""

ARRIVE = f"""#!/bin/sh
# Makes data of the new engine's own of what the old one wrote down, and puts them in the old ones' place.
{_COMMON}
if [ "$own" != "$has" ] && [ ! -e "$work/arrived" ]; then
    rm -rf "$work/data"
    install -d -o postgres -g postgres -m 700 "$work/data"
    # Another image may know the engine's user by another number.
    chown -R postgres:postgres "$work"
    as initdb -D "$work/data" -U rdsadmin --auth-local=peer --auth-host=reject -E UTF8 --locale=en_US.UTF-8 \\
        --data-checksums --no-sync >/dev/null
    begin "$work/data" "-c fsync=off -c full_page_writes=off -c autovacuum=off -c max_wal_size=4GB"
    sed '/^CREATE ROLE "\\{{0,1\\}}rdsadmin"\\{{0,1\\}};$/d' "$work/globals.sql" >"$work/globals.rest"
    as psql -X -q -v ON_ERROR_STOP=1 -d postgres -f - <"$work/globals.rest" >/dev/null
    while read -r oid; do
        if [ "$(cat "$work/$oid.name")" = postgres ]; then
            as pg_restore --exit-on-error -d postgres "$work/$oid.dump" </dev/null
        else
            as pg_restore --exit-on-error --create -d postgres "$work/$oid.dump" </dev/null
        fi
    done <"$work/oids"
    end "$work/data"
    sync -f /database
    touch "$work/arrived"
fi
if [ -e "$work/arrived" ]; then
    if [ -e "$work/data" ]; then
        rm -rf "$work/was"
        [ ! -e /database/data ] || mv /database/data "$work/was"
        mv "$work/data" /database/data
        # What was written of the old data's log belongs to no data any more.
        rm -rf /database/archive
        sync -f /database
    fi
fi
rm -rf "$work"
"""

TOOLS = {"leave": LEAVE, "arrive": ARRIVE}
