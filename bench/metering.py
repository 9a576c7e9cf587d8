"""What metering costs a request: `python -m bench.metering [--pairs 400]`. The bar is 5 % of the server's time for it.

The same signed calls to one server in slices of a few milliseconds that take turns: with everything that meters (spans,
tags, quantities, counts of calls), and with it switched off; which comes first changes from pair to pair. What counts
is the processor time of the server's thread, and of each pair the ratio of the two: whatever slows the machine for
longer than a slice slows both, and what is shorter is one pair of hundreds. Told are the median of the ratios and how
far it may be off (a 95 % interval, from the ratios' order).
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from math import sqrt
from pathlib import Path
from statistics import median
from time import thread_time
from typing import Any, NamedTuple

from cloudjar.kit.audit import Audit
from cloudjar.kit.quantities import Quantities
from cloudjar.kit.usage import Usage
from tests.calls import REGION, Line, Sent, signed, write
from tests.jar import TestJar, running

BAR = 5.0
CALLS = 5
"""Of a slice."""


class Switch:
    """What meters, to be switched on and off; always by way of this, so that both cost the same detour."""

    on = True

    def __init__(self) -> None:
        for place, name in ((Usage, "edge"), (Quantities, "add"), (Audit, "_count")):
            setattr(place, name, self._switched(getattr(place, name)))

    def _switched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def maybe(*given: Any, **named: Any) -> Any:
            return function(*given, **named) if self.on else None

        return maybe


def work(jar: TestJar) -> Mapping[str, Sent]:
    """What is called: something that opens a span, something that changes none, something that is counted."""
    topic = jar.client("sns", REGION).create_topic(Name="news")["TopicArn"]
    disk: dict[str, Any] = {"AvailabilityZone": f"{REGION}a", "Size": 8, "VolumeType": "gp3"}
    volume = jar.client("ec2", REGION).create_volume(**disk)["VolumeId"]
    asked: dict[str, dict[str, Any]] = {
        "ec2:CreateVolume": disk,
        "ec2:CreateTags": {"Resources": [volume], "Tags": [{"Key": "a", "Value": "b"}]},
        "kms:CreateKey": {},
        "sns:Publish": {"TopicArn": topic, "Message": "x"},
    }
    found = {}
    for name, params in asked.items():
        service, _, operation = name.partition(":")
        found[name] = signed(write(service, operation, params), service)
    return found


async def _now() -> float:
    return thread_time()


def part(jar: TestJar, line: Line, call: Sent, calls: int = CALLS) -> float:
    """Processor time that the server's thread takes for a slice."""
    start = jar.on_loop(_now())
    for _ in range(calls):
        answer = line.send(call)
        assert answer.status == 200, answer
    return float(jar.on_loop(_now()) - start)


class Share(NamedTuple):
    """What metering adds to a call, in percent, and by how much that may be wrong; seconds with it."""

    percent: float
    off: float
    seconds: float


def share(switch: Switch, run: Callable[[], float], pairs: int, looking: float) -> Share:
    """Run slices with and without metering in turn; `looking` is what looking at the clock takes of each."""
    ratios, taken = [], []
    for number in range(pairs):
        gc.collect(0)
        found = {}
        for on in (True, False) if number % 2 else (False, True):
            switch.on = on
            found[on] = run() - looking
        ratios.append(found[True] / found[False])
        taken.append(found[True] / CALLS)
    switch.on = True
    ratios.sort()
    reach = sqrt(pairs) * 0.98
    low, high = max(int(pairs / 2 - reach), 0), min(int(pairs / 2 + reach), pairs - 1)
    return Share((median(ratios) - 1) * 100, (ratios[high] - ratios[low]) * 50, median(taken))


def main() -> int:
    """Print a table; 1 when the bar is missed."""
    options = argparse.ArgumentParser()
    options.add_argument("--pairs", type=int, default=400)
    pairs, shares, switch = options.parse_args().pairs, [], Switch()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as jar:
        line = Line(jar.port)
        calls = work(jar)
        gc.freeze()
        gc.disable()
        for name, call in calls.items():
            part(jar, line, call, 100)
            looking = median(part(jar, line, call, 0) for _ in range(100))
            found = share(switch, partial(part, jar, line, call), pairs, looking)
            shares.append(found)
            print(f"{name:20} {found.seconds * 1e6:8.0f} us: {found.percent:+5.1f} % (by {found.off:.1f} at most)")
        line.close()
    mean = sum(one.percent for one in shares) / len(shares)
    off = sqrt(sum(one.off**2 for one in shares)) / len(shares)
    print(f"on average {mean:+.1f} % (by {off:.1f} at most), the bar is {BAR} %")
    return int(mean > BAR)


if __name__ == "__main__":
    sys.exit(main())
