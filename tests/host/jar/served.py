"""A whole jar on real planes, in a process of its own, and the host seen beside it.

Everything of it on the host carries one tag, and its data lie in one folder: what a run that was killed left behind is
removed by the next one. The host outlives the server, so the server may be killed while machines run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config

from cloudjar.base.clock import monotonic
from cloudjar.base.settings import Settings, to_json
from cloudjar.cli import claims
from cloudjar.gateway.admin import TOKEN_HEADER
from cloudjar.kit.quota import AppliedQuota
from cloudjar.kit.record import meta
from cloudjar.planes.compute import cgroups, disk
from cloudjar.planes.compute import doctor as compute_doctor
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.network import namespaces
from cloudjar.planes.network.internet import Internet
from cloudjar.planes.network.leaks import leaks as network_leaks
from cloudjar.planes.network.linux import LinuxNetwork
from cloudjar.planes.network.netlink import Netlink
from cloudjar.planes.proxy import processes as proxies
from cloudjar.store.database import Database
from cloudjar.store.tables import Tables
from tests.crash.server import ServerProcess

TAG, PORT = os.environ.get("CLOUDJAR_TEST_TAG", "rob"), int(os.environ.get("CLOUDJAR_TEST_PORT", "4577"))
"""Whoever runs these tests beside somebody else's on one host has a tag and a port of his own."""
POOLS = ("198.18.128.0/18", "198.19.64.0/18", "198.19.192.0/18", "198.18.64.0/18")
"""The first that no other jar of this host has: an address leads to one of them only."""
HOME = Path(f"/var/tmp/cloudjar-{TAG}")
REGION = "eu-west-3"
ACCOUNT = "000000000000"
VCPUS = "ec2/L-1216C47A"
IMAGE = "debian-12"

_SERVE = """
import sys
from pathlib import Path
from cloudjar.app import serve
from cloudjar.base.settings import from_json
settings = from_json(sys.argv[1].encode())
serve(settings, settings.home / "ready.json")
"""


def until(condition: Callable[[], object], what: str, seconds: float = 60, every: float = 0.02) -> Any:
    """Wait for a condition and give its value; the deadline only keeps a broken product from hanging the suite."""
    pause = threading.Event()
    end = monotonic() + seconds
    while not (value := condition()):
        if monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        pause.wait(every)
    return value


