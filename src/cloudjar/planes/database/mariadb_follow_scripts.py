"""What the host calls inside a guest to make its MariaDB follow another, wait for a follower, and take over.

Beside what `mariadb_scripts` keeps below ``/database``: ``conf/following`` says whom the engine was told to follow
last, ``data/seed.gtid`` that the data are a copy that follows nobody yet, and up to which transaction they go.
"""

from __future__ import annotations

HEAD = r"""
set -eu
export PATH=/usr/lib/engine/client:/usr/lib/engine/server:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
data=/database/data
ask() {
    setpriv --reuid=rdsadmin --regid=rdsadmin --init-groups mariadb --no-defaults -S /run/mysqld/mysqld.sock \
        -u rdsadmin "$@"
}
say() { ask -N -B "$@"; }
field() { sed -n "s/^ *$1: //p" /run/slave.status; }
look() { ask -e 'SHOW SLAVE STATUS\G' >/run/slave.status; }
alive() {
    pid=$(cat /run/mysqld/mysqld.pid 2>/dev/null || :)
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}
until_up() {
    tries=0
    until say -e 'SELECT 1' >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 1200 ]; then
            echo "the engine does not take connections" >&2
            exit 3
        fi
        sleep 0.05
    done
}
"""

LAY = (
    HEAD
    + r"""
# Reads an archive from standard input and lays out what it says. $1: "afresh" if data that are there are of no use.
# Says "seed" if the engine has no data then. One at a time, whoever has died that began it.
exec 9>/run/follow.lock
flock 9
rm -rf /run/following
mkdir -m 700 /run/following
tar -x -C /run/following
cd /run/following
install -d -o root -g mysql -m 750 /database/conf
rm -f changed
for file in conf/*; do
    name=${file##*/}
    case $name in
    *.key) install -o mysql -g mysql -m 600 "$file" "/database/conf/.$name" ;;
    *) install -o root -g mysql -m 640 "$file" "/database/conf/.$name" ;;
    esac
    case $name in
    my.cnf) cmp -s "/database/conf/.$name" "/database/conf/$name" || touch changed ;;
    esac
    mv "/database/conf/.$name" "/database/conf/$name"
done
halt() {
    rm -f /run/ready
    tries=0
    while alive; do
        kill "-$1" "$pid" 2>/dev/null || :
        tries=$((tries + 1))
        [ "$tries" -le 1200 ] || { echo "the engine does not end" >&2; exit 4; }
        sleep 0.05
    done
}
[ ! -e "$data" ] || [ "$(stat -c %U "$data")" = mysql ] || chown -R mysql:mysql "$data"
if [ "${1:-}" = afresh ] || [ ! -e "$data/mysql" ]; then
    halt KILL
    rm -rf "$data" /database/conf/following
    echo seed
elif [ -e changed ] && [ "$(cat kind)" = standby ]; then
    halt TERM
fi
"""
)

GIVE = (
    HEAD
    + r"""
# Writes a copy of everything to standard output, as of one transaction; nobody waits for it.
# The engine asks its socket who is there; the tool asks whether it may read files in the name of who began it.
exec setpriv --ruid=0 --euid=rdsadmin --regid=rdsadmin --clear-groups --inh-caps=+dac_read_search,+dac_override \
    --ambient-caps=+dac_read_search,+dac_override mariadb-backup --no-defaults --backup --stream=mbstream --parallel=2 \
    --socket=/run/mysqld/mysqld.sock --user=rdsadmin --datadir="$data" --target-dir=/tmp
"""
)

TAKE = (
    HEAD
    + r"""
# Reads such a copy, and makes it this engine's data.
exec 9>/run/follow.lock
flock 9
rm -rf "$data.part"
install -d -o mysql -g mysql -m 700 "$data.part"
mbstream -x -C "$data.part"
cd "$data.part"
# What is written last is there: the copy is whole.
[ -e xtrabackup_info ] || [ -e mariadb_backup_info ] || { echo "the copy is not whole" >&2; exit 8; }
mariadb-backup --prepare --target-dir="$data.part" >/run/prepare.log 2>&1 || { tail -n 5 /run/prepare.log >&2; exit 8; }
[ ! -e mariadb_backup_binlog_info ] || mv mariadb_backup_binlog_info xtrabackup_binlog_info
awk -F '\t' 'NR == 1 { print $3 }' xtrabackup_binlog_info >seed.gtid
chown -R mysql:mysql "$data.part"
sync -f /database
rm -rf "$data"
mv "$data.part" "$data"
sync -f /database
"""
)

