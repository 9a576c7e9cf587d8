"""So much a second, by AWS's clock: what a shard takes, what a delivery stream takes. In memory alone."""

from __future__ import annotations

from cloudjar.kit.context import World


class Window:
    """What was used of one limit. What is more than a second's worth is paid for in the seconds that follow."""

    __slots__ = ("limit", "second", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.second = 0
        self.used = 0

    def left(self, second: int) -> int:
        """What may be used in this second; negative when more was used already."""
        if second != self.second:
            self.used = max(self.used - (second - self.second) * self.limit, 0)
            self.second = second
        return self.limit - self.used

    def fits(self, second: int, amount: int) -> bool:
        """Whether so much may be used now; what is more than the limit fits into an untouched second."""
        return self.left(second) >= min(amount, self.limit)


def in_force(world: World) -> bool:
    """Whether limits hold: only tests that ask thousands of questions go without."""
    return bool(world.settings.get("throttle", True))
