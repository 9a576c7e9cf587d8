"""When, by the machine's clock, it was an instant of AWS time: remembered wherever the two parted.

A file of lines ``machine AWS`` (Unix seconds), of before and after each change of the clock. Between two lines time
passed evenly. Who reads what was stamped by the machine's clock (an engine's log) by AWS's asks here.
"""

from __future__ import annotations

import contextlib
import os
from bisect import bisect_right
from pathlib import Path

_MOST = 20_000
"""Lines that are remembered when a file is read: months, unless somebody moves the clock all day."""


class Moments:
    """The file. `at` may be asked from any thread; `note` and `keep` by one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: list[tuple[float, float]] = []
        """(AWS, machine): sorted, for neither goes back. Grows only."""
        self._new: list[tuple[float, float]] = []
        with contextlib.suppress(FileNotFoundError):
            for line in path.read_text().splitlines()[-_MOST:]:
                with contextlib.suppress(ValueError):  # the last one may be cut off
                    machine, aws = map(float, line.split())
                    self._seen.append((aws, machine))
        self._seen.sort()

    def note(self, machine: float, before: float, after: float) -> None:
        """At an instant of the machine's, AWS time was `before` and is `after`; on disk with `keep`."""
        pairs = [(before, machine)] if before == after else [(before, machine), (after, machine)]
        self._new.extend(pairs)
        self._seen.extend(pairs)

    def keep(self) -> None:
        """What was noted is on disk."""
        with self._path.open("a") as file:
            file.writelines(f"{machine!r} {aws!r}\n" for aws, machine in self._new)
            file.flush()
            os.fsync(file.fileno())
        self._new.clear()

    def at(self, aws: float, speed: float, ahead: float) -> float:
        """The last instant of the machine's at which it was `aws`. `speed` and `ahead` (seconds) hold after the last
        change, and before the first AWS time passed like the machine's."""
        seen = self._seen
        place = bisect_right(seen, (aws, float("inf")))
        if place == 0:
            return seen[0][1] - (seen[0][0] - aws) if seen else aws - ahead
        since, machine = seen[place - 1]
        if place == len(seen):
            return machine + (aws - since) / speed if speed else machine
        later, then = seen[place]
        return machine + (aws - since) * (then - machine) / (later - since)
