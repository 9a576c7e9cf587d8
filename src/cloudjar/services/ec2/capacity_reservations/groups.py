"""Resource groups that hold a reservation: none, because there are no resource groups here.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetGroupsForCapacityReservation.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation
from cloudjar.services.ec2.lookup import need


@op("GetGroupsForCapacityReservation")
def get_groups_for_capacity_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Of a reservation that the account has."""
    need(ctx, CapacityReservation, req["CapacityReservationId"])
    return {"CapacityReservationGroups": []}
