"""What is in an engine's tables, read out of a machine that was booted on a snapshot for nothing else.

Such a machine is in a network of nobody's: nothing leads into it or out of it, and the engine is asked at its socket.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from io import BufferedReader
from typing import Protocol

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its type in the engine's words, and what its values become (`forms`)."""

    name: str
    type: str
    form: str
    length: int = 0
    """Of text, as it was declared; 0 where it was not."""
    digits: int = 0
    fraction: int = 0
    """Of an instant: how many digits of its seconds."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table. `parts` is what it is read as, one after the other, in the engine's own words; `size` in bytes."""

    database: str
    schema: str
    name: str
    columns: tuple[Column, ...]
    parts: tuple[str, ...]
    size: int
    readable: bool = True
    """Whether the master may read it."""


class ReadingPort(Protocol):
    """Tables by machine. Blocking; failures raise `PlaneError`."""

    def lacks(self) -> str:
        """Why there is nothing to be read here; "" where there is."""
        ...

    def seclude(self, network: str, /) -> None:
        """Make the network of nobody's that a machine is to be in, unless it is there."""
        ...

    def dissolve(self, network: str, /) -> None:
        """Take it away."""
        ...

    def tables(self, machine: str, kind: str, port: int, master: str, /) -> list[Table]:
        """Everything that users made, by name."""
        ...

    def rows(
        self, machine: str, kind: str, port: int, table: Table, part: str, /
    ) -> AbstractContextManager[BufferedReader]:
        """A part's rows as CSV: every value in quotes but none for NULL; bytes as hexadecimal digits."""
        ...


def reading(compute: ComputePort) -> ReadingPort:
    """Who reads here."""
    if isinstance(compute, ContainerCompute):
        from cloudjar.planes.database.guest_reading import GuestReading

        return GuestReading(compute)
    return NoReading()


class NoReading:
    """Engines that are not there have no tables."""

    def lacks(self) -> str:
        return "Simulated machines have no engine whose tables could be read."

    def seclude(self, _: str) -> None:
        return None

    def dissolve(self, _: str) -> None:
        return None

    def tables(self, machine: str, _: str, __: int, ___: str) -> list[Table]:
        raise PlaneError(f"{machine} has no engine")

    def rows(
        self, machine: str, _: str, __: int, table: Table, ___: str
    ) -> AbstractContextManager[BufferedReader]:
        raise PlaneError(f"{machine} has no table {table.name}")
