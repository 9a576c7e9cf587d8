"""EC2 Fleet: create, describe, change and delete.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.fleets import asking
from cloudjar.services.ec2.fleets.history import STATE, note
from cloudjar.services.ec2.fleets.launching import Actor, Launched, fill, refuse_launch
from cloudjar.services.ec2.fleets.life import end, fulfilled, put, terminate
from cloudjar.services.ec2.fleets.pools import ON_DEMAND, SPOT
from cloudjar.services.ec2.fleets.records import Anyone, Fleet, FleetEvent, Member
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.linked_roles import FLEET
from cloudjar.services.ec2.linked_roles import SPOT as SPOT_ROLE
from cloudjar.services.ec2.lookup import by_path, describe

VIA = FLEET.principal
FILTERS = by_path(
    {
        "activity-status": "ActivityStatus",
        "excess-capacity-termination-policy": "ExcessCapacityTerminationPolicy",
        "fleet-state": "FleetState",
        "replace-unhealthy-instances": "ReplaceUnhealthyInstances",
        "type": "Type",
    }
)
_FOR_INSTANT = frozenset(("fleet", "instance", "network-interface", "volume", "spot-instances-request"))


@op("CreateFleet")
def create_fleet(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A fleet. An instant one launches now, as who asks, and tells what it got; the others launch by themselves."""
    goal, sources = asking.goal(ctx, req), asking.sources(ctx, req["LaunchTemplateConfigs"])
    if goal.valid_until is not None and goal.valid_until <= ctx.now:
        raise errors.invalid_parameter(goal.valid_until, "validUntil", "It must be in the future.")
    instant = goal.type == "instant"
    _check_tags(req, instant=instant)
    FLEET.make(ctx)
    if goal.spot:
        SPOT_ROLE.make(ctx)
    if not instant:
        refuse_launch(ctx, sources, goal, VIA)
    fleet = ctx.db[Fleet].add(
        Fleet(
            id=f"fleet-{ids.uuid4()}",
            state="active" if instant else "submitted",
            created=ctx.now,
            goal=goal,
            sources=sources,
            client_token=req.get("ClientToken") or "",
            tags=tags.specified(req, "fleet"),
        )
    )
    note(ctx, fleet, STATE, fleet.state, "The request for the fleet was received.")
    if not instant:
        return {"FleetId": fleet.id}
    fleet = _launch_now(ctx, fleet, [t for t in req.get("TagSpecifications") or () if t["ResourceType"] != "fleet"])
    return {"FleetId": fleet.id, "Errors": list(fleet.errors), "Instances": _groups(ctx, fleet)}


def _check_tags(req: dict[str, Any], *, instant: bool) -> None:
    allowed = _FOR_INSTANT if instant else {"fleet"}
    for given in req.get("TagSpecifications") or ():
        if given.get("ResourceType") not in allowed:
            raise errors.invalid_value(
                f"'{given.get('ResourceType')}' is not a valid taggable resource type for this operation."
            )


class _Short(Exception):
    """An instant fleet did not get its least capacity."""

    def __init__(self, done: Launched) -> None:
        self.done = done


def _launch_now(ctx: Ctx, fleet: Fleet, given: list[dict[str, Any]]) -> Fleet:
    """Everything at once, each market by itself; what misses its least capacity launches nothing."""
    refused: list[dict[str, Any]] = []
    for market, units in ((ON_DEMAND, fleet.goal.on_demand), (SPOT, fleet.goal.spot)):
        if not units:
            continue
        try:
            with ctx.world.state.database.transaction():
                done = fill(ctx, fleet, market, units, Actor(None, VIA), given)
                if sum(m.weight for m in done.members) < fleet.goal.single.get(market, (False, False, 0))[2]:
                    raise _Short(done)
        except _Short as short:
            done = short.done
        refused += [_error(ctx, fleet, refusal) for refusal in done.refusals]
    return put(ctx, fleet, errors=tuple(refused), complete=True)


def _error(ctx: Ctx, fleet: Anyone, refusal: Any) -> dict[str, Any]:
    pool = refusal.pool
    return {
        "LaunchTemplateAndOverrides": _launched_from(fleet, pool.source, pool.override, pool.kind, pool.zone),
        "Lifecycle": refusal.market,
        "ErrorCode": refusal.error.code,
        "ErrorMessage": refusal.error.message,
    }


