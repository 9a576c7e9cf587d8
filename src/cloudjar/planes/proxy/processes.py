"""The proxies' processes, found by what they were started with: nothing has to be remembered about them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def of(configuration: Path) -> list[int]:
    """Process ids of the proxies that were started with a configuration file: the newest, and those that drain."""
    wanted = os.fsencode(configuration)
    return sorted(pid for pid in _all() if wanted in _words(pid))


def below(folder: Path) -> list[int]:
    """Process ids of all proxies whose configuration lies below a folder."""
    front = os.fsencode(folder) + b"/"
    return sorted(pid for pid in _all() if any(word.startswith(front) for word in _words(pid)))


def lives_in(pid: int, namespace: str) -> bool:
    """Whether a process is in the network namespace that a path leads to now."""
    try:
        own, wanted = os.stat(f"/proc/{pid}/ns/net"), os.stat(namespace)
    except OSError:
        return False
    return (own.st_dev, own.st_ino) == (wanted.st_dev, wanted.st_ino)


def end(pids: list[int]) -> None:
    """Kill processes and wait until they are gone."""
    for pid in pids:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                _gone(handle)
            finally:
                os.close(handle)


def _gone(handle: int) -> None:
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll(5000)


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _words(pid: int) -> list[bytes]:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
    return words if words and words[0].endswith(b"haproxy") else []
