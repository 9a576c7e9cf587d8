"""Ask for spot instances, describe and cancel requests, and what pools cost.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestSpotInstances.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances import options
from cloudjar.services.ec2.instances.access import launch_keys
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.linked_roles import SPOT
from cloudjar.services.ec2.lookup import Row, by_path, describe, narrow, need_all
from cloudjar.services.ec2.security_groups.records import SecurityGroup
from cloudjar.services.ec2.spot import prices
from cloudjar.services.ec2.spot.making import made, says
from cloudjar.services.ec2.spot.quota import refuse_too_many
from cloudjar.services.ec2.spot.records import SpotRequest
from cloudjar.services.ec2.spot.terms import checked
from cloudjar.spec import instance_types, regions

PRODUCT = "Linux/UNIX"
_DISKS = "LaunchSpecification.BlockDeviceMappings[]"
_PLUGS = "LaunchSpecification.NetworkInterfaces[]"
FILTERS = by_path(
    {
        "availability-zone-group": "AvailabilityZoneGroup",
        "create-time": "CreateTime",
        "fault-code": "Fault.Code",
        "fault-message": "Fault.Message",
        "instance-id": "InstanceId",
        "launch-group": "LaunchGroup",
        "launch.block-device-mapping.delete-on-termination": f"{_DISKS}.Ebs.DeleteOnTermination",
        "launch.block-device-mapping.device-name": f"{_DISKS}.DeviceName",
        "launch.block-device-mapping.snapshot-id": f"{_DISKS}.Ebs.SnapshotId",
        "launch.block-device-mapping.volume-size": f"{_DISKS}.Ebs.VolumeSize",
        "launch.block-device-mapping.volume-type": f"{_DISKS}.Ebs.VolumeType",
        "launch.group-id": "LaunchSpecification.SecurityGroups[].GroupId",
        "launch.group-name": "LaunchSpecification.SecurityGroups[].GroupName",
        "launch.image-id": "LaunchSpecification.ImageId",
        "launch.instance-type": "LaunchSpecification.InstanceType",
        "launch.kernel-id": "LaunchSpecification.KernelId",
        "launch.key-name": "LaunchSpecification.KeyName",
        "launch.monitoring-enabled": "LaunchSpecification.Monitoring.Enabled",
        "launch.ramdisk-id": "LaunchSpecification.RamdiskId",
        "launched-availability-zone": "LaunchedAvailabilityZone",
        "launched-availability-zone-id": "LaunchedAvailabilityZoneId",
        "network-interface.addresses.primary": f"{_PLUGS}.PrivateIpAddresses[].Primary",
        "network-interface.delete-on-termination": f"{_PLUGS}.DeleteOnTermination",
        "network-interface.description": f"{_PLUGS}.Description",
        "network-interface.device-index": f"{_PLUGS}.DeviceIndex",
        "network-interface.group-id": f"{_PLUGS}.Groups",
        "network-interface.network-interface-id": f"{_PLUGS}.NetworkInterfaceId",
        "network-interface.private-ip-address": f"{_PLUGS}.PrivateIpAddress",
        "network-interface.subnet-id": f"{_PLUGS}.SubnetId",
        "product-description": "ProductDescription",
        "spot-instance-request-id": "SpotInstanceRequestId",
        "spot-price": "SpotPrice",
        "state": "State",
        "status-code": "Status.Code",
        "status-message": "Status.Message",
        "type": "Type",
        "valid-from": "ValidFrom",
        "valid-until": "ValidUntil",
    }
)
PRICE_FILTERS = by_path(
    {
        "availability-zone": "AvailabilityZone",
        "availability-zone-id": "AvailabilityZoneId",
        "instance-type": "InstanceType",
        "product-description": "ProductDescription",
        "spot-price": "SpotPrice",
        "timestamp": "Timestamp",
    }
)


def _keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    return launch_keys(ctx, {**(req.get("LaunchSpecification") or {}), "InstanceMarketOptions": {"MarketType": "spot"}})


@op("RequestSpotInstances", keys=_keys)
def request_spot_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Requests that wait for their instances; Spot launches them in its own name."""
    params = req.get("LaunchSpecification") or {}
    if not params.get("ImageId"):
        raise errors.missing_one("LaunchSpecification.ImageId")
    count = req["InstanceCount"] if req.get("InstanceCount") is not None else 1
    if count < 1:
        raise errors.invalid_parameter(count, "instanceCount", "Value must be greater than 0.")
    errors.refuse(req, "LaunchGroup", "AvailabilityZoneGroup")
    errors.refuse(params, "AddressingType")
    kind = params.get("InstanceType") or "m1.small"
    if not instance_types.exists(kind):
        raise errors.invalid_value(f"Invalid value '{kind}' for InstanceType.")
    options.refuse_unbuilt(params)
    terms = checked(ctx, req)
    refuse_too_many(ctx, kind, count, instance_types.size(kind).vcpus)
    SPOT.make(ctx)
    given = tags.specified(req, "spot-instances-request")
    shown = [made(ctx, terms, params, given) for _ in range(count)]
    return {"SpotInstanceRequests": [show_request(ctx, request) for request in shown]}


