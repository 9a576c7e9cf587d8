"""Who writes one number after another into a MariaDB, whatever happens to it, and what was acknowledged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

from tests.host.jar.engines import PASSWORD, Site
from tests.host.jar.served import until

# One connection that reads statements, a line each, and says the number of rows that each changed.
_TALK = """
import json, socket, ssl, sys
import pymysql
asked = json.loads(sys.argv[1])
address, bundle = asked.pop("address"), asked.pop("bundle")
line = socket.create_connection((address, asked["port"]), timeout=2)
trusted = ssl.create_default_context(cafile=bundle)
talk = pymysql.connect(**asked, ssl=trusted, defer_connect=True, autocommit=True, read_timeout=4, write_timeout=4)
talk.connect(line)
with talk.cursor() as cursor:
    for said in sys.stdin:
        print(cursor.execute(said), flush=True)
"""


class Ledger:
    """Writes by one connection as long as there is one; `acknowledged` is what the engine said it has."""

    def __init__(self, site: Site, name: str) -> None:
        self.acknowledged: list[int] = []
        self._site, self._name = site, name
        self._endpoint = site.show(name)["Endpoint"]  # asked once, for the server may be dead later
        self._ending = threading.Event()
        made = site.mysql(name, "CREATE TABLE IF NOT EXISTS ledger (n BIGINT PRIMARY KEY)")
        assert made.code == 0, made
        self._next = int(site.mysql(name, "SELECT COALESCE(MAX(n), 0) FROM ledger").out)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Ledger:
        self._thread.start()
        self.more(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def more(self, count: int, seconds: float = 120) -> None:
        """Wait until so many more were acknowledged."""
        goal = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= goal, "the writer to go on", seconds, 0.02)

    def missing(self) -> set[int]:
        """What was acknowledged and is not there."""
        said = self._site.mysql(self._name, "SELECT n FROM ledger")
        assert said.code == 0, said
        return set(self.acknowledged) - {int(n) for n in said.out.split()}

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._connected()
            except Exception:  # noqa: BLE001 - the jar may be dead: the writer only tries again
                self._ending.wait(0.05)

    def _connected(self) -> None:
        jar, host = self._site.jar, self._endpoint["Address"]
        asked = {
            "host": host, "address": jar.inside(self._site.backend, f"getent ahostsv4 {host}").split()[0],
            "port": self._endpoint["Port"], "user": "boss", "password": PASSWORD, "database": "store",
            "bundle": str(jar.home / "tls" / "ca.pem"),
        }  # fmt: skip
        enter = ["nsenter", f"--net={jar.network.guest_path(self._site.backend)}"]
        with subprocess.Popen(
            [*enter, sys.executable, "-c", _TALK, json.dumps(asked)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "LC_ALL": "C"},
        ) as client:  # fmt: skip
            assert client.stdin is not None
            assert client.stdout is not None
            try:
                while not self._ending.is_set():
                    self._next += 1
                    client.stdin.write(f"INSERT INTO ledger VALUES ({self._next})\n")
                    client.stdin.flush()
                    if client.stdout.readline().strip() != "1":
                        return
                    self.acknowledged.append(self._next)
            finally:
                client.kill()
