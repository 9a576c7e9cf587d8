"""What runs inside a pooler's guest, as texts: PgBouncer, and what the host calls to make it as it must be.

Nothing of it is on a disk: certificates, keys and passwords are below ``/run``, and are told again after each boot.
https://www.pgbouncer.org/config.html
"""

from __future__ import annotations

from cloudjar.planes.database import tokens

HOME = "/run/pooler"

INIT = f"""#!/bin/sh
# The first process: keeps one pooler running, and ends it when the machine is told to shut down (37).
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
umask 077
install -d -o pgbouncer -g pgbouncer -m 700 {HOME}
ending= pooler=
shut() {{ ending=1; [ -z "$pooler" ] || kill -TERM "$pooler" 2>/dev/null; }}
trap shut 37 TERM
while [ -z "$ending" ]; do
    if [ ! -e /run/ready ]; then
        sleep 0.05
        continue
    fi
    rm -f {HOME}/pid {HOME}/.s.PGSQL.*
    setpriv --reuid=pgbouncer --regid=pgbouncer --init-groups --no-new-privs --bounding-set=-all \\
        /usr/sbin/pgbouncer -q {HOME}/pgbouncer.ini &
    pooler=$!
    [ -z "$ending" ] || kill -TERM "$pooler"
    # A signal ends the wait, not the pooler.
    while kill -0 "$pooler" 2>/dev/null; do wait "$pooler"; done
    pooler=
    [ -n "$ending" ] || sleep 0.2
done
exit 0
"""

APPLY = f"""#!/bin/sh
# Reads an archive of configuration from standard input (conf/...) and makes the pooler so. $1: its port; $2: "pause" if
# whoever asks is to wait, "go" if not.
set -eu
exec 9>/run/apply.lock
flock 9
new=$(mktemp -d /run/apply.XXXXXX)
trap 'rm -rf "$new"' EXIT
tar -x -C "$new"
for file in "$new"/conf/*; do
    name=${{file##*/}}
    install -o pgbouncer -g pgbouncer -m 600 "$file" "{HOME}/.new"
    mv "{HOME}/.new" "{HOME}/$name"
done
fresh=
[ -e /run/ready ] || fresh=1
touch /run/ready
tries=0
until [ -S "{HOME}/.s.PGSQL.$1" ] && [ -s {HOME}/pid ] && kill -0 "$(cat {HOME}/pid)"; do
    tries=$((tries + 1))
    [ "$tries" -le 400 ] || {{ echo "the pooler does not listen" >&2; tail -n 5 {HOME}/log >&2; exit 3; }}
    sleep 0.05
done
pid=$(cat {HOME}/pid)
[ -n "$fresh" ] || kill -HUP "$pid"
if [ "$2" = pause ]; then kill -USR1 "$pid"; else kill -USR2 "$pid"; fi
"""

TURN = f"""#!/bin/sh
# Has those who ask wait ($1: pause), or serves them again (go).
pid=$(cat {HOME}/pid)
if [ "$1" = pause ]; then kill -USR1 "$pid"; else kill -USR2 "$pid"; fi
"""

REACHES = """#!/usr/bin/perl
# Ends with 0 if somebody listens at an address ($1) and port ($2), as far as this machine's network lets it.
use strict;
use Socket;
alarm 3;
socket(my $line, PF_INET, SOCK_STREAM, 0) or exit 1;
exit(connect($line, pack_sockaddr_in($ARGV[1], inet_aton($ARGV[0]))) ? 0 : 1);
"""

ACCEPTS = f"""#!/bin/sh
# Ends with 0 while there is a pooler.
exec kill -0 "$(cat {HOME}/pid)"
"""

TOOLS = {"apply": APPLY, "turn": TURN, "reaches": REACHES, "accepts": ACCEPTS, **tokens.TOOLS}

BAKE = tokens.BAKE.replace("pam.d/rds", "pam.d/pgbouncer")
"""PgBouncer's name for itself, when it asks PAM."""
