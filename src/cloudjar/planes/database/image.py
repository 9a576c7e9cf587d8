"""The images of engines: a Debian with one engine in it and nothing else that runs.

They lie in the image cache beside those of machines, under a key that follows from everything that decides what
they become. The first process is a script (`INIT`): a guest that is one service needs no service manager, and starts
at once.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.images import CACHE, ImageStore
from cloudjar.planes.compute.process import need_tool, standard_input
from cloudjar.planes.compute.recipes import (
    RECIPES,
    apt_lines,
    carried_options,
    is_host_only,
    parse_apt_sources,
)
from cloudjar.planes.database import scripts

BUILD_SECONDS = 1800
PACKAGES = {
    ("postgres", "15"): ("postgresql-15", "postgresql-client-15", "locales", "iproute2"),
}
"""By (kind, major): what Debian 12 has. Beside the engine, its client, which sets it up, and a tool to see ports."""


def digest(kind: str, major: str) -> str:
    """Hex digits that follow from what an image is made of."""
    parts = [platform.machine(), kind, major, *PACKAGES[kind, major], scripts.INIT, scripts.APPLY, _FINISH]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def prepared(store: ImageStore, kind: str, major: str) -> str:
    """The key of an engine's image, built when it is not there. Raises `PlaneError`."""
    if (kind, major) not in PACKAGES:
        raise PlaneError(f"there is no engine {kind} {major} on this host")
    return store.adopt(digest(kind, major), _builder(kind, major))


def installed(kind: str, major: str, folder: Path = CACHE) -> str:
    """The engine's version in a built image (``15.18``), or ""."""
    status = folder / f"import-{digest(kind, major)[:12]}" / "var/lib/dpkg/status"
    try:
        text = status.read_text(errors="replace")
    except OSError:
        return ""
    package = PACKAGES[kind, major][0]
    found = re.search(rf"^Package: {re.escape(package)}\n(?:.+\n)*?Version: (?:\d+:)?([0-9.]+)", text, re.MULTILINE)
    return found[1] if found else ""


_FINISH = """set -eu
mkdir -p "$1/usr/libexec/cloudjar"
localedef --prefix "$1" -i en_US -f UTF-8 en_US.UTF-8 2>/dev/null ||
    chroot "$1" localedef -i en_US -f UTF-8 en_US.UTF-8
rm -rf "$1/var/cache/apt" "$1/var/lib/apt/lists" "$1/usr/share/doc-base" "$1/var/lib/postgresql" "$1/etc/postgresql"
mkdir -p "$1/var/cache/apt" "$1/var/lib/apt/lists" "$1/var/lib/containers" "$1/var/lib/docker" "$1/var/lib/containerd"
ln -sfn /var/lib/containers "$1/database"
: > "$1/etc/machine-id"
rm -f "$1/etc/hostname" "$1/etc/resolv.conf"
"""


def _builder(kind: str, major: str) -> Callable[[Path], None]:
    def fill(root: Path) -> None:
        _debian(root, PACKAGES[kind, major])
        _finish(root)

    return fill


def _debian(root: Path, packages: tuple[str, ...]) -> None:
    """A minimal Debian with these packages, from the mirrors that this host uses."""
    recipe = RECIPES["debian-12"]
    options = carried_options(_apt_config())
    argv = [need_tool("mmdebstrap", "mmdebstrap"), "--mode=root", "--format=directory", "--variant=minbase"]
    argv += ["--skip=check/empty", f"--include={','.join(packages)}", f"--keyring={recipe.keyring}"]
    argv += ["--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*"]
    argv += ["--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    argv += ['--aptopt=Acquire::Languages "none"', *(f"--aptopt={option}" for option in options)]
    # Debian's package would make a cluster of its own.
    no_cluster = 'mkdir -p "$1/etc/postgresql-common"; echo create_main_cluster=false > "$1/etc/postgresql-common/'
    argv += [f'--essential-hook={no_cluster}createcluster.conf"']
    if any(is_host_only(option) for option in options):
        argv += ['--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"']
    _watched([*argv, recipe.release, str(root), *apt_lines(recipe, _host_sources())])


def _finish(root: Path) -> None:
    _watched(["/bin/sh", "-ec", _FINISH, "finish", str(root)])
    for name, text in (("usr/sbin/init", scripts.INIT), ("usr/libexec/cloudjar/apply", scripts.APPLY)):
        (root / name).write_text(text)
        (root / name).chmod(0o755)


def _watched(argv: list[str]) -> None:
    env = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            argv, stdin=standard_input(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
            timeout=BUILD_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as failed:
        raise PlaneError(f"an engine's image could not be built: {failed}") from failed
    if done.returncode:
        last = done.stdout.decode("utf-8", "replace").strip().splitlines()[-8:]
        raise PlaneError(f"an engine's image could not be built ({done.returncode}): " + " | ".join(last))


def _apt_config() -> str:
    done = subprocess.run(["apt-config", "dump"], capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace")


def _host_sources() -> dict[str, str]:
    one_line: list[str] = []
    deb822: list[str] = []
    for file in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        if file.is_file() and file.suffix in (".list", ".sources"):
            (deb822 if file.suffix == ".sources" else one_line).append(file.read_text(errors="replace"))
    return parse_apt_sources("\n".join(one_line), "\n\n".join(deb822))
