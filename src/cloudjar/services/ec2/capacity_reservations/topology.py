"""Where the capacity of reservations stands in the network, of the types that AWS tells of.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-topology.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation
from cloudjar.services.ec2.instances.about import is_told, network_nodes
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need_all
from cloudjar.spec import regions

_FILTERS = by_path({"availability-zone": "AvailabilityZone", "instance-type": "InstanceType"})
_MOST = 10


@op("DescribeCapacityReservationTopology")
def describe_capacity_reservation_topology(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Active reservations of types for large clusters; those of one zone stand together here."""
    wanted = req.get("CapacityReservationIds") or ()
    if wanted and req.get("MaxResults"):
        raise errors.combination("The parameter capacityReservationIds cannot be used with the parameter maxResults")
    if len(wanted) > _MOST:
        raise errors.invalid_value(f"At most {_MOST} Capacity Reservations can be named.")
    found = need_all(ctx, CapacityReservation, wanted) if wanted else ctx.db[CapacityReservation].all(state="active")
    rows = [Row(one.tags, _show(one)) for one in found if one.state == "active" and is_told(one.type)]
    return {"CapacityReservations": narrow(req, _FILTERS, rows)}


def _show(one: CapacityReservation) -> dict[str, Any]:
    zone = regions.zone(one.zone, one.account)
    zone_id = zone.id if zone is not None else None
    return {
        "AvailabilityZone": one.zone,
        "AvailabilityZoneId": zone_id,
        "CapacityReservationId": one.id,
        "InstanceType": one.type,
        "NetworkNodes": network_nodes(one.account, zone_id),
        "State": one.state,
    }
