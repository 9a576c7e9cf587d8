"""Allocate, describe, change and release Dedicated Hosts. They are records: the host of this jar is the same for all.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/dedicated-hosts-overview.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.hosts import placing
from cloudjar.services.ec2.hosts.records import Host
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.spec import instance_types, regions

FILTERS = by_path(
    {
        "auto-placement": "AutoPlacement",
        "availability-zone": "AvailabilityZone",
        "client-token": "ClientToken",
        "host-reservation-id": "HostReservationId",
        "instance-type": "HostProperties.InstanceType",
        "state": "State",
    }
)


@op("AllocateHosts")
def allocate_hosts(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Hosts for one type, or for all types of a family, in a zone."""
    errors.refuse(req, "OutpostArn", "AssetIds", "CpuOptions")
    zone = _zone(ctx, req)
    kind, family = _kind(req)
    offered = instance_types.offered(ctx.region).get(zone.id)
    if offered is not None and not offered.intersection([kind] if kind else placing.types_of(family)):
        raise AwsError("Unsupported", f"Dedicated Hosts of {kind or family} are not supported in {zone.name}.")
    count = req.get("Quantity") if req.get("Quantity") is not None else 1
    if count is None or not 1 <= count <= 100:
        raise errors.invalid_parameter(count, "quantity", "It must be between 1 and 100.")
    given = tags.specified(req, "dedicated-host")
    made = [
        ctx.db[Host].add(
            Host(
                id=ctx.new_id("h"),
                type=kind,
                family=family,
                zone=zone.name,
                auto_placement=req.get("AutoPlacement") or "on",
                recovery=req.get("HostRecovery") or "off",
                maintenance=req.get("HostMaintenance") or "off",
                allocated=ctx.now,
                client_token=req.get("ClientToken") or "",
                tags=given,
            )
        ).id
        for _ in range(count)
    ]
    return {"HostIds": made}


def _zone(ctx: Ctx, req: dict[str, Any]) -> regions.Zone:
    name, key = req.get("AvailabilityZone"), req.get("AvailabilityZoneId")
    if bool(name) == bool(key):
        raise errors.combination("Specify either AvailabilityZone or AvailabilityZoneId.")
    found = regions.zone(str(name or key), ctx.account)
    if found is None or found.region != ctx.region:
        raise errors.invalid_value(f"Invalid availability zone: [{name or key}]")
    return found


def _kind(req: dict[str, Any]) -> tuple[str, str]:
    kind, family = req.get("InstanceType") or "", req.get("InstanceFamily") or ""
    if bool(kind) == bool(family):
        raise errors.combination("Specify either InstanceType or InstanceFamily.")
    family = family or kind.partition(".")[0]
    known = placing.types_of(family)
    if not known or (kind and kind not in known):
        raise errors.invalid_value(f"Dedicated Hosts do not support '{kind or family}'.")
    return kind, family


@op("DescribeHosts")
def describe_hosts(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Hosts, what is on them and what still fits."""
    asked = {**req, "Filters": req.get("Filter")}
    return {"Hosts": describe(ctx, asked, Host, "HostIds", lambda host: show_host(ctx, host), FILTERS)}


@op("ModifyHosts")
def modify_hosts(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other placement, recovery and maintenance; another type only while nothing is on it."""
    done, failed = [], []
    for key in dict.fromkeys(req["HostIds"]):
        host = need(ctx, Host, key)
        try:
            ctx.db[Host].put(_modified(ctx, host, req))
            done.append(key)
        except AwsError as error:
            failed.append({"ResourceId": key, "Error": {"Code": error.code, "Message": error.message}})
    return {"Successful": done, "Unsuccessful": failed}


def _modified(ctx: Ctx, host: Host, req: dict[str, Any]) -> Host:
    if req.get("InstanceType") or req.get("InstanceFamily"):
        kind, family = _kind(req)
        if family != host.family:
            raise errors.invalid_value(f"The host '{host.id}' is of the family {host.family}.")
        if any(kind and vm.type != kind for vm in placing.on_host(ctx, host)):
            raise AwsError("InvalidHost.Occupied", f"The host '{host.id}' has instances of other types.")
        host = replace(host, type=kind)
    return replace(
        host,
        auto_placement=req.get("AutoPlacement") or host.auto_placement,
        recovery=req.get("HostRecovery") or host.recovery,
        maintenance=req.get("HostMaintenance") or host.maintenance,
    )


@op("ReleaseHosts")
def release_hosts(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give hosts back that have no instance, running or stopped."""
    done, failed = [], []
    for key in dict.fromkeys(req["HostIds"]):
        host = need(ctx, Host, key)
        if any(vm.host_id == key and vm.state != "terminated" for vm in ctx.db[Instance].all()):
            error = {"Code": "Client.InvalidHost.Occupied", "Message": f"Dedicated host '{key}' cannot be released as "
                     "it is occupied."}  # fmt: skip
            failed.append({"ResourceId": key, "Error": error})
            continue
        ctx.db[Host].put(replace(host, state="released", released=ctx.now))
        done.append(key)
    return {"Successful": done, "Unsuccessful": failed}


def show_host(ctx: Ctx, host: Host) -> dict[str, Any]:
    """AWS's Host."""
    zone = regions.zone(host.zone, host.account)
    total, free = placing.host_vcpus(host.family), placing.free_vcpus(ctx, host)
    kinds = [host.type] if host.type else placing.types_of(host.family)
    room = [
        {
            "InstanceType": kind,
            "AvailableCapacity": free // instance_types.size(kind).vcpus,
            "TotalCapacity": total // instance_types.size(kind).vcpus,
        }
        for kind in kinds
    ]
    live = [vm for vm in ctx.db[Instance].all() if vm.host_id == host.id and vm.state != "terminated"]
    return {
        "AllocationTime": host.allocated,
        "AllowsMultipleInstanceTypes": "off" if host.type else "on",
        "AutoPlacement": host.auto_placement,
        "AvailabilityZone": host.zone,
        "AvailabilityZoneId": zone.id if zone is not None else None,
        "AvailableCapacity": {"AvailableInstanceCapacity": room, "AvailableVCpus": free},
        "ClientToken": host.client_token or None,
        "HostId": host.id,
        "HostMaintenance": host.maintenance,
        "HostProperties": {
            "Cores": placing.host_cores(host.family),
            "InstanceFamily": None if host.type else host.family,
            "InstanceType": host.type or None,
            "TotalVCpus": total,
        },
        "HostRecovery": host.recovery,
        "HostReservationId": host.reservation_id or None,
        "Instances": [{"InstanceId": vm.id, "InstanceType": vm.type, "OwnerId": vm.account} for vm in live],
        "MemberOfServiceLinkedResourceGroup": False,
        "OwnerId": host.account,
        "ReleaseTime": host.released,
        "State": host.state,
        "Tags": tags.as_list(host.tags) if host.tags else None,
    }
