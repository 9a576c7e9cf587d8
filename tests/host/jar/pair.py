"""A Multi-AZ database with a backend in a third zone, and who writes to it whatever happens."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from contextlib import closing
from itertools import pairwise
from time import monotonic
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.database import image
from tests.host.jar.account import Account
from tests.host.jar.served import REGION, RealJar, until
from tests.host.jar.test_zone_power import ask

PASSWORD = "correct-horse-9"
# The engine's image has the client: it is run from there, in the backend's network, trusting the jar's authority.
_PSQL = (
    'mount --bind "$1" "$2/etc/issue" && exec chroot "$2" /usr/lib/engine/client/psql -X -A -t -q "$3"'
)

RUIN = 'pid=$(head -n 1 /database/data/postmaster.pid); mv /database/data /database/gone; kill -9 "$pid"'
"""The engine ends, and no other can begin."""
KILL = 'kill -9 "$(head -n 1 /database/data/postmaster.pid)"'


class Pair:
    """The site: subnets in three zones, of which the database has two."""

    def __init__(self, jar: RealJar) -> None:
        self.jar, self.account, self.rds = jar, Account(jar), jar.client("rds")
        self._domain = ""
        vpc = self.account.vpc()
        self.backend_group = self.account.group(vpc, "backend", 22)
        self.group = self.account.group(vpc, "database", 5432, peer=self.backend_group)
        self.subnets = subnets = [self._subnet(vpc, n) for n in range(3)]
        self.rds.create_db_subnet_group(
            DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=subnets[:2]
        )
        (self.backend,) = self.account.launch(subnets[2], self.backend_group)

    def _subnet(self, vpc: str, n: int) -> str:
        asked = {"VpcId": vpc, "CidrBlock": f"10.0.{10 + n}.0/24", "AvailabilityZone": f"{REGION}{'abc'[n]}"}
        return str(self.account.ec2.create_subnet(**asked)["Subnet"]["SubnetId"])

    def create(self, name: str = "shop", **more: Any) -> None:
        """A small instance without automated backups, available; the backend is up by then."""
        asked = {
            "DBInstanceIdentifier": name, "DBInstanceClass": "db.t3.micro", "Engine": "postgres",
            "EngineVersion": "15", "MasterUsername": "boss", "MasterUserPassword": PASSWORD, "AllocatedStorage": 20,
            "DBSubnetGroupName": "private", "VpcSecurityGroupIds": [self.group], "PubliclyAccessible": False,
            "BackupRetentionPeriod": 0, "DBName": "store",
        }  # fmt: skip
        self.rds.create_db_instance(**{**asked, **more})
        self.reach(name, "available")
        until(lambda: self.jar.compute.look(self.backend) == "up", "the backend to be up", 120)

    def show(self, name: str = "shop") -> dict[str, Any]:
        found: dict[str, Any] = self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return found

    def reach(self, name: str, state: str) -> None:
        """The first instance of a host waits for the engine's image to be built."""
        until(lambda: self.show(name)["DBInstanceStatus"] == state, f"{name} to be {state}", 400, 0.2)

    def zones(self) -> tuple[str, str]:
        """Where it is, and where its standby is."""
        shown = self.show()
        return shown["AvailabilityZone"][-1], shown["SecondaryAvailabilityZone"][-1]

    def synced(self) -> bool:
        """Whether the standby may take over, as the store has it: AWS tells nobody."""
        with closing(sqlite3.connect(f"file:{self.jar.home / 'cloudjar.db'}?mode=ro", uri=True)) as store:
            return any(b"synced" in bytes(row[0]) for row in store.execute('SELECT data FROM "rds/standby"'))

    def machines(self) -> list[str]:
        return sorted(name for name in self.jar.compute.machines() if name.startswith("db-"))

    def primary(self, name: str = "shop") -> str:
        """The machine that the endpoint's name leads to."""
        address = self.resolve(name)
        for machine in self.machines():
            if self.jar.compute.look(machine) == "up" and address in self.jar.inside(machine, "ip -4 -o address"):
                return machine
        raise AssertionError(f"no machine has {address}")

    def resolve(self, name: str = "shop") -> str:
        """What the backend is told when it asks for the endpoint's name."""
        return self.jar.inside(self.backend, f"getent ahostsv4 {self.endpoint(name)}").split()[0]

    def endpoint(self, name: str = "shop") -> str:
        """Its name; asked once, for the server may be dead later."""
        if not self._domain:
            self._domain = self.show(name)["Endpoint"]["Address"].partition(".")[2]
        return f"{name}.{self._domain}"

    def client(self, name: str = "shop", **more: str) -> list[str]:
        """The command of a client in the backend's network, which reads SQL."""
        asked = {
            "host": self.endpoint(name), "hostaddr": self.resolve(name), "user": "boss", "dbname": "store",
            "password": PASSWORD, "sslmode": "verify-full", "sslrootcert": "/etc/issue", "connect_timeout": "2",
            "tcp_user_timeout": "3000", "keepalives_idle": "1", "keepalives_interval": "1", "keepalives_count": "2",
            **more,
        }  # fmt: skip
        words = " ".join(f"{key}='{value}'" for key, value in asked.items())
        root = ImageStore().path(f"import-{image.digest('postgres', '15')[:12]}")
        enter = ["nsenter", f"--net={self.jar.network.guest_path(self.backend)}", "unshare", "--mount", "sh", "-c"]
        return [*enter, _PSQL, "sh", str(self.jar.home / "tls" / "ca.pem"), str(root), words]

    def said(self, sql: str, name: str = "shop", **more: str) -> tuple[int, str]:
        """(code, output and errors) of one statement."""
        done = subprocess.run(
            self.client(name, **more), input=sql, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        return done.returncode, (done.stdout + done.stderr).strip()

    def answer(self, sql: str, name: str = "shop") -> str:
        """The answer, which must come."""
        code, said = self.said(sql, name)
        assert code == 0, said
        return said

    def fault(self, zone: str) -> str:
        return str(ask(self.jar, "faults", kind="zone", target=f"{REGION}{zone}")["id"])

    def mend(self, fault: str) -> None:
        ask(self.jar, "faults-end", id=fault)

    def failover(self) -> None:
        """By force, as soon as the standby is in sync."""

        def asked() -> bool:
            try:
                self.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)
            except ClientError as error:
                if error.response["Error"]["Code"] == "InvalidDBInstanceState":
                    return False
                raise
            return True

        until(asked, "the standby to be in sync", 180, 0.2)


