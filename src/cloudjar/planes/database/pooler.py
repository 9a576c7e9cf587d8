"""Poolers: PgBouncer in a machine of its own, between those who ask and an engine that may become another one.

A client's connection is the pooler's; an engine's is lent to it for each transaction. So an engine may go and another
one come while a client stays. What a session set is undone after each transaction: nobody finds what others left.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database import image, kinds
from cloudjar.planes.database.packing import packed
from cloudjar.planes.database.pooler_scripts import HOME

KIND, RELEASE = "pgbouncer", "13"
_APPLY_SECONDS, _LOOK_SECONDS = 60, 10
_AS_NEW = (
    "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL", "CLOSE ALL", "UNLISTEN *", "SELECT pg_advisory_unlock_all()",
    "DISCARD TEMP", "DISCARD SEQUENCES",
)  # fmt: skip
"""All that DISCARD ALL does but that prepared statements stay: the pooler itself knows whose they are."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may come in. `method` is how he says his password: ``scram-sha-256`` or ``md5``."""

    name: str
    password: str
    method: str = "scram-sha-256"


class Pooler(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a pooler must be."""

    machine: str
    port: int
    address: str
    """Of the engine; empty: there is none, and whoever asks waits."""
    engine_port: int
    paused: bool
    """Whoever asks waits: the engine is becoming another one."""
    users: tuple[User, ...]
    by_token: bool
    """Clients bring tokens, for which the host is asked (`doors`); then there is one user."""
    needs_tls: bool
    idle_seconds: int
    borrow_seconds: int
    connections: int
    """How many to the engine, for each of its databases."""
    begin: str = ""
    """What is said on each connection to the engine before anybody has it."""
    certificate: str
    key: str
    authority: str
    """The certificates that the engine's certificate must lead to, PEM."""


class PoolerPort(Protocol):
    """Poolers by machine. Idempotent and blocking; failures raise `PlaneError`."""

    def prepare(self) -> str:
        """Build the image unless it is cached; the compute plane's key of it."""
        ...

    def apply(self, pooler: Pooler) -> None:
        """Make the running machine's pooler so, and wait until it listens."""
        ...

    def pause(self, machine: str, /) -> None:
        """At once: whoever asks waits, until `apply` says otherwise."""
        ...

    def accepts(self, machine: str, /) -> bool:
        """Whether there is a pooler that was told what to be."""
        ...

    def reaches(self, machine: str, address: str, port: int, /) -> bool:
        """Whether somebody listens there, as the machine's network has it."""
        ...


def poolers(compute: ComputePort) -> PoolerPort:
    """Who drives poolers here."""
    return GuestPoolers(compute) if isinstance(compute, ContainerCompute) else SimPoolers(compute)


class SimPoolers:
    """Poolers that exist only here; `told` is what was applied last, by machine."""

    def __init__(self, compute: ComputePort) -> None:
        self._compute = compute
        self.told: dict[str, Pooler] = {}

    def prepare(self) -> str:
        return "debian-12"

    def apply(self, pooler: Pooler) -> None:
        if self._compute.look(pooler.machine) != "up":
            raise PlaneError(f"machine {pooler.machine} is not running")
        self.told[pooler.machine] = pooler

    def pause(self, machine: str) -> None:
        if machine in self.told:
            self.told[machine] = msgspec.structs.replace(self.told[machine], paused=True)

    def accepts(self, machine: str) -> bool:
        return machine in self.told and self._compute.look(machine) == "up"

    def reaches(self, machine: str, _: str, __: int) -> bool:
        return self._compute.look(machine) == "up"


class GuestPoolers:
    """In system containers. It remembers nothing."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def prepare(self) -> str:
        return image.prepared(self._compute.store, KIND, RELEASE)

    def apply(self, pooler: Pooler) -> None:
        argv = [f"/{kinds.TOOLS}/apply", str(pooler.port), "pause" if pooler.paused else "go"]
        code, said = self._compute.run(pooler.machine, argv, _APPLY_SECONDS, archive(pooler))
        if code:
            words = said.decode("utf-8", "replace").strip()[-400:]
            raise PlaneError(f"the pooler in {pooler.machine} could not be set up ({code}): {words}")

    def pause(self, machine: str) -> None:
        code, _ = self._compute.run(machine, [f"/{kinds.TOOLS}/turn", "pause"], _LOOK_SECONDS)
        if code:
            raise PlaneError(f"the pooler in {machine} is not there to be paused")

    def accepts(self, machine: str) -> bool:
        return self._asked(machine, "accepts")

    def reaches(self, machine: str, address: str, port: int) -> bool:
        return self._asked(machine, "reaches", address, str(port))

    def _asked(self, machine: str, tool: str, *words: str) -> bool:
        try:
            return self._compute.run(machine, [f"/{kinds.TOOLS}/{tool}", *words], _LOOK_SECONDS)[0] == 0
        except PlaneError:
            return False


# -- what it is told (pure)
def archive(pooler: Pooler) -> bytes:
    """What `pooler_scripts.APPLY` reads."""
    return packed(
        {
            "conf/pgbouncer.ini": configuration(pooler),
            "conf/users": "".join(f"{_quoted(one.name)} {_quoted(one.password)}\n" for one in pooler.users),
            "conf/hba": admission(pooler),
            "conf/server.crt": pooler.certificate,
            "conf/server.key": pooler.key,
            "conf/authority.crt": pooler.authority,
        }
    )


def admission(pooler: Pooler) -> str:
    """Who comes in, and how: those whose secrets there are."""
    way = "hostssl" if pooler.needs_tls else "host"
    return "".join(f"{way} all {_quoted(one.name)} 0.0.0.0/0 {one.method}\n" for one in pooler.users)


def configuration(pooler: Pooler) -> str:
    """``pgbouncer.ini``."""
    again = [*_AS_NEW, *([pooler.begin.strip().rstrip(";")] if pooler.begin.strip() else [])]
    needs_tls = pooler.needs_tls or pooler.by_token
    said = {
        "listen_addr": "0.0.0.0",
        "listen_port": pooler.port,
        "unix_socket_dir": HOME,
        "pidfile": f"{HOME}/pid",
        "logfile": f"{HOME}/log",
        "log_connections": 0,
        "log_disconnections": 0,
        "log_stats": 0,
        "auth_type": "pam" if pooler.by_token else "hba",
        "auth_file": f"{HOME}/users",
        "auth_hba_file": f"{HOME}/hba",
        "pool_mode": "transaction",
        "max_client_conn": 10_000,
        "default_pool_size": pooler.connections,
        "max_db_connections": pooler.connections,
        "max_prepared_statements": 200,
        "server_reset_query": "; ".join(again),
        "server_reset_query_always": 1,
        "server_check_delay": 1,
        "server_login_retry": 1,
        "server_connect_timeout": 5,
        "query_wait_timeout": pooler.borrow_seconds,
        "client_idle_timeout": pooler.idle_seconds,
        "client_tls_sslmode": "require" if needs_tls else "allow",
        "client_tls_cert_file": f"{HOME}/server.crt",
        "client_tls_key_file": f"{HOME}/server.key",
        "client_tls_ca_file": f"{HOME}/authority.crt",  # it does not start without one, though it asks clients for none
        "server_tls_sslmode": "verify-ca",
        "server_tls_ca_file": f"{HOME}/authority.crt",
        "ignore_startup_parameters": "extra_float_digits",
        "tcp_keepalive": 1,
        "tcp_keepidle": 5,
        "tcp_keepintvl": 2,
        "tcp_keepcnt": 3,
        "tcp_user_timeout": 10_000,
    }
    lines = ["[databases]", f"* = {_target(pooler)}", "", "[pgbouncer]"]
    return "\n".join([*lines, *(f"{name} = {_line(str(value))}" for name, value in said.items())]) + "\n"


def _target(pooler: Pooler) -> str:
    """Where an engine is, in the words of a connection string; at an address of nobody's there is none."""
    said = {"host": pooler.address or "192.0.2.1", "port": str(pooler.engine_port)}
    if pooler.by_token and pooler.users:
        said |= {"user": pooler.users[0].name, "password": pooler.users[0].password}
    if pooler.begin.strip():
        said["connect_query"] = pooler.begin.strip()
    return _line(" ".join(f"{name}={_worded(value)}" for name, value in said.items()))


def _worded(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _line(value: str) -> str:
    """A value of the configuration file; raises `PlaneError` for one that holds a line break."""
    if any(ord(character) < 32 for character in value):
        raise PlaneError("what a pooler is told is one line")
    return value


def _quoted(value: str) -> str:
    return '"' + _line(value).replace('"', '""') + '"'
