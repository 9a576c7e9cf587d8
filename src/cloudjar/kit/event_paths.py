"""The JSON paths of EventBridge, Pipes and Scheduler: dots, names in brackets, indices and ``*``. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z0-9_\-/@:$]+)|\.(?P<star>\*)|\[(?P<index>-?\d+|\*)\]|\['(?P<quoted>[^']+)'\]|"
    r'\["(?P<double>[^"]+)"\]'
)
_NONE: Any = object()
ABSENT = _NONE
"""What is at a path that leads nowhere."""
_ALL = object()
Step = Any


class PathError(ValueError):
    """The text is no path."""


@lru_cache(maxsize=4096)
def parsed(path: str) -> tuple[Step, ...]:
    """The steps of a path: names, indices, and an own value for ``*``; raises `PathError`."""
    if not path.startswith("$"):
        raise PathError(f"{path} does not begin with $")
    steps: list[Step] = []
    at = 1
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise PathError(f"{path} cannot be read")
        name = found["name"] or found["quoted"] or found["double"]
        if name:
            steps.append(name)
        elif found["star"] or found["index"] == "*":
            steps.append(_ALL)
        else:
            steps.append(int(found["index"]))
        at = found.end()
    return tuple(steps)


def at(data: Any, path: str) -> Any:
    """What is at a path (with ``*``: the list of what is), or `ABSENT`; raises `PathError`."""
    return _at(data, parsed(path))


def _at(data: Any, steps: tuple[Step, ...]) -> Any:
    for place, step in enumerate(steps):
        if step is _ALL:
            if not isinstance(data, (list, dict)):
                return ABSENT
            inner = list(data.values()) if isinstance(data, dict) else data
            found = [_at(one, steps[place + 1 :]) for one in inner]
            return [one for one in found if one is not ABSENT]
        if isinstance(step, int):
            if not isinstance(data, list) or not -len(data) <= step < len(data):
                return ABSENT
            data = data[step]
        else:
            if not isinstance(data, dict) or step not in data:
                return ABSENT
            data = data[step]
    return data
