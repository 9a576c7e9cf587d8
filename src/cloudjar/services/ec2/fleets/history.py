"""A fleet's history and its events.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ec2-fleet-using-eventbridge.html
"""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2.fleets.records import Anyone, Fleet, FleetEvent

INSTANCE, STATE, ERROR = "instance-change", "fleet-change", "service-error"
_EVENTS = {INSTANCE: "Instance Change", STATE: "State Change", ERROR: "Error"}


def note(ctx: Ctx, fleet: Anyone, kind: str, subtype: str, text: str, instance_id: str = "") -> None:
    """Write a line and emit its event. The same refusal is written once, not at each try."""
    lines = ctx.db[FleetEvent].all(fleet_id=fleet.id)
    if kind == ERROR and lines and (lines[-1].subtype, lines[-1].text) == (subtype, text):
        return
    ctx.db[FleetEvent].add(
        FleetEvent(
            id=f"{fleet.id}:{len(lines):09}", fleet_id=fleet.id, at=ctx.now, type=kind, subtype=subtype, text=text,
            instance_id=instance_id,
        )
    )  # fmt: skip
    source, name = ("aws.ec2fleet", "EC2 Fleet") if isinstance(fleet, Fleet) else ("aws.ec2spotfleet", "EC2 Spot Fleet")
    detail = {"sub-type": subtype, "description": text}
    if instance_id:
        detail["instance-id"] = instance_id
    ctx.emit(source, f"{name} {_EVENTS[kind]}", detail, (arn_of(fleet),))
