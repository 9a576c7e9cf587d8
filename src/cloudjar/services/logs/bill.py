"""What costs money: events that are taken in, and events that are kept.

https://aws.amazon.com/cloudwatch/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.logs.records import LogGroup

_GB = 1 << 30


@meters(LogGroup)
def storage(group: LogGroup) -> Iterable[Meter]:
    """What a group keeps, as it was last measured."""
    if not group.billed:
        return ()
    return (Meter("AmazonCloudWatch", "TimedStorage-ByteHrs", "", "GB-Mo", Decimal(group.billed) / _GB),)
