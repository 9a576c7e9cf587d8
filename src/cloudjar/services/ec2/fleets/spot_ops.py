"""Spot Fleet, the older of the two: request, describe, change and cancel.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-fleet.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.fleets import spot_asking
from cloudjar.services.ec2.fleets.history import ERROR, INSTANCE, STATE, note
from cloudjar.services.ec2.fleets.launching import refuse_launch
from cloudjar.services.ec2.fleets.life import end, fulfilled, put
from cloudjar.services.ec2.fleets.ops import active, lines, show_line
from cloudjar.services.ec2.fleets.pools import ON_DEMAND
from cloudjar.services.ec2.fleets.records import SpotFleet
from cloudjar.services.ec2.linked_roles import SPOT, SPOT_FLEET

_ENDS = ("deleted", "deleted_running", "deleted_terminating")
STATES = {state: state.replace("deleted", "cancelled") for state in _ENDS}
KINDS = {INSTANCE: "instanceChange", STATE: "fleetRequestChange", ERROR: "error"}


@op("RequestSpotFleet")
def request_spot_fleet(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A fleet that launches by itself, in the name of Spot Fleet's role."""
    asked = req["SpotFleetRequestConfig"]
    goal, sources = spot_asking.goal(ctx, asked), spot_asking.sources(ctx, asked)
    role = spot_asking.role(ctx, asked["IamFleetRole"])
    SPOT_FLEET.make(ctx)
    SPOT.make(ctx)
    refuse_launch(ctx, sources, goal, SPOT_FLEET.principal)
    fleet = ctx.db[SpotFleet].add(
        SpotFleet(
            id=f"sfr-{ids.uuid4()}",
            state="submitted",
            created=ctx.now,
            goal=goal,
            sources=sources,
            role=role,
            client_token=asked.get("ClientToken") or "",
            tags=tags.specified(asked, "spot-fleet-request"),
        )
    )
    note(ctx, fleet, STATE, "submitted", "The request for the fleet was received.")
    return {"SpotFleetRequestId": fleet.id}


