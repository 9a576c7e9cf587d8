"""Root file systems from outside: a tar of one, or an image as OCI layouts and ``docker save`` write it.

Archives are not believed: nothing of one is written outside its folder, whatever its names and links say.

https://github.com/opencontainers/image-spec (layers, whiteouts)
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.process import find_tool, need_tool, run

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_INIT = ("sbin/init", "usr/sbin/init", "lib/systemd/systemd", "usr/lib/systemd/systemd")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def digest_of(archive: Path) -> str:
    """SHA-256 of a file, in hex digits."""
    try:
        with archive.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as unreadable:
        raise PlaneError(f"{archive} cannot be read: {unreadable.strerror}") from unreadable


def fetch(reference: str, archive: Path) -> None:
    """Write an image that this host's tools know, or can pull, as an OCI archive; raises `PlaneError`."""
    if skopeo := find_tool("skopeo"):
        source = reference if ":" in reference.partition("/")[0] else f"docker://{reference}"
        run([skopeo, "copy", source, f"oci-archive:{archive}"], timeout=1800, what=f"fetching {reference}")
        return
    podman = need_tool("podman", "skopeo (or podman)")
    run([podman, "pull", "--quiet", reference], timeout=1800, what=f"pulling {reference}")
    run([podman, "save", "--format", "oci-archive", "--output", str(archive), reference], timeout=1800)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into a new folder, as root; raises `PlaneError` for what is no bootable root file system."""
    if os.geteuid() != 0:
        raise PlaneError("a root file system has owners and devices, which only root can restore. Try: sudo")
    folder.mkdir(parents=True, mode=0o755)
    try:
        with tarfile.open(archive) as tar:
            layers = _layers(tar)
            if layers is None:
                _extract(tar, folder)
            for name in layers or ():
                with _member(tar, name) as blob, tarfile.open(fileobj=blob) as layer:
                    _extract(layer, folder)
    except (tarfile.TarError, OSError, EOFError, msgspec.DecodeError, KeyError) as bad:
        raise PlaneError(f"{archive} cannot be unpacked: {bad}") from bad
    check_tree(folder, str(archive))


def check_tree(folder: Path, archive: str) -> None:
    """A machine boots an init of its own and reads its settings; a container's usual image has neither."""
    if not (folder / "etc").is_dir():
        raise PlaneError(f"{archive} is no root file system: it has no /etc")
    if not any(os.path.lexists(folder / path) for path in _INIT):
        raise PlaneError(
            f"{archive} has no init to boot (/sbin/init). Try: an image with systemd; containers' images seldom have it"
        )


def _layers(tar: tarfile.TarFile) -> list[str] | None:
    """The names of an image's layers, lowest first; None for a plain tar of files."""
    names = {name.removeprefix("./") for name in tar.getnames()}
    if "manifest.json" in names:  # docker save
        return [str(name) for name in _json(tar, "manifest.json")[0]["Layers"]]
    if "oci-layout" not in names:
        return None
    manifest = _json(tar, "index.json")
    while "layers" not in manifest:
        manifest = _json(tar, _blob(_chosen(manifest["manifests"])["digest"]))
    return [_blob(layer["digest"]) for layer in manifest["layers"]]


def _chosen(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """Of an image for several architectures, this host's."""
    mine = _ARCHITECTURES.get(os.uname().machine, os.uname().machine)
    for one in manifests:
        if (one.get("platform") or {}).get("architecture", mine) == mine:
            return one
    raise PlaneError(f"the image is not for this host's architecture ({mine})")


def _blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/", 1)


def _json(tar: tarfile.TarFile, name: str) -> Any:
    with _member(tar, name) as file:
        return msgspec.json.decode(file.read())


@contextlib.contextmanager
def _member(tar: tarfile.TarFile, name: str) -> Iterator[Any]:
    """A file inside an archive, open."""
    for spelled in (name, f"./{name}"):
        with contextlib.suppress(KeyError):
            file = tar.extractfile(spelled)
            if file is not None:
                with file:
                    yield file
                return
    raise PlaneError(f"the image lacks its part {name}")


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    """One layer over what is there: files replace files, whiteouts remove."""
    root = folder.resolve()
    later: list[tuple[tarfile.TarInfo, Path]] = []
    for member in tar:
        parts = [part for part in PurePosixPath(member.name).parts if part not in ("/", ".")]
        if not parts:
            continue
        if ".." in parts:
            raise PlaneError(f"the archive names a place outside of itself: {member.name}")
        place = root.joinpath(*parts)
        # A link that an earlier member has made may lead anywhere: nothing is written through one that leads out.
        if not place.parent.resolve().is_relative_to(root):
            raise PlaneError(f"the archive writes through a link that leads outside: {member.name}")
        if parts[-1].startswith(_WHITEOUT):
            _white_out(place)
        else:
            _one(tar, member, place.parent.resolve() / place.name, root)
            if member.isdir():
                later.append((member, place))
    for member, place in reversed(later):  # a folder's time changes with what is put into it
        if place.is_dir() and not place.is_symlink():
            os.utime(place, (member.mtime, member.mtime))


def _white_out(place: Path) -> None:
    if place.name == _OPAQUE:
        for entry in list(place.parent.iterdir()) if place.parent.is_dir() else ():
            _remove(entry)
    else:
        _remove(place.with_name(place.name.removeprefix(_WHITEOUT)))


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _one(tar: tarfile.TarFile, member: tarfile.TarInfo, place: Path, root: Path) -> None:
    """Put one member exactly there, with its owner by number and its mode, in place of what is there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        if place.is_symlink() and place.is_dir() and place.resolve().is_relative_to(root):
            return  # /lib is a link on merged systems, whatever a layer says
        if not place.is_dir() or place.is_symlink():
            _remove(place)
            place.mkdir()
    else:
        _remove(place)
        _make(tar, member, place, root)
    os.chown(place, member.uid, member.gid, follow_symlinks=False)
    if not member.issym():
        place.chmod(member.mode & 0o7777)
        if not member.isdir():
            os.utime(place, (member.mtime, member.mtime))


def _make(tar: tarfile.TarFile, member: tarfile.TarInfo, place: Path, root: Path) -> None:
    if member.issym():
        place.symlink_to(member.linkname)
    elif member.islnk():
        parts = [part for part in PurePosixPath(member.linkname).parts if part not in ("/", ".", "..")]
        target = root.joinpath(*parts)
        if not target.parent.resolve().is_relative_to(root):
            raise PlaneError(f"the archive links to a place outside of itself: {member.linkname}")
        os.link(target.parent.resolve() / target.name, place, follow_symlinks=False)
    elif member.isfile():
        source = tar.extractfile(member)
        assert source is not None
        with source, place.open("xb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
    elif member.isfifo():
        os.mkfifo(place)
    elif member.ischr() or member.isblk():
        place.touch()  # a machine's /dev is its own: nodes in an image are never opened
