"""The image cache: root file systems built once per recipe, shared by every installation on the host.

``<folder>/<key>-<recipe hash>/`` is a finished, read-only root; machines lay their disks over it. It is not kept
in a container engine's storage because nothing but an overlay needs it, and so the engine's own data and
ours never meet. A changed recipe is another folder; old ones stay while volumes may lie on them.
"""

from __future__ import annotations

import fcntl
import logging
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.importing import digest_of, unpack
from cloudjar.planes.compute.port import ImageInfo
from cloudjar.planes.compute.process import find_tool, holding, need_tool, run, standard_input
from cloudjar.planes.compute.recipes import (
    RECIPES,
    RECIPES_FOLDER,
    Recipe,
    apt_lines,
    carried_options,
    is_host_only,
    packages,
    parse_apt_sources,
    recipe_hash,
)
from cloudjar.planes.compute.snapshots import plain_name

log = logging.getLogger("cloudjar.compute.images")

CACHE = Path("/var/lib/cloudjar/images")
PROBE_SECONDS = 3.0
REMEMBER_SECONDS = 300.0
BUILD_SECONDS = 1800.0
NEEDED_BYTES = 2 << 30
IMPORTED = "import-"
"""How the keys of images begin that were taken in, not built."""


class ImageStore:
    """Images by key (`debian-12`, `ubuntu-24.04`, `al2023`). `mirrors` overrides a recipe's mirror by key."""

    def __init__(self, folder: Path = CACHE, mirrors: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.mirrors = mirrors or {}
        self._tried: dict[str, tuple[float, str]] = {}

    def path(self, key: str) -> Path:
        """Where the image of the present recipe, or one that was imported, is or would be."""
        if key.startswith(IMPORTED):
            return self.folder / plain_name(key)
        recipe = self._recipe(key)
        return self.folder / f"{key}-{recipe_hash(recipe, platform.machine())}"

    def rootfs(self, key: str) -> Path:
        """The finished root; raises `PlaneError` when it was not built yet."""
        path = self.path(key)
        if not path.is_dir():
            raise PlaneError(f"image {key} is not built on this host. Try: prepare it first (a minute or two)")
        return path

    def images(self) -> dict[str, ImageInfo]:
        """The catalogue with what is known of each image here."""
        found = {}
        for key in RECIPES:
            ready = self.path(key).is_dir()
            why = "" if ready else self.why_not(key)
            found[key] = ImageInfo(key=key, ready=ready, available=not why, why_not=why)
        for path in sorted(self.folder.glob(f"{IMPORTED}*")):
            if path.suffix != ".part":
                found[path.name] = ImageInfo(key=path.name, ready=True, available=True)
        return found

    def take_in(self, archive: Path) -> str:
        """Unpack a root file system (a tar of it, or an OCI or docker archive) as an image; its key.

        The key follows from the archive's content, so the same archive is taken in once. Raises `PlaneError`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        key = f"{IMPORTED}{digest_of(archive)[:12]}"
        path = self.path(key)
        with self._alone(key):
            if not path.is_dir():
                part = path.with_name(f"{key}.part")
                _remove_part(part)
                try:
                    unpack(archive, part)
                except PlaneError:
                    _remove_part(part)
                    raise
                os.sync()
                part.rename(path)
        return key

    def adopt(self, digest: str, fill: Callable[[Path], None]) -> str:
        """An image of a tree that `fill` puts into a new folder; its key follows from the `digest` (hex digits) of
        where the tree comes from, so that the same is taken in once. Raises `PlaneError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        key = f"{IMPORTED}{digest[:12]}"
        path = self.path(key)
        with self._alone(key):
            if not path.is_dir():
                part = path.with_name(f"{key}.part")
                _remove_part(part)
                part.mkdir(mode=0o755)
                try:
                    fill(part)
                except PlaneError:
                    _remove_part(part)
                    raise
                os.sync()
                part.rename(path)
        return key

    def why_not(self, key: str) -> str:
        """Why an image cannot be built here, as far as trying tells; empty when it can. Remembered for minutes."""
        tried = self._tried.get(key)
        if tried and monotonic() - tried[0] < REMEMBER_SECONDS:
            return tried[1]
        why = self._obstacle(self._recipe(key))
        self._tried[key] = (monotonic(), why)
        return why

    def prepare(self, key: str) -> None:
        """Build the image unless it is there; one builder at a time on the host; progress goes to the log."""
        if key.startswith(IMPORTED):
            self.rootfs(key)
            return
        recipe = self._recipe(key)
        path = self.path(key)
        if path.is_dir():
            return
        if why := self._obstacle(recipe):
            self._tried[key] = (monotonic(), why)
            raise PlaneError(why)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone(key):
            if path.is_dir():
                return
            part = path.with_name(f"{path.name}.part")
            _remove_part(part)
            log.info("building image %s from %s", key, recipe.mirror)
            began = monotonic()
            try:
                self._build(recipe, part)
            except PlaneError:
                _remove_part(part)
                raise
            os.sync()
            part.rename(path)
            log.info("image %s is ready after %.0f s", key, monotonic() - began)

    def _recipe(self, key: str) -> Recipe:
        if key not in RECIPES:
            raise PlaneError(f"there is no image {key!r} in the catalogue: {', '.join(RECIPES)}")
        recipe = RECIPES[key]
        if key in self.mirrors:
            from msgspec.structs import replace

            return replace(recipe, mirror=self.mirrors[key].rstrip("/"))
        return recipe

    def _obstacle(self, recipe: Recipe) -> str:
        if os.geteuid() != 0:
            return f"image {recipe.key} can only be built by root"
        missing = [] if find_tool(recipe.tool) else [recipe.tool_package]
        if recipe.keyring and not Path(recipe.keyring).exists():
            missing.append(recipe.keyring_package)
        install = f"apt-get install {' '.join(missing)}"
        url = _probe_url(recipe, self._sources(recipe))
        if why := _unreachable(url):
            return (
                f"image {recipe.key} is built from {url}, which this host cannot reach ({why}). "
                "Try: connect the host to it, or name a mirror that it can reach in the configuration"
                + (f"; then {install}" if missing else "")
            )
        return f"image {recipe.key} needs tools that are not on this host. Try: {install}" if missing else ""

    def _sources(self, recipe: Recipe) -> dict[str, str]:
        if recipe.key in self.mirrors:
            return dict.fromkeys(recipe.suites, recipe.mirror)
        return _host_sources()

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        handle = os.open(self.folder / f".{key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            with holding(handle):
                yield
        finally:
            os.close(handle)

    def _build(self, recipe: Recipe, part: Path) -> None:
        if shutil.disk_usage(self.folder).free < NEEDED_BYTES:
            raise PlaneError(f"image {recipe.key} needs 2 GiB free in {self.folder}")
        scratch = self.folder / f".files-{recipe.key}"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            files = _staged_files(scratch)
            if recipe.tool == "dnf":
                self._dnf(recipe, part, files)
            else:
                self._mmdebstrap(recipe, part, files)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _mmdebstrap(self, recipe: Recipe, part: Path, files: Path) -> None:
        argv = [need_tool("mmdebstrap", "mmdebstrap"), "--mode=root", "--format=directory", "--variant=minbase"]
        argv += ["--skip=check/empty", f"--include={','.join(packages(recipe))}", f"--keyring={recipe.keyring}"]
        argv += ["--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*"]
        argv += ["--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright"]
        argv += ['--aptopt=Acquire::Languages "none"']
        options = carried_options(_apt_config())
        argv += [f"--aptopt={option}" for option in options]
        argv += [f"--customize-hook={hook}" for hook in _hooks(recipe, files)]
        if any(is_host_only(option) for option in options):
            argv.append('--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"')
        argv += [recipe.release, str(part), *apt_lines(recipe, self._sources(recipe))]
        _watched(argv, f"building image {recipe.key}")

    def _dnf(self, recipe: Recipe, part: Path, files: Path) -> None:
        import urllib.request

        machine = platform.machine()
        url = f"{recipe.mirror}/{recipe.release}/{machine}/mirror.list"
        with urllib.request.urlopen(url, timeout=PROBE_SECONDS * 3) as answer:
            base = answer.read().decode().split()[0]
        part.mkdir(parents=True)
        argv = [need_tool("dnf", "dnf"), "--assumeyes", f"--installroot={part}", "--releasever=2023"]
        argv += ["--repofrompath", f"amazonlinux,{base}", "--repo=amazonlinux", f"--forcearch={machine}"]
        # The archive's key comes in the first package it installs; until then TLS vouches for it.
        argv += ["--nogpgcheck", "--setopt=install_weak_deps=False", "--setopt=tsflags=nodocs"]
        argv += ["--setopt=reposdir=/dev/null", f"--setopt=cachedir={part}/var/cache/dnf", "install", *packages(recipe)]
        _watched(argv, f"building image {recipe.key}")
        for hook in _hooks(recipe, files):
            run(["/bin/sh", "-ec", hook, "hook", str(part)], timeout=300, what=f"finishing image {recipe.key}")


def _hooks(recipe: Recipe, files: Path) -> list[str]:
    setting = f"USER_NAME='{recipe.user}' USER_GECOS='{recipe.gecos}' USER_GROUPS='{recipe.groups}'"
    return [
        f'cp -R "{files}/." "$1/"',
        f'cp "{RECIPES_FOLDER}/common/setup" "$1/tmp-setup"',
        f'chroot "$1" /usr/bin/env {setting} /bin/sh /tmp-setup',
        'rm -f "$1/tmp-setup"',
    ]


def _staged_files(scratch: Path) -> Path:
    """The recipe's files with modes fit for a root file system, whatever the package installer or umask left."""
    staged = scratch / "files"
    shutil.copytree(RECIPES_FOLDER / "common" / "files", staged, ignore=shutil.ignore_patterns("*.pyc"))
    staged.chmod(0o755)
    for path in staged.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.read_bytes().startswith(b"#!") else 0o644)
    return staged


def _remove_part(part: Path) -> None:
    """Remove an unfinished build; never while something is still mounted in it."""
    left = [line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((p for p in left if p.startswith(f"{part}/")), reverse=True):
        run([need_tool("umount", "mount"), "--lazy", point], what="cleaning up an unfinished image")
    if part.exists():
        run(["rm", "-rf", "--one-file-system", str(part)], timeout=120, what="cleaning up an unfinished image")


def _watched(argv: list[str], what: str) -> None:
    """Run a long build, each line of it to the log; raises `PlaneError` with its last lines."""
    last: list[str] = []
    env = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    with subprocess.Popen(
        argv, stdin=standard_input(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env
    ) as child:
        assert child.stdout is not None
        for raw in child.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            last = [*last[-11:], line]
            log.info("%s: %s", what, line)
        code = child.wait(timeout=BUILD_SECONDS)
    if code:
        raise PlaneError(f"{what} failed ({code}): " + " | ".join(last))


def _host_sources() -> dict[str, str]:
    one_line: list[str] = []
    deb822: list[str] = []
    for file in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        if file.is_file() and file.suffix in (".list", ".sources"):
            (deb822 if file.suffix == ".sources" else one_line).append(file.read_text(errors="replace"))
    return parse_apt_sources("\n".join(one_line), "\n\n".join(deb822))


def _apt_config() -> str:
    tool = find_tool("apt-config")
    return run([tool, "dump"]).stdout.decode("utf-8", "replace") if tool else ""


def _probe_url(recipe: Recipe, sources: dict[str, str]) -> str:
    mirror = sources.get(recipe.release, recipe.mirror)
    return f"{mirror}/{recipe.probe.format(machine=platform.machine())}"


def _unreachable(url: str) -> str:
    """Why a small file cannot be fetched, or an empty string."""
    import urllib.request

    proxies = {}
    for option in carried_options(_apt_config()):
        name, _, value = option.partition(" ")
        if name.lower() in ("acquire::http::proxy", "acquire::https::proxy") and value.strip('"') != "DIRECT":
            proxies[name.lower().split("::")[1]] = value.strip('"')
    handlers = [urllib.request.ProxyHandler(proxies)] if proxies else []
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=PROBE_SECONDS) as answer:
            answer.read(1)
    except (OSError, ValueError) as failed:
        return str(getattr(failed, "reason", failed)) or type(failed).__name__
    return ""
