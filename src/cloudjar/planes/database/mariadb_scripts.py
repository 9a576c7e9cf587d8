"""What runs inside MariaDB's guest: its first process, and what the host calls to make the engine as it must be.

As for PostgreSQL (`postgres_scripts`), everything that lasts is below ``/database``, and the engine waits for
``/run/ready`` after each boot. ``rdsadmin`` is whom only the machine's root can be: the engine asks its socket who is
there.
"""

from __future__ import annotations

INIT = """#!/bin/sh
# The first process: keeps one engine running, and ends it in order when the machine is told to shut down (37).
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 027
mkdir -p /run/mysqld
chown mysql:mysql /run/mysqld
chmod 755 /run/mysqld
for kind in audit error general slowquery; do
    install -d -o mysql -g mysql -m 750 /database/log "/database/log/$kind"
done
chown -R mysql:mysql /database/log
ending= engine= ends=0
now() { read -r up _ </proc/uptime; echo "${up%.*}"; }
shut() { ending=1; [ -z "$engine" ] || kill -TERM "$engine" 2>/dev/null; }
trap shut 37 TERM
while [ -z "$ending" ]; do
    if [ ! -e /run/ready ]; then
        sleep 0.05
        continue
    fi
    rm -f /run/mysqld/mysqld.sock
    began=$(now)
    setpriv --reuid=mysql --regid=mysql --init-groups --no-new-privs --bounding-set=-all \\
        /usr/lib/engine/server/mariadbd --defaults-file=/database/conf/my.cnf &
    engine=$!
    [ -z "$ending" ] || kill -TERM "$engine"
    # A signal ends the wait, not the engine.
    while kill -0 "$engine" 2>/dev/null; do wait "$engine"; done
    engine=
    [ -z "$ending" ] || break
    # What a standby had received and not done is not to be asked for again: the host must know that it ended. Where
    # another machine stands by, an engine that does not come back is no use: the machine ends with it.
    [ ! -e /run/ready ] || ! grep -qs standby /database/conf/paired || exit 1
    if [ $(($(now) - began)) -lt 5 ]; then ends=$((ends + 1)); else ends=1; fi
    if [ "$ends" -gt 12 ] && grep -qs yes /database/conf/paired; then exit 1; fi
    sleep 0.2
done
exit 0
"""

BAKE = """set -eu
# The first data of every instance, made once: what makes them waits for the disk again and again. Nobody's secrets are
# in them: rdsadmin is known by his socket alone.
mount --bind /dev "$1/dev"
install -d "$1/tmp/seed"
chroot "$1" chown mysql:mysql /tmp/seed
chroot "$1" setpriv --reuid=mysql --regid=mysql --init-groups mariadb-install-db --no-defaults --force --basedir=/usr \\
    --datadir=/tmp/seed --user=mysql --skip-test-db --skip-name-resolve --innodb-log-file-size=4M \\
    --auth-root-authentication-method=socket --auth-root-socket-user=rdsadmin
[ -e "$1/tmp/seed/mysql/global_priv.frm" ]
chroot "$1" tar -C /tmp/seed -cSf /usr/lib/engine/seed.tar .
rm -rf "$1/tmp/seed"
"""

APPLY = """#!/bin/sh
# Reads an archive of configuration from standard input (conf/..., *.sql) and makes the engine so.
set -eu
export PATH=/usr/lib/engine/client:/usr/lib/engine/server:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
say() {
    setpriv --reuid=rdsadmin --regid=rdsadmin --init-groups mariadb --no-defaults -S /run/mysqld/mysqld.sock \\
        -u rdsadmin -N -B "$@"
}
new=$(mktemp -d /run/apply.XXXXXX)
trap 'rm -rf "$new"' EXIT
tar -x -C "$new"
# Another image may know the engine's user by another number.
if [ -e /database/data ] && [ "$(stat -c %U /database/data)" != mysql ]; then chown -R mysql:mysql /database/data; fi
if [ ! -e /database/data/mysql ]; then
    rm -rf /database/data /database/data.part
    install -d -o mysql -g mysql -m 700 /database/data.part
    tar -C /database/data.part -xSf /usr/lib/engine/seed.tar
    chown -R mysql:mysql /database/data.part
    mv /database/data.part /database/data
fi
install -d -o root -g mysql -m 750 /database/conf
# What the engine was told and is told no more is again what the engine itself has.
names() { sed -n 's/^loose_\\([a-z0-9_]*\\) = .*/\\1/p' "$1" | sort -u; }
: >"$new/gone.sql"
if [ -e /run/ready ] && [ -e /database/conf/my.cnf ]; then
    names /database/conf/my.cnf >"$new/before"
    names "$new/conf/my.cnf" >"$new/after"
    comm -23 "$new/before" "$new/after" | sed 's/.*/SET GLOBAL & = DEFAULT;/' >"$new/gone.sql"
fi
for file in "$new"/conf/*; do
    name=${file##*/}
    case $name in
    *.key) install -o mysql -g mysql -m 600 "$file" "/database/conf/.$name" ;;
    *) install -o root -g mysql -m 640 "$file" "/database/conf/.$name" ;;
    esac
    mv "/database/conf/.$name" "/database/conf/$name"
done
sync -f /database
fresh=
if [ ! -e /run/ready ]; then
    fresh=1
    touch /run/ready
fi
tries=0
until say -e 'SELECT 1' >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then
        echo "the engine does not take connections" >&2
        say -e 'SELECT 1' >&2 || :
        exit 3
    fi
    sleep 0.05
done
# What an engine takes only when it starts, it refuses now, and has when it starts.
[ -n "$fresh" ] || cat "$new/gone.sql" "$new/live.sql" | say --force >/dev/null 2>&1 || :
# Data that are a follower's (a snapshot of one) are nobody's follower's here.
[ -z "$(say -e 'SHOW SLAVE STATUS')" ] || say -e 'STOP SLAVE; RESET SLAVE ALL' 2>/dev/null
say <"$new/setup.sql" >/dev/null
say <"$new/peers.sql" >/dev/null
say <"$new/last.sql" >/dev/null
"""

ACCEPTS = """#!/bin/sh
# Ends with 0 while the engine takes connections.
exec setpriv --reuid=rdsadmin --regid=rdsadmin --init-groups /usr/lib/engine/client/mariadb --no-defaults \\
    -S /run/mysqld/mysqld.sock -u rdsadmin -N -B -e 'SELECT 1' >/dev/null 2>&1
"""

TOOLS = {"apply": APPLY, "accepts": ACCEPTS}