FOLLOW = (
    HEAD
    + r"""
# The engine starts, and follows whom `LAY` was told.
exec 9>/run/follow.lock
flock 9
cd /run/following
fresh=
[ -e /run/ready ] || fresh=1
touch /run/ready
until_up
[ -n "$fresh" ] || say --force <live.sql >/dev/null 2>&1 || :
say <peers.sql >/dev/null
look
if [ -e "$data/seed.gtid" ]; then
    at=$(cat "$data/seed.gtid")
    say -e "STOP SLAVE; RESET SLAVE ALL; RESET MASTER;
        SET GLOBAL gtid_binlog_state = '$at'; SET GLOBAL gtid_slave_pos = '$at'" 2>/dev/null
    rm -f "$data/seed.gtid" /database/conf/following
    sync -f /database
elif [ ! -s /run/slave.status ]; then
    # It took writes until now: everything that it has is where it goes on from.
    say -e "SET GLOBAL gtid_slave_pos = @@gtid_current_pos" 2>/dev/null
fi
want=$(cat follow.sql hosts | sha256sum)
if [ "$(field Slave_SQL_Running)" = Yes ] && [ "$(field Slave_IO_Running)" != No ] &&
    [ "$(cat /database/conf/following 2>/dev/null || :)" = "$want" ]; then
    exit 0
fi
sed -i '/# source$/d' /etc/hosts
cat hosts >>/etc/hosts
rm -f /database/conf/following
say -e "STOP SLAVE" 2>/dev/null
say <follow.sql
say -e "START SLAVE"
echo "$want" >/database/conf/following
"""
)

RESUME = (
    HEAD
    + r"""
# The engine starts as `LAY` was told, and asks nobody.
touch /run/ready
until_up
"""
)

WHERE = (
    HEAD
    + r"""
# Up to which transaction everything is written down. With "waits": once some follower's word is waited for.
if [ "${1:-}" = waits ]; then
    tries=0
    until [ "$(say -e "SELECT COUNT(*) FROM information_schema.GLOBAL_STATUS WHERE
        (VARIABLE_NAME = 'RPL_SEMI_SYNC_MASTER_STATUS' AND VARIABLE_VALUE = 'ON') OR
        (VARIABLE_NAME = 'RPL_SEMI_SYNC_MASTER_CLIENTS' AND VARIABLE_VALUE > 0)")" = 2 ]; do
        tries=$((tries + 1))
        [ "$tries" -le 600 ] || { echo "no follower is waited for" >&2; exit 5; }
        sleep 0.05
    done
fi
say -e "SELECT @@gtid_binlog_pos"
"""
)

REACHED = (
    HEAD
    + r"""
# Waits until this follower has done everything up to $1 (empty: until it follows). $2: tries of 50 ms until it must
# have come at all. Ends with 5 if it does not follow, or cannot, with 7 if it is far behind.
follows() {
    look
    [ "$(field Slave_IO_Running)" = Yes ] && [ "$(field Slave_SQL_Running)" = Yes ]
}
tries=0
until follows; do
    [ "$(field Last_IO_Errno)" != 1236 ] && [ "$(field Last_SQL_Errno)" = 0 ] || break
    tries=$((tries + 1))
    [ "$tries" -le "$2" ] || break
    sleep 0.05
done
if ! follows; then
    field Last_IO_Error >&2
    field Last_SQL_Error >&2
    exit 5
fi
[ -n "$1" ] || exit 0
[ "$(say -e "SELECT MASTER_GTID_WAIT('$1', 10)")" != 0 ] || exit 0
follows || exit 5
exit 7
"""
)

PROMOTE = (
    HEAD
    + r"""
# The engine that follows does what it has received, and follows nobody any more; nothing when that was so.
until_up
look
[ -s /run/slave.status ] || exit 0
if [ "$(field Slave_SQL_Running)" = Yes ]; then
    say -e "STOP SLAVE IO_THREAD" 2>/dev/null
    look
    at=$(field Gtid_IO_Pos)
    until [ "$(say -e "SELECT MASTER_GTID_WAIT('$at', 5)")" = 0 ]; do
        look
        [ "$(field Slave_SQL_Running)" = Yes ] || { field Last_SQL_Error >&2; exit 6; }
    done
else
    # The engine was started anew: what it had received lies there, and whom it would ask for it again is gone.
    [ "$(field Last_SQL_Errno)" = 0 ] || { field Last_SQL_Error >&2; exit 6; }
    for log in "$data"/relay-bin.[0-9]*; do
        [ -e "$log" ] || continue
        at=$(say -e "SELECT @@gtid_binlog_pos")
        # What the last file ends with may be the part of a transaction that nobody was told of.
        mariadb-binlog --no-defaults ${at:+--start-position="$at"} "$log" >/run/relay.sql 2>/run/relay.err || :
        say --binary-mode </run/relay.sql
    done
fi
say -e "STOP SLAVE; RESET SLAVE ALL; SET SESSION sql_log_bin = 0;
    UPDATE mysql.event SET status = 'ENABLED', originator = @@server_id WHERE status = 'SLAVESIDE_DISABLED'" 2>/dev/null
rm -f /database/conf/following
sed -i '/# source$/d' /etc/hosts
"""
)
