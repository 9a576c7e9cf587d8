"""What costs money, and what CloudWatch is told.

https://aws.amazon.com/eventbridge/pricing/
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
"""

from __future__ import annotations

from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Metric
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.services.pipes.records import Pipe

NAMESPACE = "AWS/EventBridge/Pipes"
_REQUEST, _CHUNK = Tally("AWSEvents", "Pipes-Request", "", "64K-Chunks", 1), 64 << 10
_OF_ACCOUNT = frozenset(("ExecutionThrottled", "Invocations"))
_UNITS = {"Duration": "Milliseconds", "TargetStageDuration": "Milliseconds", "EventSize": "Bytes"}


def asked(world: World, pipe: Pipe, size: int) -> None:
    """A batch of so many bytes came through the filters: each begun 64 KB is a request; in a transaction."""
    quantities: Quantities = world.ports["quantities"]
    quantities.add(Owner(pipe.account, pipe.region, pipe.name), _REQUEST, max(-(-size // _CHUNK), 1))


def measured(world: World, pipe: Pipe, **counted: float) -> None:
    """What CloudWatch is told of a pipe; in a transaction."""
    now = world.clock.now()
    for name, amount in counted.items():
        point = metrics.value(now, amount, _UNITS.get(name, "None"))
        places = [(("PipeName", pipe.name),)]
        if name in _OF_ACCOUNT:
            places.append((("AwsAccountId", pipe.account),))
        for dimensions in places:
            metrics.put(world, pipe.account, pipe.region, Metric(NAMESPACE, name, dimensions), [point])
