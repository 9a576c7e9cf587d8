"""What the product asks of the database plane: engines inside machines of the compute plane.

A machine is made, started, stopped and removed by the compute plane, of an image that `prepare` gives; its volume
holds the data. What is in the machine, an engine that obeys these settings, is this port's.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

KEPT = "database"
"""Where in a guest's volume the data lie is the plane's own; a snapshot of the volume has them all."""


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an engine must be; equal values make equal engines."""

    machine: str
    kind: str
    """``postgres``."""
    major: str
    """``15``."""
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


class DatabasePort(Protocol):
    """Engines by machine. Calls are idempotent and blocking; failures raise `PlaneError`."""

    name: str
    """``sim`` or ``guests``."""

    def version(self, kind: str, major: str, /) -> str:
        """The version of a major that would run here (``15.18``), as far as is known; else ""."""
        ...

    def prepare(self, kind: str, major: str, /) -> str:
        """Build the engine's image unless it is cached (a minute); the compute plane's key of it."""
        ...

    def apply(self, engine: Engine) -> None:
        """Make the running machine's engine exactly this, and wait until it takes connections. Data are made at the
        first time. Settings that an engine reads only when it starts wait for its next start."""
        ...

    def accepts(self, machine: str) -> bool:
        """Whether the engine in a machine takes connections now."""
        ...
