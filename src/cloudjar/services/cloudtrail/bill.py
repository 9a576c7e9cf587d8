"""What costs money: every copy of a management event but the first of its Region, and every data event.

https://aws.amazon.com/cloudtrail/pricing/
"""

from __future__ import annotations

from collections.abc import Sequence

from cloudjar.kit.audit_event import AuditEvent
from cloudjar.kit.context import Ctx
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.services.cloudtrail.selectors.match import is_data
from cloudjar.services.cloudtrail.trails.records import Trail

_SERVICE = "AWSCloudTrail"
_PAID = Tally(_SERVICE, "PaidEventsRecorded", "", "Events", 1)
_DATA = Tally(_SERVICE, "DataEventsRecorded", "", "Events", 1)


def delivered(ctx: Ctx, trail: Trail, region: str, events: Sequence[AuditEvent], *, first: bool) -> None:
    """Count a file's events; `first` is the copy of the management events that is free. In a transaction."""
    quantities: Quantities = ctx.world.ports["quantities"]
    data = sum(1 for event in events if is_data(event))
    owner = Owner(trail.account, region, trail.name)
    if data:
        quantities.add(owner, _DATA, data)
    if len(events) > data and not first:
        quantities.add(owner, _PAID, len(events) - data)
