"""How many instances of which type a fleet reserves: by priority, each type as far as the quota lets; pure.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/crfleet-concepts.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from cloudjar.services.ec2.capacity_fleets.records import Choice


def wanted(choices: Sequence[Choice], target: float, most: Callable[[int, list[int]], int]) -> list[int]:
    """Instances of each choice; `most` says how many there may be at a place beside those. The last may go past it."""
    counts = [0] * len(choices)
    left = target
    for place in sorted(range(len(choices)), key=lambda n: (choices[n].priority, n)):
        if left <= 0:
            break
        choice = choices[place]
        counts[place] = max(0, min(math.ceil(round(left / choice.weight, 6)), most(place, counts)))
        left -= counts[place] * choice.weight
    return counts


def fulfilled(choices: Sequence[Choice], counts: Sequence[int]) -> float:
    """The capacity units that so many instances are."""
    return float(sum(choice.weight * count for choice, count in zip(choices, counts, strict=True)))
