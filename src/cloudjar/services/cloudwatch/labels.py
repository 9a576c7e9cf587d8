"""Labels of series, and what they may tell of the values.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from cloudjar.services.cloudwatch.math.values import Series

_DYNAMIC = re.compile(r"\$\{\s*(?:PROP\(\s*'([^']*)'\s*\)|([A-Z_]+))\s*\}")
_TOLD: dict[str, Callable[[list[float]], float]] = {
    "AVG": lambda held: math.fsum(held) / len(held),
    "DATAPOINT_COUNT": lambda held: float(len(held)),
    "FIRST": lambda held: held[0],
    "LAST": lambda held: held[-1],
    "MAX": max,
    "MIN": min,
    "RANGE": lambda held: max(held) - min(held),
    "SUM": math.fsum,
}


def filled(template: str, found: Series) -> str:
    """A label with ``${...}`` replaced by what it stands for; what is not known stays as it is."""
    held = [found.values[at] for at in sorted(found.values)]

    def told(match: re.Match[str]) -> str:
        if match[1]:
            return found.facts.get(match[1], match[0])
        if match[2] == "LABEL":
            return found.label
        if match[2] not in _TOLD:
            return match[0]
        return f"{_TOLD[match[2]](held):g}" if held else "--"

    return _DYNAMIC.sub(told, template)
