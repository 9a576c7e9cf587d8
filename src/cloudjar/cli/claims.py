"""Which jar has which mark and which public addresses on this host: two jars must not sweep each other's machines."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cloudjar.base.settings import Settings
from cloudjar.cli.screen import Failure

CLAIMS = Path("/run/cloudjar/jars")
"""One small file per jar with real planes; the folder is empty after a boot, as the host itself is then."""


class Claim(msgspec.Struct, frozen=True):
    """What a jar has on the host."""

    home: str
    tag: str
    pool: str


def claim(settings: Settings, folder: Path = CLAIMS) -> None:
    """Take the mark and the pool for this home; raises `Failure` when another home has either."""
    if settings.planes != "linux":
        return
    mine = Claim(str(settings.home), settings.tag, settings.public_pool)
    with _locked(folder):
        for other in _claims(folder):
            if other.home != mine.home:
                _compare(mine, other)
        (folder / f"{mine.tag}.json").write_bytes(msgspec.json.encode(mine))


def give_back(settings: Settings, folder: Path = CLAIMS) -> None:
    """Nothing of this home is on the host any more."""
    if not folder.is_dir():
        return
    with _locked(folder):
        for other in _claims(folder):
            if other.home == str(settings.home):
                (folder / f"{other.tag}.json").unlink(missing_ok=True)


def _compare(mine: Claim, other: Claim) -> None:
    down = f"cloudjar down --home {other.home}"
    if mine.tag == other.tag:
        raise Failure(f"the jar in {other.home} already marks its things on this host with {other.tag!r}",
                      "two jars with one mark would remove each other's machines",
                      f"cloudjar up --tag another --public-pool 198.19.0.0/16, or {down}")  # fmt: skip
    try:
        overlap = ipaddress.ip_network(mine.pool).overlaps(ipaddress.ip_network(other.pool))
    except (ValueError, TypeError) as wrong:
        raise Failure("the public pool is no IPv4 network", str(wrong), "--public-pool 198.18.0.0/16") from None
    if overlap:
        raise Failure(f"the jar in {other.home} already has public addresses of {other.pool}",
                      "an address can lead to one of them only",
                      f"cloudjar up --public-pool 198.19.0.0/16, or {down}")  # fmt: skip


def _claims(folder: Path) -> list[Claim]:
    found = []
    for file in sorted(folder.glob("*.json")):
        with contextlib.suppress(msgspec.DecodeError):
            found.append(msgspec.json.decode(file.read_bytes(), type=Claim))
    return found


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
