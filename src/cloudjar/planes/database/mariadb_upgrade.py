"""How MariaDB's data go from one major version to another: the new engine takes the old one's files as they are, and
its own ``mariadb-upgrade`` brings the system's tables up to date, where nobody reaches it yet."""

from __future__ import annotations

LEAVE = """#!/bin/sh
# An engine that was ended in order has left everything as the next one wants it.
exit 0
"""

ARRIVE = """#!/bin/sh
set -eu
export PATH=/usr/lib/engine/client:/usr/lib/engine/server:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
own=$(mariadbd --version | sed 's/.*Ver \\([0-9]*\\.[0-9]*\\).*/\\1/')
[ "$(cat /database/major 2>/dev/null || :)" != "$own" ] || exit 0
[ "$(stat -c %U /database/data)" = mysql ] || chown -R mysql:mysql /database/data
socket=/run/mysqld/upgrade.sock
install -d -o mysql -g mysql -m 755 /run/mysqld
setpriv --reuid=mysql --regid=mysql --init-groups --no-new-privs mariadbd --no-defaults --datadir=/database/data \\
    --skip-networking --skip-log-bin --skip-slave-start --socket=$socket --pid-file=/run/mysqld/upgrade.pid \\
    2>/run/upgrade.log &
engine=$!
as() { setpriv --reuid=rdsadmin --regid=rdsadmin --init-groups "$@"; }
tries=0
until as mariadb --no-defaults -S $socket -u rdsadmin -e 'SELECT 1' >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 1200 ] || ! kill -0 $engine 2>/dev/null; then
        tail -n 5 /run/upgrade.log >&2
        kill $engine 2>/dev/null || :
        exit 1
    fi
    sleep 0.05
done
code=0
# Only who owns the files can say in them that they were upgraded.
as mariadb --no-defaults -S $socket -u rdsadmin -e "CREATE OR REPLACE USER mysql@localhost IDENTIFIED VIA unix_socket;
    GRANT ALL ON *.* TO mysql@localhost WITH GRANT OPTION"
setpriv --reuid=mysql --regid=mysql --init-groups mariadb-upgrade --no-defaults -S $socket -u mysql --force --silent \\
    >/run/mariadb-upgrade.log 2>&1 || code=$?
as mariadb --no-defaults -S $socket -u rdsadmin -e "DROP USER mysql@localhost" || code=$?
kill $engine
wait $engine || :
if [ "$code" != 0 ]; then
    tail -n 5 /run/mariadb-upgrade.log >&2
    exit 1
fi
echo "$own" >/database/major
sync -f /database
"""

TOOLS = {"leave": LEAVE, "arrive": ARRIVE}
