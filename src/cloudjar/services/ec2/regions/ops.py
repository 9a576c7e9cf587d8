"""Regions, zones and what an account may have there.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.kit import accounts
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.services.ec2.vpcs.making import default_vpc
from cloudjar.spec import regions

_OUT = "not-opted-in"

REGION_FILTERS = by_path({"endpoint": "Endpoint", "opt-in-status": "OptInStatus", "region-name": "RegionName"})

ZONE_FILTERS = by_path(
    {
        "group-long-name": "GroupLongName",
        "group-name": "GroupName",
        "message": "Messages[].Message",
        "opt-in-status": "OptInStatus",
        "parent-zone-id": "ParentZoneId",
        "parent-zone-name": "ParentZoneName",
        "region-name": "RegionName",
        "state": "State",
        "zone-id": "ZoneId",
        "zone-name": "ZoneName",
        "zone-type": "ZoneType",
    }
)


@op("DescribeRegions")
def describe_regions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The regions that the account can be used in; ``AllRegions`` adds those that it has not opted in to."""
    names = req.get("RegionNames") or ()
    for name in names:
        if name not in regions.NAMES:
            raise errors.invalid_value(f"Invalid region names: [{name}]")
    rows = [
        Row(
            {},
            {
                "Endpoint": f"ec2.{region.name}.amazonaws.com",
                "OptInStatus": _opt_in_status(ctx, region.name),
                "RegionName": region.name,
            },
        )
        for region in regions.regions()
        if (region.name in names if names else req.get("AllRegions") or _opt_in_status(ctx, region.name) != _OUT)
    ]
    return {"Regions": narrow(req, REGION_FILTERS, rows)}


def _opt_in_status(ctx: Ctx, name: str) -> str:
    state = accounts.region_state(ctx.db, ctx.account, name, ctx.world.settings["region"])
    return {"ENABLED_BY_DEFAULT": "opt-in-not-required", "ENABLED": "opted-in"}.get(state, _OUT)


@op("DescribeAvailabilityZones")
def describe_availability_zones(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The zones of this region as this account sees them."""
    zones = _selected(ctx, req)
    return {"AvailabilityZones": narrow(req, ZONE_FILTERS, [Row({}, show_zone(zone)) for zone in zones])}


def _selected(ctx: Ctx, req: Mapping[str, Any]) -> list[regions.Zone]:
    zones = regions.zones(ctx.region, ctx.account)
    names, ids = req.get("ZoneNames") or (), req.get("ZoneIds") or ()
    for given, known, what in (
        (names, {zone.name for zone in zones}, "availability zone"),
        (ids, {zone.id for zone in zones}, "availability zone-id"),
    ):
        for value in given:
            if value not in known:
                raise errors.invalid_value(f"Invalid {what}: [{value}]")
    if not names and not ids:
        return list(zones)
    return [zone for zone in zones if zone.name in names or zone.id in ids]


def show_zone(zone: regions.Zone) -> dict[str, Any]:
    """AWS's AvailabilityZone."""
    region = regions.region(zone.region)
    return {
        "GroupLongName": f"{region.long_name} 1",
        "GroupName": region.zone_group,
        "Messages": [],
        "NetworkBorderGroup": zone.region,
        "OptInStatus": "opt-in-not-required" if zone.region in regions.DEFAULT else "opted-in",
        "RegionName": zone.region,
        "State": "available",
        "ZoneId": zone.id,
        "ZoneName": zone.name,
        "ZoneType": "availability-zone",
    }


@op("DescribeAccountAttributes")
def describe_account_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the account has and may have in this region."""
    vpc = default_vpc(ctx)
    addresses = f"{ctx.limit('ec2', 'L-0263D0A3') or 5:.0f}"
    attributes = {
        "supported-platforms": "VPC",
        "default-vpc": vpc.id if vpc is not None else "none",
        "max-instances": "20",
        "vpc-max-security-groups-per-interface": f"{ctx.limit('vpc', 'L-2AFB9258') or 5:.0f}",
        "max-elastic-ips": addresses,
        "vpc-max-elastic-ips": addresses,
    }
    wanted = req.get("AttributeNames") or list(attributes)
    return {
        "AccountAttributes": [
            {"AttributeName": name, "AttributeValues": [{"AttributeValue": attributes[name]}]}
            for name in wanted
            if name in attributes
        ]
    }
