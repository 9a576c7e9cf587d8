"""What costs money, and what CloudWatch is told.

https://aws.amazon.com/eventbridge/pricing/
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.counted_metrics import Counted
from cloudjar.kit.metrics import Metric
from cloudjar.kit.quantities import GB, Owner, Quantities, Tally
from cloudjar.kit.usage import Meter, meters
from cloudjar.services.events.records import DEFAULT, Archive, Rule

_SERVICE, _CHUNK = "AWSEvents", 64 << 10
_NAMESPACE = "AWS/Events"
_METRICS = Counted(_NAMESPACE, "events")
_EVENT = Tally(_SERVICE, "Event-64K-Chunks", "", "64K-Chunks", 1)
_ARCHIVED = Tally(_SERVICE, "Archived-Bytes", "", "GB", GB)


def _add(world: World, owner: Owner, tally: Tally, amount: int) -> None:
    quantities: Quantities = world.ports["quantities"]
    quantities.add(owner, tally, amount)


def put(world: World, account: str, region: str, bus: str, size: int) -> None:
    """An event of so many bytes was put, or sent to another account: each begun 64 KB is one."""
    _add(world, Owner(account, region, bus), _EVENT, max(-(-size // _CHUNK), 1))


def archived(world: World, account: str, region: str, archive: str, size: int) -> None:
    """So many bytes went into an archive."""
    _add(world, Owner(account, region, archive), _ARCHIVED, size)


@meters(Archive)
def storage(archive: Archive) -> Iterable[Meter]:
    """What an archive keeps, as it was last measured."""
    if not archive.billed:
        return ()
    return (Meter(_SERVICE, "Archive-TimedStorage", "", "GB-Mo", Decimal(archive.billed) / GB),)


def matched(world: World, rule: Rule) -> None:
    """An event was for a rule."""
    measured(world, rule, MatchedEvents=1, TriggeredRules=1)


def measured(world: World, rule: Rule, **counted: int) -> None:
    """What CloudWatch counts of a rule; in a transaction."""
    dimensions: tuple[tuple[str, str], ...] = (("RuleName", rule.name),)
    if rule.bus != DEFAULT:
        dimensions = (("EventBusName", rule.bus), *dimensions)
    _METRICS.count(world, rule.account, rule.region, dimensions, **counted)


def asked(world: World, account: str, region: str, entries: int, failed: int) -> None:
    """A PutEvents call with so many entries."""
    counted = {
        "PutEventsApproximateCallCount": 1,
        "PutEventsEntriesCount": entries,
        "PutEventsFailedEntriesCount": failed,
        "PutEventsApproximateSuccessCount": int(not failed),
        "PutEventsApproximateFailedCount": int(failed > 0),
    }
    now = world.clock.now()
    found = [
        (Metric(_NAMESPACE, name), False, [metrics.value(now, amount, "Count")])
        for name, amount in counted.items()
        if amount
    ]
    metrics.put_all(world, account, region, found)
