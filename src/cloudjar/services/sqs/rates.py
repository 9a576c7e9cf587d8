"""How often a FIFO queue may be asked in a second, each action for itself; a batch is one call. Standard queues may be
asked as often as anybody can.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/troubleshooting-fifo-throttling-issues.html
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.kit.context import Ctx
from cloudjar.kit.windows import Window, in_force
from cloudjar.services.sqs import errors
from cloudjar.services.sqs.records import Queue

PLAIN = 300
"""Calls a second of a queue without high throughput; with it, of a message group: a group is in one partition."""
_HIGH = {
    **dict.fromkeys(("us-east-1", "us-west-2", "eu-west-1"), 70_000),
    **dict.fromkeys(("us-east-2", "eu-central-1"), 19_000),
    **dict.fromkeys(("ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1"), 9_000),
    **dict.fromkeys(("eu-west-2", "sa-east-1"), 4_500),
}
_HIGH_ELSEWHERE = 2_400
_PORT = "sqs.rates"
_MOST = 20_000
"""Windows that are remembered: each is over after a second."""

Windows = dict[tuple[int, str, str], Window]


def high(region: str) -> int:
    """Calls a second of an action on a queue with high throughput."""
    return _HIGH.get(region, _HIGH_ELSEWHERE)


def draw(ctx: Ctx, queue: Queue, action: str, now: int, groups: Iterable[str | None] = ()) -> None:
    """Take one call to a FIFO queue (`now` is in milliseconds), about messages of these groups; raises
    ThrottlingException. What was held back was taken when it came."""
    if ctx.again or not in_force(ctx.world):
        return
    fast = queue.throughput_limit == "perMessageGroupId"
    windows: Windows = ctx.world.ports.setdefault(_PORT, {})
    drawn = [_window(windows, (queue.number, action, ""), high(queue.region) if fast else PLAIN)]
    if fast:
        drawn += [_window(windows, (queue.number, action, group), PLAIN) for group in set(groups) if group]
    second = now // 1000
    if any(window.left(second) < 1 for window in drawn):
        raise errors.throttled()
    for window in drawn:
        window.used += 1


def _window(windows: Windows, place: tuple[int, str, str], limit: int) -> Window:
    found = windows.get(place)
    if found is None or found.limit != limit:
        if len(windows) >= _MOST:
            windows.clear()
        found = windows[place] = Window(limit)
    return found
