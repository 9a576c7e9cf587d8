"""Limits of the host that all its machines share.

The kernel counts what watches files by user, and to the host every guest's belong to the same one, whoever they are
inside. Its default of 128 is enough for one desktop; a guest's init alone takes half a dozen, and does not boot without
them. What a limit was is written down before it is raised, and is given back with the last installation's traces.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

ROOM = {"fs/inotify/max_user_instances": 8192, "fs/inotify/max_user_watches": 524288}


def make_room(notes: Path, settings: Path = Path("/proc/sys")) -> None:
    """Raise what is lower; a host that refuses runs fewer machines, each of which says on its console why.

    `notes` is a folder that all installations share: a file in it for each limit says what it was.
    """
    for key, wanted in ROOM.items():
        with suppress(OSError):
            limit = settings / key
            seen = limit.read_text()
            if int(seen) < wanted:
                note = notes / key.rpartition("/")[2]
                notes.mkdir(parents=True, exist_ok=True)
                if not note.exists():
                    note.write_text(seen)
                limit.write_text(str(wanted))


def give_back(notes: Path, settings: Path = Path("/proc/sys")) -> None:
    """Make the limits what they were, unless somebody has changed them since."""
    for key, raised in ROOM.items():
        note = notes / key.rpartition("/")[2]
        with suppress(OSError):
            before = note.read_text()
            if int((settings / key).read_text()) == raised:
                (settings / key).write_text(before)
            note.unlink()
    with suppress(OSError):
        notes.rmdir()
