"""What can run here: releases of engines, and what the image of each is made of.

A release is a major version as a distribution has it (``15``: Debian keeps it safe, and says which minor it is), or
one version that a registry has (``17.10``). Every release of a major lies on the same distribution: what an engine
wrote under one C library's order of words, it would not find again under another's.
"""

from __future__ import annotations

import platform
from typing import NamedTuple

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.recipes import RECIPES, Recipe
from cloudjar.spec.database_pins import PINS, Pin

_BOOKWORM = RECIPES["debian-12"]
_TRIXIE = msgspec.structs.replace(
    _BOOKWORM,
    key="debian-13",
    title="Debian 13 (trixie)",
    release="trixie",
    probe="dists/trixie/InRelease",
    suites=("trixie", "trixie-updates", "trixie-security"),
)


class Release(NamedTuple):
    """A release. `package` is the distribution's whose version is the engine's; `pin` is where else the engine is."""

    kind: str
    name: str
    base: Recipe
    packages: tuple[str, ...]
    package: str
    server: str
    """Where in the image the engine's programs are."""
    client: str
    pin: Pin | None = None


def _postgres(base: Recipe, major: str, pin: Pin | None = None) -> Release:
    """The distribution's, or a pinned one beside it, whose clients and everything else are the distribution's."""
    packages = (f"postgresql-{major}", f"postgresql-client-{major}", "locales", "iproute2", "libpam-script")
    client = f"/usr/lib/postgresql/{major}/bin"
    if pin is None:
        return Release("postgres", major, base, packages, packages[0], client, client)
    return Release("postgres", pin.version, base, packages, "", f"/opt/postgresql-{pin.version}/bin", client, pin)


def _pinned_postgres(pin: Pin) -> Release:
    old = int(pin.version.partition(".")[0]) <= 15
    return _postgres(_BOOKWORM, "15", pin) if old else _postgres(_TRIXIE, "17", pin)


def _debian_mariadb(base: Recipe, major: str) -> Release:
    packages = ("mariadb-server", "mariadb-client", "mariadb-backup", "iproute2")
    return Release("mariadb", major, base, packages, packages[0], "/usr/sbin", "/usr/bin")


def _debian_pgbouncer(base: Recipe, name: str) -> Release:
    packages = ("pgbouncer", "iproute2", "libpam-script")
    return Release("pgbouncer", name, base, packages, packages[0], "/usr/sbin", "/usr/bin")


RELEASES: dict[tuple[str, str], Release] = {
    (one.kind, one.name): one
    for one in (
        _postgres(_BOOKWORM, "15"),
        _postgres(_TRIXIE, "17"),
        _debian_mariadb(_BOOKWORM, "10.11"),
        _debian_mariadb(_TRIXIE, "11.8"),
        _debian_pgbouncer(_TRIXIE, "13"),
        *(_pinned_postgres(pin) for pin in PINS.values() if pin.engine == "postgres"),
    )
}
"""By (kind, name)."""


def can_fetch() -> bool:
    """Whether pinned programs run on processors like this one."""
    return platform.machine() == "x86_64"


def need(kind: str, name: str) -> Release:
    """A release. Raises `PlaneError`."""
    found = RELEASES.get((kind, name))
    if found is None:
        raise PlaneError(f"there is no engine {kind} {name} on this host")
    if found.pin is not None and not can_fetch():
        raise PlaneError(f"{kind} {name} is not to be had for {platform.machine()}")
    return found
