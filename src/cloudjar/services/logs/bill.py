"""What costs money: events that are taken in, and events that are kept.

https://aws.amazon.com/cloudwatch/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.context import Ctx
from cloudjar.kit.quantities import GB, Owner, Quantities, Tally
from cloudjar.kit.usage import Meter, meters
from cloudjar.services.logs.records import STANDARD, LogGroup

_STANDARD = Tally("AmazonCloudWatch", "DataProcessing-Bytes", "")
_INFREQUENT = Tally("AmazonCloudWatch", "DataProcessingIA-Bytes", "")
_VENDED = Tally("AmazonCloudWatch", "VendedLog-Bytes", "")
_VENDORS = frozenset(("vpc-flow-logs.amazonaws.com", "delivery.logs.amazonaws.com"))
"""AWS services whose logs have a price of their own."""


def ingested(ctx: Ctx, group: LogGroup, size: int) -> None:
    """Count bytes that were taken in; inside the transaction that does it."""
    vended = ctx.caller.service in _VENDORS or not _VENDORS.isdisjoint(ctx.caller.called_via)
    tally = _VENDED if vended else _STANDARD if group.group_class == STANDARD else _INFREQUENT
    quantities: Quantities = ctx.world.ports["quantities"]
    quantities.add(Owner(group.account, group.region, group.name), tally, size)


@meters(LogGroup)
def storage(group: LogGroup) -> Iterable[Meter]:
    """What a group keeps, as it was last measured."""
    if not group.billed:
        return ()
    return (Meter("AmazonCloudWatch", "TimedStorage-ByteHrs", "", "GB-Mo", Decimal(group.billed) / GB),)
