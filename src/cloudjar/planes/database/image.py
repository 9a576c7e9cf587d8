"""The images of engines: a Debian with one engine in it and nothing else that runs.

They lie in the image cache beside those of machines, under a key that follows from everything that decides what
they become. The first process is a script: a guest that is one service needs no service manager, and starts at once.
What the distribution gives is an image of its own, of which those of several releases are links: a changed script
costs a second, not the minute that a distribution takes.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.images import CACHE, ImageStore
from cloudjar.planes.compute.process import need_tool, standard_input
from cloudjar.planes.compute.recipes import Recipe, apt_lines, carried_options, is_host_only, parse_apt_sources
from cloudjar.planes.database import kinds, npm, releases
from cloudjar.planes.database.releases import Release

BUILD_SECONDS = 1800
_SHORT = 12


def digest(kind: str, release: str) -> str:
    """Hex digits that follow from what a release's image is made of."""
    one, engine = releases.need(kind, release), kinds.of(kind)
    parts = [_base_digest(one), one.server, one.client, one.pin.integrity if one.pin else ""]
    parts += [engine.init, engine.bake, _LINKS]
    parts += [f"{name}\n{text}" for name, text in sorted(engine.tools.items())]
    return _digest(parts)


def prepared(store: ImageStore, kind: str, release: str) -> str:
    """The key of a release's image, built when it is not there. Raises `PlaneError`."""
    one = releases.need(kind, release)
    key = digest(kind, release)
    if not store.path(f"import-{key[:_SHORT]}").is_dir():
        base = store.path(store.adopt(_base_digest(one), lambda root: _fill_base(one, root)))
        return store.adopt(key, lambda root: _fill(one, base, root))
    return store.adopt(key, lambda root: None)


def installed(kind: str, release: str, folder: Path = CACHE) -> str:
    """The engine's version in a built image (``15.18``), or "" if there is none yet."""
    one = releases.need(kind, release)
    if one.pin is not None:
        return one.pin.version
    status = folder / f"import-{digest(kind, release)[:_SHORT]}" / "var/lib/dpkg/status"
    try:
        text = status.read_text(errors="replace")
    except OSError:
        return ""
    found = re.search(
        rf"^Package: {re.escape(one.package)}\n(?:.+\n)*?Version: (?:\d+:)?([0-9.]+)", text, re.MULTILINE
    )
    return found[1] if found else ""


_FINISH = """set -eu
mkdir -p "$1/usr/libexec/cloudjar"
if [ -x "$1/usr/bin/localedef" ] && [ -d "$1/usr/share/i18n" ]; then
    chroot "$1" localedef -i en_US -f UTF-8 en_US.UTF-8
fi
for user in $2; do
    chroot "$1" getent passwd "$user" >/dev/null ||
        chroot "$1" useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /bin/sh "$user"
done
rm -rf "$1/var/cache/apt" "$1/var/lib/apt/lists" "$1/usr/share/doc-base" "$1/var/lib/postgresql" "$1/etc/postgresql" \\
    "$1/var/lib/mysql"
mkdir -p "$1/var/cache/apt" "$1/var/lib/apt/lists" "$1/var/lib/containers" "$1/var/lib/docker" "$1/var/lib/containerd"
ln -sfn /var/lib/containers "$1/database"
: > "$1/etc/machine-id"
rm -f "$1/etc/hostname" "$1/etc/resolv.conf"
"""
_LINKS = """set -eu
cp -al "$1/." "$2/"
mkdir -p "$2/usr/lib/engine"
ln -sfn "$3" "$2/usr/lib/engine/server"
ln -sfn "$4" "$2/usr/lib/engine/client"
"""
"""A base's files, and where the engine's programs are. Nothing that is linked is ever written to: it is replaced."""


def _base_digest(one: Release) -> str:
    recipe = one.base
    users = kinds.of(one.kind).users
    return _digest([platform.machine(), recipe.release, *recipe.suites, *one.packages, *users, _FINISH])


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _fill_base(one: Release, root: Path) -> None:
    _debian(root, one.base, one.packages)
    _watched(["/bin/sh", "-ec", _FINISH, "finish", str(root), " ".join(kinds.of(one.kind).users)])


def _fill(one: Release, base: Path, root: Path) -> None:
    """A base with one engine's programs and scripts."""
    engine = kinds.of(one.kind)
    _watched(["/bin/sh", "-ec", _LINKS, "links", str(base), str(root), one.server, one.client])
    if one.pin is not None:
        npm.unpacked(one.pin, root / Path(one.server).parent.relative_to("/"))
    scripts = {"usr/sbin/init": engine.init} | {f"{kinds.TOOLS}/{name}": text for name, text in engine.tools.items()}
    for name, text in scripts.items():
        (root / name).unlink(missing_ok=True)
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    if engine.bake:
        _watched(["unshare", "--mount", "/bin/sh", "-ec", engine.bake, "bake", str(root)])


def _debian(root: Path, recipe: Recipe, packages: tuple[str, ...]) -> None:
    """A minimal system with these packages, from the mirrors that this host uses."""
    if not Path(recipe.keyring).exists():
        raise PlaneError(
            f"{recipe.title} cannot be believed without {recipe.keyring}. Try: apt-get install {recipe.keyring_package}"
        )
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
