"""What the product asks of the database plane: engines inside machines of the compute plane.

A machine is made, started, stopped and removed by the compute plane, of an image that `prepare` gives; its volume
holds the data. What is in the machine, an engine that obeys these settings, is this port's.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from cloudjar.planes.database.replication import Peers, Source

KEPT = "database"
"""Where in a guest's volume the data lie is the plane's own; a snapshot of the volume has them all."""


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an engine must be; equal values make equal engines."""

    machine: str
    kind: str
    """``postgres`` or ``mariadb``."""
    major: str
    """``15``."""
    release: str = ""
    """What runs, as `DatabasePort.prepare` calls it; empty: the distribution's of that major."""
    port: int
    master: str
    """The name of the master user."""
    verifier: str = ""
    """What the engine keeps of the master's password (`postgres.scram`); empty: as it is."""
    database: str = ""
    """A database that is there from the beginning; empty: none but the engine's own."""
    certificate: str
    """Certificate and chain, PEM."""
    key: str
    settings: tuple[tuple[str, str], ...] = ()
    """Parameters by the engine's own names, with values as its configuration file has them."""
    needs_tls: bool = True
    peers: Peers = Peers()
    """Engines that may follow this one."""
    audit: tuple[tuple[str, str], ...] = ()
    """What MariaDB's audit plugin is told, by its own names; empty: it is not loaded."""
    source: Source | None = None
    """The engine that this one follows; None: it takes writes."""
    closed: bool = False
    """Nobody comes in but the host and who follows (`fencing`); MariaDB answers questions all the same."""
    read_only: bool = False
    """Everybody may ask, and nobody write."""


class DatabasePort(Protocol):
    """Engines by machine. Calls are idempotent and blocking; failures raise `PlaneError`."""

    name: str
    """``sim`` or ``guests``."""

    def version(self, kind: str, release: str, /) -> str:
        """The version of a release that would run here (``15.18``), as far as is known; else "". A release is a major
        as the distribution has it (``15``), or one of a pinned version (``17.10``): `releases`."""
        ...

    def fetches(self) -> bool:
        """Whether pinned versions are to be had for machines like this one."""
        ...

    def prepare(self, kind: str, release: str, /) -> str:
        """Build the engine's image unless it is cached (a minute); the compute plane's key of it."""
        ...

    def apply(self, engine: Engine) -> None:
        """Make the running machine's engine exactly this, and wait until it takes connections. Data are made at the
        first time. Settings that an engine reads only when it starts wait for its next start."""
        ...

    def leave(self, machine: str, kind: str, /) -> str:
        """In a running machine whose engine was not started since its boot: have the data ready for a later major, if
        they are not. Returns "" or why they cannot be taken along."""
        ...

    def arrive(self, machine: str, kind: str, /) -> str:
        """Likewise, once the machine runs the later major's image: take over what `leave` left, if it was not yet.
        Returns "" or why that failed; PostgreSQL's data are then still the old ones."""
        ...

    def accepts(self, machine: str) -> bool:
        """Whether the engine in a machine takes connections now."""
        ...
