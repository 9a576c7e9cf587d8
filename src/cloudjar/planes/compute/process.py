"""Running the host's tools: one way to call them, one way to fail."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from cloudjar.base.errors import PlaneError

# Debian's sbin is not on the PATH of every caller (cron, su without a dash, some service managers).
_EXTRA_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


_held: ContextVar[int] = ContextVar("held", default=subprocess.DEVNULL)


@contextmanager
def holding(lock: int) -> Iterator[None]:
    """Let every tool run meanwhile share the lock (an open file's descriptor).

    A tool outlives a caller that is killed; with the lock as its standard input the lock is free only when it has
    ended, so nobody cleans up in front of it.
    """
    before = _held.set(lock)
    try:
        yield
    finally:
        _held.reset(before)


def standard_input() -> int:
    """What a tool gets as its standard input: the lock held now, or nothing."""
    return _held.get()


@cache
def _found(name: str) -> str:
    return shutil.which(name) or shutil.which(name, path=_EXTRA_PATH) or ""


def find_tool(name: str) -> str:
    """Absolute path of a host tool, or an empty string when it is not installed."""
    path = _found(name)
    if not path:
        _found.cache_clear()
    return path


def need_tool(name: str, package: str) -> str:
    """Absolute path of a host tool; raises `PlaneError` naming the Debian `package` that brings it."""
    path = find_tool(name)
    if not path:
        raise PlaneError(f"{name} is not installed on this host. Try: apt-get install {package}")
    return path


def run(
    argv: Sequence[str], *, timeout: float = 60, what: str = "", ok: Sequence[int] = (0,)
) -> subprocess.CompletedProcess[bytes]:
    """Run a tool for at most `timeout` seconds; an exit code not in `ok` raises `PlaneError` with its last words."""
    try:
        done = subprocess.run(list(argv), stdin=standard_input(), capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as late:
        raise PlaneError(f"{what or argv[0]} did not end within {timeout:g} s") from late
    except OSError as gone:
        raise PlaneError(f"{what or argv[0]} could not be run: {gone}") from gone
    if done.returncode not in ok:
        said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace")
        raise PlaneError(f"{what or argv[0]} failed ({done.returncode}): {said[-600:]}")
    return done
