"""Limits of the host that all its machines share.

The kernel counts what watches files by user, and to the host every guest's belong to the same one, whoever they are
inside. Its default of 128 is enough for one desktop; a guest's init alone takes half a dozen, and does not boot without
them. A limit that is higher costs nothing, so it is raised and left: it is the host's own again after its next boot.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

ROOM = {"fs/inotify/max_user_instances": 8192, "fs/inotify/max_user_watches": 524288}


def make_room(settings: Path = Path("/proc/sys")) -> None:
    """Raise what is lower; a host that refuses runs fewer machines, each of which says on its console why."""
    for key, wanted in ROOM.items():
        with suppress(OSError):
            limit = settings / key
            if int(limit.read_text()) < wanted:
                limit.write_text(str(wanted))
