"""What makes a machine itself: names, machine id, host keys, resolver; written to its disk before it boots.

The writer treats the disk as hostile: a guest may have left symbolic links anywhere, and this runs as root
outside, so no path component is ever followed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cloudjar.planes.compute.port import MachineSpec


class SeedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the root file system; `keep` leaves what is there (the guest owns it after its first boot)."""

    path: str
    content: bytes
    mode: int = 0o644
    keep: bool = True


_TIME = "etc/systemd/timesyncd.conf.d/dhcp.conf"
"""What DHCP says of time servers, for the guest's own time service to obey."""
_AUTHORITY = "usr/local/share/ca-certificates/cloudjar.crt"
"""Where `update-ca-certificates` looks for what an administrator trusts; the image's own unit is quicker."""


def machine_id(instance_id: str) -> str:
    """The 32 hex digits of ``/etc/machine-id``: the same for the same instance, whatever happens to its disk."""
    return hashlib.sha256(f"cloudjar machine {instance_id}".encode()).hexdigest()[:32]


def seed_files(spec: MachineSpec, *, born_again: bool = False, authority: Path | None = None) -> list[SeedFile]:
    """Everything to write before a boot, host keys excepted; `born_again`: the disk was another machine's;
    `authority`: where the certificate lies of whom the machine is to believe (PEM), if it does."""
    keep = not born_again
    seeds = [
        SeedFile(path="etc/hostname", content=f"{spec.hostname}\n".encode(), keep=keep),
        SeedFile(path="etc/hosts", content=_hosts(spec.hostname), keep=keep),
        SeedFile(path="etc/machine-id", content=f"{machine_id(spec.id)}\n".encode(), mode=0o444, keep=keep),
    ]
    if authority and authority.exists():
        seeds.append(SeedFile(path=_AUTHORITY, content=authority.read_bytes(), keep=False))
    return [*seeds, *lease_files(spec)]


def lease_files(spec: MachineSpec) -> list[SeedFile]:
    """What DHCP says of names and time, as files of the guest (pure)."""
    seeds: list[SeedFile] = []
    if spec.resolver or spec.domain or spec.time_servers:
        search = f"search {spec.domain}\n" if spec.domain else ""
        servers = "".join(f"nameserver {address}\n" for address in (spec.resolver, *spec.fallbacks) if address)
        content = f"{search}{servers}options timeout:2 attempts:3\n".encode()
        seeds.append(SeedFile(path="etc/resolv.conf", content=content, keep=False))
        named = f"NTP={' '.join(spec.time_servers)}\n" if spec.time_servers else ""
        seeds.append(SeedFile(path=_TIME, content=f"[Time]\n{named}".encode(), keep=False))
    return seeds


def host_keys(comment: str, *, born_again: bool = False) -> list[SeedFile]:
    """Fresh SSH host keys (Ed25519 and ECDSA; RSA would cost a fifth of a second of CPU per launch)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    seeds: list[SeedFile] = []
    keys: list[tuple[str, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey]] = [
        ("ed25519", ed25519.Ed25519PrivateKey.generate()),
        ("ecdsa", ec.generate_private_key(ec.SECP256R1())),
    ]
    for name, key in keys:
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        path = f"etc/ssh/ssh_host_{name}_key"
        seeds.append(SeedFile(path=path, content=private, mode=0o600, keep=not born_again))
        seeds.append(SeedFile(path=f"{path}.pub", content=public + f" root@{comment}\n".encode(), keep=not born_again))
    return seeds


def plant(upper: Path, seeds: list[SeedFile], owner: int = 0) -> None:
    """Write `seeds` below `upper`, following no link; what cannot be written safely is the guest's own business.

    They belong to `owner`, the host's id of the guest's root.
    """
    for seed in seeds:
        with _folder(upper, seed.path.split("/")[:-1], owner) as folder:
            if folder is not None:
                _plant_one(folder, seed, owner)


def has(upper: Path, path: str) -> bool:
    """Whether the disk already has `path` as its own regular file."""
    with _folder(upper, path.split("/")[:-1], None) as folder:
        return folder is not None and _is_file(folder, path.rsplit("/", 1)[-1])


@contextlib.contextmanager
def _folder(upper: Path, parts: list[str], owner: int | None) -> Iterator[int | None]:
    """The open folder, made for `owner` where it is not there; without an owner nothing is made."""
    here: int | None = os.open(upper, os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for part in parts:
            assert here is not None
            if owner is not None:
                _make_folder(here, part, owner)
            below: int | None = None
            with contextlib.suppress(OSError):  # a link or a file where a folder belongs
                below = os.open(part, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
            if here is None:
                break
        yield here
    finally:
        if here is not None:
            os.close(here)


def _make_folder(here: int, name: str, owner: int) -> None:
    """A folder of the guest's root; one that the host's root has (no guest can make such) is given to it."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o755, dir_fd=here)
    found = os.stat(name, dir_fd=here, follow_symlinks=False)
    if found.st_uid == 0 and owner and stat.S_ISDIR(found.st_mode):
        os.chown(name, owner, owner, dir_fd=here, follow_symlinks=False)


def _is_file(folder: int, name: str) -> bool:
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return False
    return stat.S_ISREG(mode)


def _plant_one(folder: int, seed: SeedFile, owner: int) -> None:
    name = seed.path.rsplit("/", 1)[-1]
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        mode = 0
    # A link was put there by the guest on purpose (systemd-resolved does): it stays.
    if stat.S_ISLNK(mode) or (mode and seed.keep) or stat.S_ISDIR(mode):
        return
    part = f".{name}.cloudjar"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    out = os.open(part, flags, seed.mode, dir_fd=folder)
    with os.fdopen(out, "wb") as file:
        os.fchown(out, owner, owner)
        os.fchmod(out, seed.mode)
        file.write(seed.content)
    os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)


def _hosts(hostname: str) -> bytes:
    return (
        "127.0.0.1\tlocalhost\n"
        f"127.0.1.1\t{hostname}\n"
        "::1\tip6-localhost ip6-loopback\n"
        "fe00::0\tip6-localnet\n"
        "ff02::1\tip6-allnodes\n"
        "ff02::2\tip6-allrouters\n"
    ).encode()