class RealJar(ServerProcess):
    """One installation: starts, dies and starts again on the same home, port, tag and pool."""

    def __init__(self, home: Path = HOME, *, tag: str = TAG, pool: str = POOLS[0], port: int = PORT) -> None:
        super().__init__(home)
        self.port = port
        self.settings = Settings(  # tests look more often than AWS lets people look
            home=home, port=port, planes="linux", tag=tag, public_pool=pool, region=REGION, throttle=False
        )
        self.compute = ContainerCompute(tag, home / "compute")
        """The same machines, seen past the server."""
        self.network = LinuxNetwork(tag, pool, home / "network", None, _Nobody())
        """Likewise the networks: names, and what must be taken down."""

    # -- the server; `kill` is of the server alone: its machines know nothing of it
    def _launched(self) -> bool:
        ready = self.home / "ready.json"
        ready.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, to_json(self.settings).decode()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONFAULTHANDLER": "1"},
                start_new_session=True,
            )
        until(lambda: ready.exists() or self.dead, "the server to answer")
        return ready.exists()

    def words(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-6000:] if self.log.exists() else ""

    def client(
        self, service: str, key: str = "test", secret: str = "test", token: str | None = None, *, endpoint: str = ""
    ) -> Any:
        """A boto3 client; by default it signs as the root user of the default account."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=endpoint or self.endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60),
        )

    def allow(self, vcpus: float, *accounts: str) -> None:
        """Raise the vCPU quota of accounts (before the start): a new account may run two small machines."""
        database = Database(self.home / "cloudjar.db", durable=False)
        tables = Tables(database)
        with database.transaction():
            for account in accounts or (ACCOUNT,):
                quota = AppliedQuota(account=account, region=REGION, code=VCPUS, value=vcpus)
                tables.put(meta(AppliedQuota).spec, quota)
        database.close()

    def advance(self, seconds: int) -> None:
        """Move AWS's clock on."""
        token = (self.home / "admin-token").read_text()
        address = f"{self.endpoint}/_cloudjar/clock?seconds={seconds}"
        urlopen(Request(address, b"", {TOKEN_HEADER: token}, method="POST"), timeout=60).close()

    # -- the host
    def inside(self, machine: str, command: str, timeout: float = 30) -> str:
        """What a shell command says inside a machine, as root; it must succeed."""
        code, said = self.compute.run(machine, ["/bin/sh", "-c", command], timeout)
        text = said.decode(errors="replace")
        assert code == 0, f"{command!r} in {machine} ended with {code}: {text}"
        return text.strip()

    def life(self, machine: str) -> tuple[int, str] | None:
        """Which boot of a machine this is: the process of its init, and the kernel's tick when it began."""
        try:
            pid = int((self.home / "compute" / "machines" / machine / "init.pid").read_text())
            return pid, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        except (OSError, ValueError):
            return None

    def leaks(self) -> list[str]:
        """Everything of this installation that is on the host."""
        tag = self.settings.tag
        return [
            *network_leaks(tag),
            *compute_doctor.leaks(tag, self.home / "compute"),
            *(f"process {pid}" for pid in proxies.below(self.home / "proxy")),
            *(f"folder {p}" for p in Path("/run/cloudjar", tag).glob("*")),
        ]

    def machine_traces(self) -> list[str]:
        """What of machines is on the host: nothing after the last one is terminated."""
        return [
            *compute_doctor.leaks(self.settings.tag, self.home / "compute"),
            *(f"guest {guest}" for guest in self.network.guests()),
            *(f"folder {p}" for name in ("machines", "volumes") for p in (self.home / "compute" / name).glob("[!.]*")),
        ]

    def restore(self) -> None:
        """Kill the server and take everything of this installation off the host; the data stay."""
        self.kill()
        for machine in self.compute.machines():
            self.compute.remove(machine)
        proxies.end(proxies.below(self.home / "proxy"))
        self.network.close()
        self.compute.close()

    def wipe(self) -> None:
        """Forget the data too."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.log.unlink(missing_ok=True)


class _Nobody:
    """Serves no metadata: this side only looks, and takes down."""

    def attach(self, vpc_id: str, listener: int) -> None:
        raise AssertionError(vpc_id, listener)

    def detach(self, vpc_id: str) -> None:
        raise AssertionError(vpc_id)


def free_pool() -> str:
    """Public addresses that this host routes to nobody else."""
    with Netlink() as kernel:
        taken = [IPv4Network(rule.target) for rule in kernel.rules() if rule.target and ":" not in rule.target]
    free = [pool for pool in POOLS if not any(IPv4Network(pool).overlaps(other) for other in taken)]
    assert free, f"other jars of this host have all of {POOLS}: {taken}"
    return free[0]


@contextmanager
def real_jar(*, vcpus: float = 64, accounts: tuple[str, ...] = (), **where: Any) -> Iterator[RealJar]:
    """A started jar on a clean host; however the block ends, the host is clean again."""
    before = RealJar(**where)
    before.restore()
    before.wipe()
    jar = RealJar(**{"pool": free_pool(), **where})
    jar.home.mkdir(mode=0o700)
    claims.claim(jar.settings)
    jar.allow(vcpus, ACCOUNT, *accounts)
    try:
        jar.compute.prepare_image(IMAGE)
        jar.start()
        yield jar
        assert jar.stop() == 0
        assert "Traceback" not in (words := jar.words()), words
    finally:
        jar.restore()
        claims.give_back(jar.settings)
    assert jar.leaks() == []
    jar.wipe()


def lose_host(jar: RealJar) -> None:
    """What a power cut does to the host: no process, mount, namespace, link or rule outlives it; files do."""
    jar.kill()
    state, runtime = jar.home / "compute" / "machines", Path("/run/cloudjar", jar.settings.tag)
    for machine in jar.compute.machines():
        groups = cgroups.Groups(jar.settings.tag, machine)
        until(lambda groups=groups: not groups.kill(), f"the processes of {machine} to die")  # type: ignore[misc]  # mypy cannot type a lambda's default
        groups.remove()
        for mount in (runtime / "roots" / machine, state / machine / "disk"):
            disk.unmount(mount)
    shutil.rmtree(runtime, ignore_errors=True)
    site = jar.network.site
    for name in namespaces.names(site.prefix):
        namespaces.delete(name)
    Internet(site, None).close()
    assert jar.leaks() == []