def _launched_from(fleet: Anyone, source: int, override: dict[str, Any], kind: str, zone: str) -> dict[str, Any]:
    shown = {name: value for name, value in override.items() if name != "InstanceRequirements"}
    if not shown.get("SubnetId"):
        shown.setdefault("AvailabilityZone", zone)
    return {**fleet.sources[source].asked, "Overrides": {**shown, "InstanceType": kind}}


def _groups(ctx: Ctx, fleet: Anyone) -> list[dict[str, Any]]:
    """Instances by the pool that they are of."""
    found: dict[str, dict[str, Any]] = {}
    for member in ctx.db[Member].all(fleet_id=fleet.id):
        key = f"{member.source} {member.kind} {member.zone} {member.market} {sorted(member.override.items())}"
        group = found.setdefault(
            key,
            {
                "LaunchTemplateAndOverrides": _launched_from(
                    fleet, member.source, member.override, member.kind, member.zone
                ),
                "Lifecycle": member.market,
                "InstanceIds": [],
                "InstanceType": member.kind,
            },
        )
        group["InstanceIds"].append(member.id)
    return list(found.values())


@op("DescribeFleets")
def describe_fleets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Fleets; instant ones only by their ids, as on AWS."""
    found = describe(ctx, req, Fleet, "FleetIds", lambda fleet: show_fleet(ctx, fleet), FILTERS)
    if not req.get("FleetIds"):
        found = [view for view in found if view["Type"] != "instant"]
    return {"Fleets": found}


def show_fleet(ctx: Ctx, fleet: Fleet) -> dict[str, Any]:
    """AWS's FleetData."""
    goal, instant = fleet.goal, fleet.goal.type == "instant"
    return {
        "ActivityStatus": _activity(ctx, fleet),
        "ClientToken": fleet.client_token or None,
        "CreateTime": fleet.created,
        "Errors": list(fleet.errors) if instant else None,
        "ExcessCapacityTerminationPolicy": goal.excess,
        "FleetId": fleet.id,
        "FleetState": fleet.state,
        "FulfilledCapacity": fulfilled(ctx, fleet),
        "FulfilledOnDemandCapacity": fulfilled(ctx, fleet, ON_DEMAND),
        "Instances": _groups(ctx, fleet) if instant else None,
        "LaunchTemplateConfigs": [{**one.asked, "Overrides": list(one.overrides)} for one in fleet.sources],
        "OnDemandOptions": {"AllocationStrategy": goal.on_demand_strategy, **(goal.shown.get("OnDemandOptions") or {})},
        "ReplaceUnhealthyInstances": False,
        "SpotOptions": {
            "AllocationStrategy": goal.spot_strategy,
            "InstanceInterruptionBehavior": goal.behavior,
            **({"InstancePoolsToUseCount": goal.pools} if goal.spot_strategy == "lowest-price" else {}),
            **(goal.shown.get("SpotOptions") or {}),
        },
        "Tags": tags.as_list(fleet.tags) if fleet.tags else None,
        "TargetCapacitySpecification": {
            "DefaultTargetCapacityType": goal.default,
            "OnDemandTargetCapacity": goal.on_demand,
            "SpotTargetCapacity": goal.spot,
            "TargetCapacityUnitType": goal.unit if goal.unit != "units" else None,
            "TotalTargetCapacity": goal.total,
        },
        "TerminateInstancesWithExpiration": goal.expiry_terminates,
        "Type": goal.type,
        "ValidFrom": goal.valid_from,
        "ValidUntil": goal.valid_until,
    }


def _activity(ctx: Ctx, fleet: Anyone) -> str | None:
    if fleet.state == "deleted_terminating":
        return "pending_termination"
    if not fleet.live:
        return None
    if fulfilled(ctx, fleet) >= fleet.goal.total or fleet.complete:
        return "fulfilled"
    return "error" if fleet.again is not None else "pending_fulfillment"


@op("DescribeFleetInstances")
def describe_fleet_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The instances of a fleet that are there."""
    fleet = ctx.db[Fleet].need(req["FleetId"])
    if fleet.goal.type == "instant":
        raise errors.combination("DescribeFleetInstances does not support fleets of type instant.")
    wanted = [v for f in req.get("Filters") or () if f.get("Name") == "instance-type" for v in f.get("Values") or ()]
    if any(f.get("Name") != "instance-type" for f in req.get("Filters") or ()):
        raise errors.invalid_value("The filter is invalid: instance-type is the only one.")
    found = [view for view in active(ctx, fleet) if not wanted or view["InstanceType"] in wanted]
    return {"FleetId": fleet.id, "ActiveInstances": found}


def active(ctx: Ctx, fleet: Anyone) -> Iterable[dict[str, Any]]:
    """AWS's ActiveInstance of each member."""
    for member in ctx.db[Member].all(fleet_id=fleet.id):
        vm = ctx.db[Instance].get(member.id)
        if vm is not None and vm.alive:
            yield {
                "InstanceId": vm.id,
                "InstanceType": vm.type,
                "SpotInstanceRequestId": vm.spot_request_id or None,
                "InstanceHealth": "healthy",
            }


