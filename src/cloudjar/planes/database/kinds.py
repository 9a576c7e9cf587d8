"""The kinds of engines that there are: what each has in its guest, and how it is told what to be.

Another engine is a module like `postgres` or `mariadb`, and a line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from cloudjar.base.errors import PlaneError
from cloudjar.planes.database import (
    mariadb,
    mariadb_scripts,
    mariadb_upgrade,
    pooler_scripts,
    postgres,
    postgres_scripts,
    postgres_upgrade,
    tokens,
)
from cloudjar.planes.database.port import Engine

TOOLS = "usr/libexec/cloudjar"
"""Where in a guest the scripts are that the host calls."""


class Kind(NamedTuple):
    """An engine."""

    name: str
    users: tuple[str, ...]
    """Users that its guest must have, the one first whom the engine runs as."""
    init: str
    """The guest's first process."""
    tools: Mapping[str, str]
    """Scripts by name, in `TOOLS`. ``apply PORT`` reads an archive and makes the engine so; ``accepts`` ends with 0
    while the engine takes connections; ``leave`` and ``arrive`` are the two halves of an upgrade."""
    archive: Callable[[Engine], bytes]
    """What ``apply`` reads."""
    verifier: Callable[[str, bytes], str]
    """(password, 16 bytes of salt) -> what the engine keeps of a password."""
    bake: str = ""
    """What is done once in a finished image, whose folder is the argument."""


def _no_engine(engine: Engine) -> bytes:
    raise PlaneError(f"{engine.machine} has no engine")


KINDS: dict[str, Kind] = {
    "postgres": Kind(
        "postgres", ("postgres",), postgres_scripts.INIT,
        {**postgres_scripts.TOOLS, **postgres_upgrade.TOOLS, **tokens.TOOLS},
        postgres.archive, postgres.scram, tokens.BAKE,
    ),
    "mariadb": Kind(
        "mariadb", ("mysql", "rdsadmin"), mariadb_scripts.INIT, {**mariadb_scripts.TOOLS, **mariadb_upgrade.TOOLS},
        mariadb.archive, mariadb.native, mariadb_scripts.BAKE,
    ),
    # No engine, but what stands before one (`pooler`): it is told otherwise.
    "pgbouncer": Kind(
        "pgbouncer", ("pgbouncer",), pooler_scripts.INIT, pooler_scripts.TOOLS,
        _no_engine, postgres.scram, pooler_scripts.BAKE,
    ),
}


def of(name: str) -> Kind:
    """A kind by its name. Raises `PlaneError`."""
    if name not in KINDS:
        raise PlaneError(f"there is no engine {name} on this host")
    return KINDS[name]


def verifier(kind: str, password: str, salt: bytes) -> str:
    """What an engine keeps of a password. `salt` has 16 bytes."""
    return of(kind).verifier(password, salt)
