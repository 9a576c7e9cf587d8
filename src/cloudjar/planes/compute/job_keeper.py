"""Runs one job in a guest to its end, on its own: neither a restart of the server nor its end disturbs it.

Started as a script, with the job's folder as its argument and nothing but Python's own library. The folder has
``job.json`` (see `entering.begin`); it gets ``begun``, ``out``, ``err`` and, last and at once, ``code``.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from contextlib import suppress

_READ = 64 << 10
_LAST_WORDS = 1.0
"""Seconds for which output is still taken after the end, while there is any: children may hold the pipes for ever."""


def main(folder: str) -> int:
    """Begin unless somebody has; the caller is let go once the job runs."""
    os.chdir(folder)
    with open("job.json", encoding="utf-8") as file:
        job = json.load(file)
    for group in job["groups"]:
        with suppress(OSError), open(group, "w", encoding="utf-8") as procs:
            procs.write(str(os.getpid()))
    try:
        os.close(os.open("begun", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return 0
    pid = os.fork()
    if pid:
        with open("keeper.part", "w", encoding="utf-8") as file:
            file.write(str(pid))
        os.rename("keeper.part", "keeper")
        return 0
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    _keep(job["argv"], job["most"])
    os._exit(0)


def _keep(argv: list[str], most: int) -> None:
    with open("input", "rb") as given:
        child = subprocess.Popen(argv, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stderr is not None
    room = {"out": most, "err": most}
    with selectors.DefaultSelector() as selector:
        end = os.pidfd_open(child.pid)
        selector.register(end, selectors.EVENT_READ, "")
        selector.register(child.stdout, selectors.EVENT_READ, "out")
        selector.register(child.stderr, selectors.EVENT_READ, "err")
        ended = False
        while selector.get_map() and (ready := selector.select(_LAST_WORDS if ended else None)):
            for key, _ in ready:
                if key.data == "":
                    selector.unregister(key.fileobj)
                    ended = True
                elif not _take(key.fd, key.data, room):
                    selector.unregister(key.fileobj)
    code = child.wait()
    with open("code.part", "w", encoding="utf-8") as file:
        file.write(str(128 - code if code < 0 else code))
        file.flush()
        os.fsync(file.fileno())
    os.rename("code.part", "code")


def _take(fd: int, name: str, room: dict[str, int]) -> bool:
    """Keep what is said while there is room; False at the end."""
    data = os.read(fd, _READ)
    kept = data[: room[name]]
    if kept:
        room[name] -= len(kept)
        with open(name, "ab") as file:
            file.write(kept)
    return bool(data)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