@op("DescribeSpotInstanceRequests")
def describe_spot_instance_requests(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Requests that are waiting, fulfilled, or over since a few hours."""
    found = describe(
        ctx, req, SpotRequest, "SpotInstanceRequestIds", lambda request: show_request(ctx, request), FILTERS
    )
    return {"SpotInstanceRequests": found}


@op("CancelSpotInstanceRequests")
def cancel_spot_instance_requests(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End requests; their instances run on."""
    answer = []
    for request in need_all(ctx, SpotRequest, req["SpotInstanceRequestIds"]):
        if request.state in ("open", "active", "disabled"):
            vm = ctx.db[Instance].get(request.instance_id) if request.instance_id else None
            runs = vm is not None and vm.alive
            code = "request-canceled-and-instance-running" if runs else "canceled-before-fulfillment"
            request = says(ctx, request, code, state="cancelled")
        answer.append({"SpotInstanceRequestId": request.id, "State": request.state})
    return {"CancelledSpotInstanceRequests": answer}


@op("DescribeSpotPriceHistory")
def describe_spot_price_history(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The price of each pool: one entry each, of the day in which `StartTime` lies, because prices do not move here."""
    if req.get("AvailabilityZone") and req.get("AvailabilityZoneId"):
        raise errors.combination("You cannot specify both AvailabilityZone and AvailabilityZoneId.")
    end: datetime = req.get("EndTime") or ctx.now
    start = min(req.get("StartTime") or end, end, ctx.now)
    since = start.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = [] if PRODUCT not in _products(req) else [Row({}, view) for view in _history(ctx, req, since)]
    return {"SpotPriceHistory": narrow(req, PRICE_FILTERS, rows)}


def _products(req: Mapping[str, Any]) -> set[str]:
    asked = req.get("ProductDescriptions") or [PRODUCT]
    return {name.removesuffix(" (Amazon VPC)") for name in asked}


def _history(ctx: Ctx, req: Mapping[str, Any], since: datetime) -> Iterable[dict[str, Any]]:
    wanted = req.get("InstanceTypes")
    place = req.get("AvailabilityZone") or req.get("AvailabilityZoneId")
    for zone in regions.zones(ctx.region, ctx.account):
        if place and place not in (zone.name, zone.id):
            continue
        for kind in sorted(set(wanted or instance_types.names()) & instance_types.offered(ctx.region)[zone.id]):
            price = prices.spot(ctx.region, zone.id, kind)
            if price is not None and instance_types.spot_quota(kind) is not None:
                yield {
                    "AvailabilityZone": zone.name,
                    "AvailabilityZoneId": zone.id,
                    "InstanceType": kind,
                    "ProductDescription": PRODUCT,
                    "SpotPrice": prices.told(price),
                    "Timestamp": since,
                }


def show_request(ctx: Ctx, request: SpotRequest) -> dict[str, Any]:
    """AWS's SpotInstanceRequest."""
    zone = regions.zone(request.zone, request.account) if request.zone else None
    return {
        "CreateTime": request.created,
        "Fault": {"Code": request.fault[0], "Message": request.fault[1]} if request.fault else None,
        "InstanceId": request.instance_id or None,
        "InstanceInterruptionBehavior": request.behavior,
        "LaunchSpecification": _specification(ctx, request),
        "LaunchedAvailabilityZone": request.zone or None,
        "LaunchedAvailabilityZoneId": zone.id if zone is not None else None,
        "ProductDescription": PRODUCT,
        "SpotInstanceRequestId": request.id,
        "SpotPrice": request.max_price or None,
        "State": request.state,
        "Status": {"Code": request.code, "Message": request.message, "UpdateTime": request.updated},
        "Tags": tags.as_list(request.tags) if request.tags else None,
        "Type": request.type,
        "ValidFrom": request.valid_from,
        "ValidUntil": request.valid_until,
    }


_SHOWN = (
    "AddressingType", "BlockDeviceMappings", "EbsOptimized", "IamInstanceProfile", "ImageId", "InstanceType",
    "KernelId", "KeyName", "Monitoring", "NetworkInterfaces", "Placement", "RamdiskId", "SubnetId", "UserData",
)  # fmt: skip


def _specification(ctx: Ctx, request: SpotRequest) -> dict[str, Any]:
    shown = {name: request.params[name] for name in _SHOWN if request.params.get(name) is not None}
    groups = [
        {"GroupId": key, "GroupName": found.name}
        for key in request.params.get("SecurityGroupIds") or ()
        if (found := ctx.db[SecurityGroup].get(key)) is not None
    ]
    named = [{"GroupName": name} for name in request.params.get("SecurityGroups") or ()]
    return {
        **shown,
        "InstanceType": request.kind,
        "Monitoring": shown.get("Monitoring") or {"Enabled": False},
        "SecurityGroups": groups + named or None,
    }