@op("DescribeSpotFleetRequests")
def describe_spot_fleet_requests(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Spot Fleets by id, or all."""
    wanted = req.get("SpotFleetRequestIds")
    found = ctx.db[SpotFleet].need_all(dict.fromkeys(wanted)) if wanted else ctx.db[SpotFleet].all()
    return {"SpotFleetRequestConfigs": [show_request(ctx, fleet) for fleet in found]}


def show_request(ctx: Ctx, fleet: SpotFleet) -> dict[str, Any]:
    """AWS's SpotFleetRequestConfig."""
    there = fulfilled(ctx, fleet)
    activity: str | None = "pending_termination" if fleet.state == "deleted_terminating" else None
    if fleet.live:
        short = "error" if fleet.again is not None else "pending_fulfillment"
        activity = "fulfilled" if there >= fleet.goal.total else short
    return {
        "ActivityStatus": activity,
        "CreateTime": fleet.created,
        "SpotFleetRequestConfig": _config(ctx, fleet, there),
        "SpotFleetRequestId": fleet.id,
        "SpotFleetRequestState": _state(fleet),
        "Tags": tags.as_list(fleet.tags) if fleet.tags else None,
    }


def _state(fleet: SpotFleet) -> str:
    return STATES.get(fleet.state, fleet.state)


def _config(ctx: Ctx, fleet: SpotFleet, there: float) -> dict[str, Any]:
    goal = fleet.goal
    words = {to: own for own, to in spot_asking.STRATEGIES.items()}
    templated = "LaunchTemplateSpecification" in fleet.sources[0].asked
    shown = [source.asked for source in fleet.sources]
    return {
        "AllocationStrategy": words[goal.spot_strategy],
        "ClientToken": fleet.client_token or None,
        "ExcessCapacityTerminationPolicy": "noTermination" if goal.excess == "no-termination" else "default",
        "FulfilledCapacity": there,
        "IamFleetRole": fleet.role,
        "InstanceInterruptionBehavior": goal.behavior,
        "InstancePoolsToUseCount": goal.pools if goal.spot_strategy == "lowest-price" else None,
        "LaunchSpecifications": None if templated else shown,
        "LaunchTemplateConfigs": shown if templated else None,
        "OnDemandAllocationStrategy": words[goal.on_demand_strategy],
        "OnDemandFulfilledCapacity": fulfilled(ctx, fleet, ON_DEMAND),
        "OnDemandMaxTotalPrice": goal.budget.get("on-demand"),
        "OnDemandTargetCapacity": goal.on_demand,
        "ReplaceUnhealthyInstances": False,
        "SpotMaintenanceStrategies": goal.shown.get("SpotMaintenanceStrategies"),
        "SpotMaxTotalPrice": goal.budget.get("spot"),
        "SpotPrice": goal.max_price or None,
        "TargetCapacity": goal.total,
        "TargetCapacityUnitType": goal.unit if goal.unit != "units" else None,
        "TerminateInstancesWithExpiration": goal.expiry_terminates,
        "Type": goal.type,
        "ValidFrom": goal.valid_from,
        "ValidUntil": goal.valid_until,
    }


@op("DescribeSpotFleetInstances")
def describe_spot_fleet_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The instances of a Spot Fleet that are there."""
    fleet = ctx.db[SpotFleet].need(req["SpotFleetRequestId"])
    return {"SpotFleetRequestId": fleet.id, "ActiveInstances": list(active(ctx, fleet))}


@op("DescribeSpotFleetRequestHistory")
def describe_spot_fleet_request_history(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What happened to a Spot Fleet since `StartTime`."""
    fleet, start = ctx.db[SpotFleet].need(req["SpotFleetRequestId"]), req["StartTime"]
    told = [show_line(line, KINDS[line.type]) for line in lines(ctx, fleet, start)]
    wanted = req.get("EventType")
    return {
        "HistoryRecords": [view for view in told if wanted in (None, view["EventType"])],
        "LastEvaluatedTime": ctx.now,
        "SpotFleetRequestId": fleet.id,
        "StartTime": start,
    }


@op("ModifySpotFleetRequest")
def modify_spot_fleet_request(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another capacity or other templates."""
    errors.refuse(req, "Context")
    fleet = ctx.db[SpotFleet].need(req["SpotFleetRequestId"])
    if not fleet.live or fleet.goal.type != "maintain":
        raise AwsError(
            "InvalidSpotFleetRequestState" if not fleet.live else "InvalidSpotFleetRequestConfig",
            f"The Spot Fleet request '{fleet.id}' cannot be modified.",
        )
    goal, sources = fleet.goal, fleet.sources
    if req.get("ExcessCapacityTerminationPolicy"):
        kept = req["ExcessCapacityTerminationPolicy"] == "noTermination"
        goal = replace(goal, excess="no-termination" if kept else "termination")
    if req.get("TargetCapacity") is not None or req.get("OnDemandTargetCapacity") is not None:
        total = req["TargetCapacity"] if req.get("TargetCapacity") is not None else goal.total
        demand = req["OnDemandTargetCapacity"] if req.get("OnDemandTargetCapacity") is not None else goal.on_demand
        total, demand = spot_asking.capacities(total, demand)
        goal = replace(goal, total=total, on_demand=demand, spot=total - demand)
    if req.get("LaunchTemplateConfigs"):
        sources = spot_asking.sources(ctx, req)
        refuse_launch(ctx, sources, goal, SPOT_FLEET.principal)
    put(ctx, fleet, goal=goal, sources=sources, again=None)
    return {"Return": True}


@op("CancelSpotFleetRequests")
def cancel_spot_fleet_requests(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End Spot Fleets; their instances too, or not."""
    done, failed = [], []
    for key in dict.fromkeys(req["SpotFleetRequestIds"]):
        fleet = ctx.db[SpotFleet].get(key)
        if fleet is None or not fleet.live:
            code = "fleetRequestIdDoesNotExist" if fleet is None else "fleetRequestNotInCancellableState"
            said = f"The spot fleet request '{key}' " + ("does not exist" if fleet is None else "is cancelled already")
            failed.append({"SpotFleetRequestId": key, "Error": {"Code": code, "Message": said}})
            continue
        after = end(ctx, fleet, terminates=bool(req["TerminateInstances"]), subtype="cancelled")
        done.append(
            {
                "CurrentSpotFleetRequestState": _state(after),
                "PreviousSpotFleetRequestState": fleet.state,
                "SpotFleetRequestId": key,
            }
        )
    return {"SuccessfulFleetRequests": done, "UnsuccessfulFleetRequests": failed}