@op("DescribeFleetHistory")
def describe_fleet_history(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What happened to a fleet since `StartTime`."""
    fleet = ctx.db[Fleet].need(req["FleetId"])
    if fleet.goal.type == "instant":
        raise errors.combination("DescribeFleetHistory does not support fleets of type instant.")
    kind, start = req.get("EventType"), req["StartTime"]
    found = [line for line in lines(ctx, fleet, start) if kind in (None, line.type)]
    return {
        "FleetId": fleet.id,
        "HistoryRecords": [show_line(line, line.type) for line in found],
        "LastEvaluatedTime": ctx.now,
        "StartTime": start,
    }


def lines(ctx: Ctx, fleet: Anyone, start: datetime) -> list[FleetEvent]:
    """The history from an instant on."""
    return [line for line in ctx.db[FleetEvent].all(fleet_id=fleet.id) if line.at >= start]


def show_line(line: FleetEvent, kind: str) -> dict[str, Any]:
    """AWS's HistoryRecord."""
    told = {"EventDescription": line.text, "EventSubType": line.subtype, "InstanceId": line.instance_id or None}
    return {"EventInformation": told, "EventType": kind, "Timestamp": line.at}


@op("ModifyFleet")
def modify_fleet(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another capacity, or other templates, of a fleet that is not instant."""
    errors.refuse(req, "Context")
    fleet = ctx.db[Fleet].need(req["FleetId"])
    if not fleet.live or fleet.goal.type == "instant":
        raise AwsError("InvalidFleetState", f"The fleet '{fleet.id}' cannot be modified.")
    goal, sources = fleet.goal, fleet.sources
    if req.get("ExcessCapacityTerminationPolicy"):
        goal = replace(goal, excess=req["ExcessCapacityTerminationPolicy"])
    if req.get("TargetCapacitySpecification"):
        if goal.type != "maintain":
            raise errors.combination("The target capacity can be modified for fleets of type maintain only.")
        kept = {"DefaultTargetCapacityType": goal.default, **req["TargetCapacitySpecification"]}
        total, demand, spot, default = asking.capacities(kept)
        goal = replace(goal, total=total, on_demand=demand, spot=spot, default=default)
    if req.get("LaunchTemplateConfigs"):
        sources = asking.sources(ctx, req["LaunchTemplateConfigs"])
    refuse_launch(ctx, sources, goal, VIA)
    put(ctx, fleet, goal=goal, sources=sources, again=None, complete=False)
    return {"Return": True}


@op("DeleteFleets")
def delete_fleets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End fleets; their instances too, or not. Those of an instant fleet go with it, now and as who asks."""
    done, failed = [], []
    for key in dict.fromkeys(req["FleetIds"]):
        fleet = ctx.db[Fleet].get(key)
        try:
            if fleet is None:
                raise AwsError("fleetIdDoesNotExist", f"The fleet ID '{key}' does not exist")
            done.append(_delete(ctx, fleet, terminates=bool(req["TerminateInstances"])))
        except AwsError as error:
            failed.append({"FleetId": key, "Error": {"Code": error.code, "Message": error.message}})
    return {"SuccessfulFleetDeletions": done, "UnsuccessfulFleetDeletions": failed}


def _delete(ctx: Ctx, fleet: Fleet, *, terminates: bool) -> dict[str, Any]:
    if not fleet.live:
        raise AwsError("fleetNotInDeletableState", f"The fleet '{fleet.id}' is in the state '{fleet.state}'.")
    if fleet.goal.type == "instant" and not terminates:
        raise AwsError(
            "NoTerminateInstancesNotSupported",
            "NoTerminateInstances option is not supported for instant fleet",
        )
    after = end(ctx, fleet, terminates=terminates)
    if fleet.goal.type == "instant":
        terminate(ctx, after, [member.id for member in ctx.db[Member].all(fleet_id=fleet.id)])
    return {"CurrentFleetState": after.state, "PreviousFleetState": fleet.state, "FleetId": fleet.id}
