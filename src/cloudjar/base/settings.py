"""What a jar is told when it is made; plain data, no I/O beyond the environment it is handed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

Planes = Literal["auto", "linux", "sim"]
Compute = Literal["container", "vm"]

DEFAULT_PORT = 4566
DEFAULT_ACCOUNT = "000000000000"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a jar lives, where it listens, and which hands it has."""

    home: Path
    """Data directory: database, audit journal, keys, certificates, machine images and disks."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    account: Annotated[str, msgspec.Meta(pattern=r"^\d{12}$")] = DEFAULT_ACCOUNT
    """The account of the root key ``test``."""
    region: str = "us-east-1"
    """Where a request without a region of its own is answered."""
    planes: Planes = "auto"
    """``linux`` makes real networks and machines, ``sim`` plays them in memory; ``auto`` is linux where root may."""
    compute: Compute = "container"
    """What an instance of a real plane is when its tag ``cloudjar:driver`` names nothing: a system container, or a
    virtual machine with a kernel of its own."""
    public_pool: str = "198.18.0.0/16"
    """Addresses of the jar's own Internet; never routed beyond this host."""
    tag: str = "cj"
    """Marks everything this jar puts on the host, so that several can share one."""
    durable: bool = True
    """Sync the disk before a write is answered."""
    throttle: bool = True
    """Refuse calls that come faster than AWS admits them; only tests that ask thousands of questions go without."""
    api_rate: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 1.0
    """How many times as fast as AWS calls are admitted; 0: however fast they come."""
    eventual_consistency: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    """Seconds of AWS time after which readers see what was written to IAM, 0 at once; None: as it was before."""
    smtp_port: Annotated[int, msgspec.Meta(ge=-1, le=65535)] | None = None
    """Where SES's SMTP endpoint listens: 0 picks a free port, -1 is nowhere; None is AWS's own 2587, when nobody else
    has it."""
    smtps_port: Annotated[int, msgspec.Meta(ge=-1, le=65535)] | None = None
    """The same for who speaks TLS from the first byte; AWS's own is 2465. Without the other there is none."""
    mail_relay: str = ""
    """``smtp://[user:password@]host[:port]``, or ``smtps``: e-mail goes there beside the mailbox; empty is nowhere."""
    hosts: tuple[str, ...] = ()
    """Further names for the TLS certificate."""


def from_environment(env: Mapping[str, str], *, is_root: bool) -> Settings:
    """Settings of the command line: CLOUDJAR_HOME, CLOUDJAR_PORT, ... over the defaults."""
    home = env.get("CLOUDJAR_HOME")
    if home is None:
        data = env.get("XDG_DATA_HOME") or str(Path(env.get("HOME", "/")) / ".local/share")
        home = "/var/lib/cloudjar" if is_root else f"{data}/cloudjar"
    given: dict[str, object] = {"home": home}
    named = (
        "host", "port", "account", "region", "planes", "compute", "public_pool", "tag", "eventual_consistency",
        "smtp_port", "smtps_port", "mail_relay", "api_rate",
    )  # fmt: skip
    for name in named:
        value = env.get(f"CLOUDJAR_{name.upper()}")
        if value is not None:
            given[name] = value
    return settled(given)


def settled(given: Mapping[str, object]) -> Settings:
    """Settings from plain values; raises `msgspec.ValidationError` on one that cannot be."""
    settings: Settings = msgspec.convert(given, Settings, strict=False, dec_hook=_path)
    return settings


def to_json(settings: Settings) -> bytes:
    """Settings as JSON."""
    return msgspec.json.encode(settings, enc_hook=str)


def from_json(text: bytes) -> Settings:
    """Settings as `to_json` wrote them; raises `msgspec.DecodeError`."""
    return msgspec.json.decode(text, type=Settings, dec_hook=_path)


def _path(wanted: type, value: object) -> object:
    return Path(str(value)) if wanted is Path else value


def is_loopback(host: str) -> bool:
    """True for the names and addresses on which default credentials are accepted."""
    return host in ("localhost", "::1") or host.startswith("127.")
