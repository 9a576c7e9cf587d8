"""What fair queues let be seen: how many tenants are noisy, and how everybody else fares.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.services.sqs.fair import Tenants
from cloudjar.services.sqs.rows import Counts, Rows

_LOOKS = 10_000
"""Of so many of the oldest messages the first is looked for that is nobody noisy's."""


class Quiet(NamedTuple):
    """How many tenants are noisy, and the messages of all others; `oldest` is when the oldest of them was sent."""

    noisy: int
    visible: int
    flying: int
    delayed: int
    oldest: int


def quiet(store: Rows, queue: int, at: int, counts: Counts, oldest: int) -> Quiet | None:
    """Of a standard queue at an instant (milliseconds): there are so many messages (`counts`) and `oldest` was sent
    first. None while no message names a group."""
    known = store.known(queue)
    if known.lanes is False or not (known.tenants or store.has_groups(queue)):
        return None
    tenants = known.tenants or Tenants(store.flying(queue, at), at)
    noisy = sorted(tenants.noisy)
    if not noisy:
        return Quiet(0, *counts, oldest)
    visible, flying, delayed = counts
    for group in noisy:
        there = store.of_group(queue, group, at)
        visible, flying, delayed = visible - there.visible, flying - there.flying, delayed - there.delayed
    return Quiet(len(noisy), visible, flying, delayed, store.oldest_but(queue, noisy, _LOOKS))
