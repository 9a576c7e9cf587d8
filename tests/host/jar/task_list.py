"""The Task List on a machine: the application as a service, its PostgreSQL in a container, and what one does with them.

The container is one as `unshare` makes it, of the root file system that database machines here have: processes, mounts
and a host name of its own. No registry and no package is needed for it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.database import image
from tests.host.jar.served import RealJar, until

APPLICATION = Path(__file__).parents[3] / "examples" / "task-list" / "app"
OWN = "postgresql://tasks:kept-by-tasks-1@127.0.0.1/tasks"
_ROOT = "/srv/database"
_LEFT_OUT = ("./dev/*", "./usr/share/perl*", "./usr/share/locale", "./usr/lib/*/perl*", "*/libLLVM*", "*/bitcode")
_BEGIN = r"""set -e
export PATH=/usr/lib/engine/server:/usr/sbin:/usr/bin LANG=C.UTF-8
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if [ ! -e /srv/data ]; then
    install -d -o postgres -g postgres -m 700 /srv/part
    echo kept-by-tasks-1 >/srv/secret
    as initdb -D /srv/part -U tasks -A scram-sha-256 --pwfile=/srv/secret -E UTF8 --locale=C.UTF-8 --no-sync
    echo "CREATE DATABASE tasks" | as postgres --single -D /srv/part postgres
    mv /srv/part /srv/data
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D /srv/data \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c jit=off
"""
_RUN = f"mount --rbind /dev {_ROOT}/dev && hostname database && exec chroot {_ROOT} /bin/sh /srv/begin"
_TOOL = '#!/bin/sh\nexec chroot {} /usr/lib/engine/client/{} "$@"\n'
_HTTP = build_opener(ProxyHandler({}))


class TaskList:
    """The application and its database, on one machine that has a public address."""

    def __init__(self, jar: RealJar, machine: str, address: str) -> None:
        self._jar, self._machine, self._address = jar, machine, address

    def contain(self) -> None:
        """Have a PostgreSQL run in a container, and its tools at hand outside of it."""
        root = ImageStore().path(f"import-{image.digest('postgres', '15')[:12]}")
        left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
        packed = subprocess.run(["tar", "-c", "-C", root, *left_out, "."], capture_output=True, check=True).stdout
        self.inside(f"mkdir -p {_ROOT}")
        code, said = self._jar.compute.run(self._machine, ["tar", "-x", "-C", _ROOT], 120, packed)
        assert code == 0, said[-600:]
        self.inside(f"rm -f {_ROOT}/etc/resolv.conf && cp -L /etc/resolv.conf /etc/hosts {_ROOT}/etc/")
        for tool in ("psql", "pg_dump"):
            self.write(f"/usr/local/bin/{tool}", _TOOL.format(_ROOT, tool))
        self.write(f"{_ROOT}/etc/ca.pem", (self._jar.home / "tls" / "ca.pem").read_text())
        self.write(f"{_ROOT}/srv/begin", _BEGIN)
        self.inside("systemd-run --unit=database --property=TimeoutStopSec=10 --quiet "
                    f"unshare --mount --pid --uts --ipc --fork --kill-child sh -c '{_RUN}'")  # fmt: skip
        until(lambda: self._run(f'psql "{OWN}" -c "SELECT 1"') == 0, "the container's database to answer", 60, 0.1)

    def deploy(self) -> None:
        """Bring the application."""
        for file in APPLICATION.glob("*.py"):
            self.write(f"/srv/task-list/{file.name}", file.read_text())

    def start(self, url: str) -> None:
        """Have it run with its tasks in the database that a URL leads to."""
        self.inside("systemctl stop tasks 2>/dev/null; systemctl reset-failed tasks 2>/dev/null; "
                    "systemd-run --unit=tasks --property=Restart=always --property=RestartSec=200ms --quiet "
                    f"--setenv='DATABASE_URL={url}' /usr/bin/python3 -B /srv/task-list/backend.py")  # fmt: skip
        until(self._answers, "the application to answer", 60, 0.1)

    def stop(self, *units: str) -> None:
        """Have the application (``tasks``) or the container (``database``) end."""
        self.inside(f"systemctl stop {' '.join(units)}")

    def move(self, url: str) -> None:
        """Bring the tasks from the container into another database."""
        self.inside(f'pg_dump --no-owner "{OWN}" >/root/tasks.sql')
        self.inside(f'psql -X -q -v ON_ERROR_STOP=1 "{url}" </root/tasks.sql')

    def tasks(self) -> list[tuple[int, str, bool]]:
        """What it shows to whoever asks it from outside: (number, title, done)."""
        return [(task["id"], task["title"], task["done"]) for task in self.ask("GET", "/api/tasks")]

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """A request to its API, at the machine's public address."""
        data = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"}
        request = Request(f"http://{self._address}:8000{path}", data, kind, method=method)
        with _HTTP.open(request, timeout=10) as said:
            return json.load(said)

    def _answers(self) -> bool:
        try:
            return bool(self.tasks())
        except (URLError, OSError):
            return False

    def inside(self, command: str) -> str:
        """What a command says on the machine; it must succeed."""
        return self._jar.inside(self._machine, command, 60)

    def write(self, path: str, text: str) -> None:
        """A file that can be run, on the machine."""
        argv = ["sh", "-c", 'mkdir -p "${0%/*}" && cat >"$0" && chmod 755 "$0"', path]
        code, said = self._jar.compute.run(self._machine, argv, 30, text.encode())
        assert code == 0, said

    def _run(self, command: str) -> int:
        return self._jar.compute.run(self._machine, ["sh", "-c", command])[0]