class Writer:
    """Writes one number after another, by one connection as long as there is one; `acknowledged` is what the engine
    said it has, with the moment of each."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.acknowledged: list[tuple[int, float]] = []
        self._ending = threading.Event()
        pair.answer("CREATE TABLE IF NOT EXISTS ledger (n bigint PRIMARY KEY)")
        self._next = int(pair.answer("SELECT coalesce(max(n), 0) FROM ledger"))
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Writer:
        self._thread.start()
        self.more(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def more(self, count: int, seconds: float = 90) -> None:
        """Wait until so many more were acknowledged."""
        goal = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= goal, "the writer to go on", seconds, 0.02)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._connected()
            except Exception:  # noqa: BLE001 - the jar may be dead: the writer only tries again
                self._ending.wait(0.05)

    def _connected(self) -> None:
        with subprocess.Popen(
            self.pair.client(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as psql:
            assert psql.stdin is not None
            assert psql.stdout is not None
            try:
                while not self._ending.is_set():
                    self._next += 1
                    psql.stdin.write(f"INSERT INTO ledger VALUES ({self._next}) RETURNING n;\n")
                    psql.stdin.flush()
                    said = psql.stdout.readline().strip()
                    if said != str(self._next):
                        return
                    self.acknowledged.append((self._next, monotonic()))
            finally:
                psql.kill()

    def gap(self, since: float) -> float:
        """The longest time without an acknowledgement from an instant on, in seconds."""
        moments = [at for _, at in self.acknowledged]
        after = [since, *(at for at in moments if at > since)]
        return max((b - a for a, b in pairwise(after)), default=0.0)

    def missing(self) -> set[int]:
        """What was acknowledged and is not there."""
        there = {int(line) for line in self.pair.answer("SELECT n FROM ledger").split()}
        return {n for n, _ in self.acknowledged} - there


class Found(NamedTuple):
    """What many failovers came to."""

    acknowledged: int
    lost: set[int]
    gap: float
    """The longest time without an acknowledgement, in seconds."""


def forced_failovers(pair: Pair, times: int) -> Found:
    """So many under load, the server killed somewhere in every second one and started again."""
    until(pair.synced, "the standby to be in sync", 300)
    began = monotonic()
    with Writer(pair) as writer:
        for n in range(times):
            before = pair.zones()
            pair.failover()
            if n % 2:
                threading.Event().wait(0.13 * (n % 14))  # somewhere in what it takes
                pair.jar.kill()
                pair.jar.start()
            until(lambda before=before: pair.zones() == before[::-1], f"failover {n} to be done", 180)  # type: ignore[misc]  # mypy cannot type a lambda's default
            writer.more(10)
        gap = writer.gap(began)
    return Found(len(writer.acknowledged), writer.missing(), gap)
