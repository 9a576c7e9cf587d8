"""What metering costs a request: `python -m bench.metering`. The bar is 5 % of the server's time for it.

The same calls of a real client to one server, in rounds that take turns: with everything that meters (spans, tags,
quantities, counts of calls), and with it taken out. What counts is the processor time of the server's thread.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import thread_time
from typing import Any

from cloudjar.kit import audit
from cloudjar.kit.quantities import Quantities
from cloudjar.kit.usage import Usage
from tests.jar import TestJar, running

REGION, BAR = "eu-west-3", 5.0
ROUNDS, CALLS = 15, 40


@contextmanager
def unmetered() -> Iterator[None]:
    """Nothing is metered."""

    def nothing(*_: Any, **__: Any) -> None:
        return

    def uncounted(_: Any) -> Counter[Any]:
        return Counter()

    kept: list[tuple[Any, str, Any]] = [
        (Usage, "edge", nothing), (Quantities, "add", nothing), (audit, "Counter", uncounted),
    ]  # fmt: skip
    before = [getattr(place, name) for place, name, _ in kept]
    for place, name, other in kept:
        setattr(place, name, other)
    try:
        yield
    finally:
        for (place, name, _), old in zip(kept, before, strict=True):
            setattr(place, name, old)


def work(jar: TestJar) -> Mapping[str, Callable[[], object]]:
    """What is called: something that opens a span, something that changes none, something that is counted."""
    ec2, kms, sns = (jar.client(name, REGION) for name in ("ec2", "kms", "sns"))
    topic = sns.create_topic(Name="news")["TopicArn"]
    disk: dict[str, Any] = {"AvailabilityZone": f"{REGION}a", "Size": 8, "VolumeType": "gp3"}
    volume = ec2.create_volume(**disk)["VolumeId"]
    return {
        "ec2:CreateVolume": lambda: ec2.create_volume(**disk),
        "ec2:CreateTags": lambda: ec2.create_tags(Resources=[volume], Tags=[{"Key": "a", "Value": "b"}]),
        "kms:CreateKey": lambda: kms.create_key(),
        "sns:Publish": lambda: sns.publish(TopicArn=topic, Message="x"),
    }


async def _now() -> float:
    return thread_time()


def seconds(jar: TestJar, call: Callable[[], object]) -> float:
    """Processor time that the server's thread takes for one call, on average."""
    start = jar.on_loop(_now())
    for _ in range(CALLS):
        call()
    return float(jar.on_loop(_now()) - start) / CALLS


def main() -> int:
    """Print a table; 1 when the bar is missed."""
    shares = []
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as jar:
        for name, call in work(jar).items():
            seconds(jar, call)
            with_it, without = [], []
            for _ in range(ROUNDS):
                with_it.append(seconds(jar, call))
                with unmetered():
                    without.append(seconds(jar, call))
            share = (median(with_it) / median(without) - 1) * 100
            shares.append(share)
            both = f"{median(with_it) * 1e6:8.0f} us, without {median(without) * 1e6:8.0f} us"
            print(f"{name:20} {both}: {share:+5.1f} %")
    mean = sum(shares) / len(shares)
    print(f"on average {mean:+.1f} %, the bar is {BAR} %")
    return int(mean > BAR)


if __name__ == "__main__":
    sys.exit(main())
