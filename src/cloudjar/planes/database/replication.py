"""What PostgreSQL is told so that engines follow each other, as texts (pure).

Who follows comes as ``rdsrepladmin``, by a link of its own (`links`), over TLS to the name in the source's certificate,
and with a password (SCRAM). To be rewound after it was a primary it must read the source's files, which only
``rdsadmin`` may; the way in is as narrow.
https://www.postgresql.org/docs/15/warm-standby.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cloudjar.planes.database.port import Engine

USER = "rdsrepladmin"
REFUSED = f"host all {USER} all reject\n"
"""The line of ``pg_hba.conf`` by which nobody else comes in that name."""
_PASSWORD, _AUTHORITY = "/database/conf/replication.key", "/database/conf/authority.crt"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an engine follows, and how."""

    name: str
    """In its certificate."""
    machine: str = ""
    """Where it is, for who copies by another way than its network."""
    address: str
    port: int
    password: str
    authority: str
    """The certificates that its certificate must lead to, PEM."""
    readable: bool
    """Whether the follower answers questions; one that does not can follow whatever limits its source has."""


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """Who may follow an engine."""

    addresses: tuple[str, ...] = ()
    verifier: str = ""
    """What the engine keeps of their password (`postgres.scram`)."""
    waits_for: str = ""
    """The follower (a machine) that must have a commit before it is acknowledged; empty: none."""
    any_of: tuple[str, ...] = ()
    """Likewise, followers of which any one must have it."""


def conninfo(engine: Engine, name: str, *, user: str = USER, database: str = "") -> str:
    """How a follower reaches its source, in libpq's words; `name` is what it calls itself."""
    source = engine.source
    assert source is not None
    said = {
        "host": source.name, "hostaddr": source.address, "port": str(source.port), "user": user,
        # None is asked for; without a word libpq looks for one in a home that the engine may not enter.
        "sslcert": "/database/conf/none.crt", "passfile": _PASSWORD, "sslmode": "verify-full",
        "sslrootcert": _AUTHORITY, "application_name": name, "connect_timeout": "5", "keepalives_idle": "5",
        "keepalives_interval": "2", "keepalives_count": "3", "tcp_user_timeout": "10000",
        **({"dbname": database} if database else {}),
    }  # fmt: skip
    return " ".join(f"{key}={value}" for key, value in said.items())


def settings(engine: Engine) -> dict[str, str]:
    """What the configuration file says of it."""
    said = {"synchronous_standby_names": _waits_for(engine.peers)}
    if engine.source is not None:
        said["primary_conninfo"] = conninfo(engine, engine.machine)
        said["hot_standby"] = "on" if engine.source.readable else "off"
        said["wal_receiver_timeout"] = "10000"
        said["wal_retrieve_retry_interval"] = "500"
    return said


def _waits_for(peers: Peers) -> str:
    """Whom an engine waits for, as it is told."""
    if peers.any_of:
        names = ", ".join(f'"{machine}"' for machine in peers.any_of)
        return f"ANY 1 ({names})"
    return f'FIRST 1 ("{peers.waits_for}")' if peers.waits_for else ""


def files(engine: Engine) -> dict[str, str]:
    """Further files of the configuration, and what the scripts must know."""
    source = engine.source
    paired = bool(engine.peers.waits_for or engine.peers.any_of) or (source is not None and not source.readable)
    said = {"conf/paired": "yes\n" if paired else "no\n"}
    if source is None:
        return said
    password = source.password.replace("\\", "\\\\").replace(":", "\\:")
    return said | {
        "conf/replication.key": f"*:*:*:*:{password}\n",
        "conf/authority.crt": source.authority,
        "follow/copy": conninfo(engine, "copy"),
        "follow/rewind": conninfo(engine, "rewind", user="rdsadmin", database="postgres"),
        "follow/readable": "yes" if source.readable else "no",
    }


def admission(engine: Engine) -> str:
    """Lines of ``pg_hba.conf`` for exactly the followers; they come before all others."""
    lines = [
        f"hostssl {database} {user} {address}/128 scram-sha-256\n"
        for address in engine.peers.addresses
        for database, user in (("replication", USER), ("postgres", "rdsadmin"))
    ]
    return "".join(lines)


def setup(engine: Engine) -> list[str]:
    """What is said to a source at each `apply`, as rdsadmin; said twice, it changes nothing."""
    if not engine.peers.verifier:
        return []
    make = f"CREATE ROLE {USER} LOGIN REPLICATION"
    return [
        f"SELECT '{make}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{USER}') \\gexec",
        *(
            f"SELECT 'ALTER ROLE {role} PASSWORD ''{engine.peers.verifier}''' WHERE NOT EXISTS "
            f"(SELECT FROM pg_authid WHERE rolname = '{role}' AND rolpassword = '{engine.peers.verifier}') \\gexec"
            for role in (USER, "rdsadmin")
        ),
    ]
