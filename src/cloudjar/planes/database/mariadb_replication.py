"""What MariaDB is told so that engines follow each other, as texts (pure).

They follow by global transaction identifiers. Who follows comes as ``rdsrepladmin`` from the one address of its link,
over TLS to the name in the source's certificate, with a password. A standby acknowledges what it has received
(semi-synchronous replication) before the source's storage engine commits (``AFTER_SYNC``): nobody sees what it has
not. The source waits as long as it takes: only the host says that it goes on alone.
https://mariadb.com/kb/en/semisynchronous-replication/
https://mariadb.com/kb/en/gtid/
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudjar.planes.database.port import Engine

USER = "rdsrepladmin"
_AUTHORITY = "/database/conf/authority.crt"
_YEAR_MS = 31_536_000_000
"""A limit that the engine wants for its waiting."""


def server_id(machine: str) -> int:
    """The number of an engine in transactions' identifiers: from the machine's name, never 0."""
    return int.from_bytes(hashlib.sha256(machine.encode()).digest()[:4], "big") or 1


def settings(engine: Engine) -> dict[str, str]:
    """What the configuration file says of it; nobody else decides any of this."""
    source, waits = engine.source, _waits(engine)
    standby = source is not None and not source.readable
    said = {
        "server_id": str(server_id(engine.machine)),
        "log_bin": "/database/data/mysql-bin-changelog",
        "log_slave_updates": "ON",
        "relay_log": "/database/data/relay-bin",
        "relay_log_recovery": "OFF",
        "gtid_strict_mode": "ON",
        "read_only": "OFF" if _takes_writes(engine) else "ON",
        # What a standby has received and not yet done is thrown away when it begins to follow: the host knows when.
        "skip_slave_start": "ON" if source is None or standby else "OFF",
        "master_retry_count": "0",
        "slave_net_timeout": "10",
        "rpl_semi_sync_slave_enabled": "ON" if standby else "OFF",
        "rpl_semi_sync_master_enabled": "ON" if waits else "OFF",
        "rpl_semi_sync_master_timeout": str(_YEAR_MS),
        "rpl_semi_sync_master_wait_point": "AFTER_SYNC",
        "rpl_semi_sync_master_wait_no_slave": "ON",
    }
    if source is not None:
        said["event_scheduler"] = "OFF"
    return said


def first(engine: Engine) -> str:
    """What an engine that runs is told before all else: nothing that it is told later may wait for who is gone."""
    return "" if _waits(engine) else "SET GLOBAL rpl_semi_sync_master_enabled = OFF;\n"


def last(engine: Engine) -> str:
    """What one that follows nobody is told in the end."""
    said = "SET GLOBAL rpl_semi_sync_slave_enabled = OFF;\n"
    # Turned on, it waits for what is being committed, a while; later commits of others are refused.
    said += "" if _takes_writes(engine) else "SET SESSION lock_wait_timeout = 20;\n"
    said += f"SET GLOBAL read_only = {'OFF' if _takes_writes(engine) else 'ON'};\n"
    if not _waits(engine):
        return said
    return said + (
        f"SET GLOBAL rpl_semi_sync_master_timeout = {_YEAR_MS};\n"
        "SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC';\n"
        "SET GLOBAL rpl_semi_sync_master_wait_no_slave = ON;\n"
        "SET GLOBAL rpl_semi_sync_master_enabled = ON;\n"
    )


def _takes_writes(engine: Engine) -> bool:
    return engine.source is None and not engine.closed and not engine.read_only


def _waits(engine: Engine) -> bool:
    return bool(engine.peers.waits_for)


def paired(engine: Engine) -> str:
    """What the first process must know: ``standby``, ``yes`` of one that has a standby, or ``no``."""
    if engine.source is not None:
        return "no\n" if engine.source.readable else "standby\n"
    return "yes\n" if _waits(engine) else "no\n"


def peers(engine: Engine) -> str:
    """Users for exactly the followers, each from its own address; none of it goes to other engines."""
    told = engine.peers if engine.peers.verifier else None
    hosts = [f"'{address}'" for address in (told.addresses if told else ())]
    known = ", ".join(hosts) or "''"
    strangers = f"User = '{USER}' AND Host NOT IN ({known})"
    said = [
        "SET SESSION sql_log_bin = 0;",
        f"SET @gone = (SELECT GROUP_CONCAT(QUOTE(User), '@', QUOTE(Host)) FROM mysql.global_priv WHERE {strangers});",
        "EXECUTE IMMEDIATE IF(@gone IS NULL, 'DO 0', CONCAT('DROP USER ', @gone));",
    ]
    for host in hosts:
        proof = f"IDENTIFIED VIA mysql_native_password USING '{engine.peers.verifier}' REQUIRE SSL"
        said.append(f"CREATE OR REPLACE USER '{USER}'@{host} {proof};")
        said.append(f"GRANT REPLICATION SLAVE ON *.* TO '{USER}'@{host};")
    return "\n".join(said) + "\n"


def files(engine: Engine) -> dict[str, str]:
    """Further files for the machine of an engine that follows."""
    source = engine.source
    assert source is not None
    password = source.password.replace("\\", "\\\\").replace("'", "''")
    return {
        "conf/authority.crt": source.authority,
        "hosts": f"{source.address} {source.name} # source\n",
        "follow.sql": (
            f"CHANGE MASTER TO MASTER_HOST = '{source.name}', MASTER_PORT = {source.port}, MASTER_USER = '{USER}', "
            f"MASTER_PASSWORD = '{password}', MASTER_SSL = 1, MASTER_SSL_CA = '{_AUTHORITY}', "
            "MASTER_SSL_VERIFY_SERVER_CERT = 1, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 2, "
            "MASTER_USE_GTID = slave_pos;\n"
        ),
        "kind": "readable\n" if source.readable else "standby\n",
    }
