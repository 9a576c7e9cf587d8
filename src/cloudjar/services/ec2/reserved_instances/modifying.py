"""Modifications: the same capacity in other sizes of its family, another zone, another scope.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-modifying.html
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.services.ec2.reserved_instances.records import Modification, ReservedInstances
from cloudjar.spec import instance_types, regions

_FACTORS = {"nano": "0.25", "micro": "0.5", "small": "1", "medium": "2", "large": "4", "xlarge": "8"}
FILTERS = by_path(
    {
        "client-token": "ClientToken",
        "create-date": "CreateDate",
        "effective-date": "EffectiveDate",
        "modification-result.reserved-instances-id": "ModificationResults[].ReservedInstancesId",
        "modification-result.target-configuration.availability-zone": (
            "ModificationResults[].TargetConfiguration.AvailabilityZone"
        ),
        "modification-result.target-configuration.availability-zone-id": (
            "ModificationResults[].TargetConfiguration.AvailabilityZoneId"
        ),
        "modification-result.target-configuration.instance-count": (
            "ModificationResults[].TargetConfiguration.InstanceCount"
        ),
        "modification-result.target-configuration.instance-type": (
            "ModificationResults[].TargetConfiguration.InstanceType"
        ),
        "reserved-instances-id": "ReservedInstancesIds[].ReservedInstancesId",
        "reserved-instances-modification-id": "ReservedInstancesModificationId",
        "status": "Status",
        "status-message": "StatusMessage",
        "update-date": "UpdateDate",
    }
)


def factor(kind: str) -> Decimal:
    """The normalization factor of a size; raises InvalidParameterValue for sizes that have none here."""
    size = kind.partition(".")[2]
    if size in _FACTORS:
        return Decimal(_FACTORS[size])
    number = size.removesuffix("xlarge")
    if number.isdigit():
        return Decimal(number) * 8
    raise errors.invalid_value(f"Reserved Instances of the type '{kind}' cannot be modified to another size.")


@op("ModifyReservedInstances")
def modify_reserved_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The sources are retired, the targets take their place until the same end. AWS takes minutes; here it is done."""
    sources = ctx.db[ReservedInstances].need_all(dict.fromkeys(req["ReservedInstancesIds"]))
    _alike(sources)
    targets = [_target(ctx, sources[0], asked) for asked in req["TargetConfigurations"]]
    held = sum((factor(one.type) * one.count for one in sources), Decimal(0))
    wanted = sum((factor(kind) * count for kind, _, count in targets), Decimal(0))
    if held != wanted:
        raise errors.invalid_value(
            f"The instance size footprint of the targets ({wanted}) is not that of the Reserved Instances ({held})."
        )
    results = [_made(ctx, sources[0], *target, share=factor(target[0]) / held, sources=sources) for target in targets]
    for one in sources:
        ctx.db[ReservedInstances].put(replace(one, state="retired", end=ctx.now))
    told = [{k: v for k, v in asked.items() if v is not None} for asked in req["TargetConfigurations"]]
    made = ctx.db[Modification].add(
        Modification(
            id=f"rimod-{ids.uuid4()}",
            sources=tuple(one.id for one in sources),
            results=tuple(zip(results, told, strict=True)),
            made=ctx.now,
            client_token=req.get("ClientToken") or "",
        )
    )
    return {"ReservedInstancesModificationId": made.id}


def _alike(sources: list[ReservedInstances]) -> None:
    for one in sources:
        if one.state != "active":
            raise AwsError("InvalidState", f"The Reserved Instances '{one.id}' are not active.")
    first = sources[0]
    family = first.type.partition(".")[0]
    for one in sources[1:]:
        alike = (one.cls, one.option, one.seconds, one.end) == (first.cls, first.option, first.seconds, first.end)
        if not alike or one.type.partition(".")[0] != family:
            raise errors.invalid_value("Reserved Instances can be modified together that have the same terms and end.")


def _target(ctx: Ctx, first: ReservedInstances, asked: Mapping[str, Any]) -> tuple[str, str, int]:
    kind = asked.get("InstanceType") or first.type
    if kind.partition(".")[0] != first.type.partition(".")[0] or not instance_types.exists(kind):
        raise errors.invalid_value(f"The type '{kind}' is not of the family of the Reserved Instances.")
    count = int(asked.get("InstanceCount") or 0)
    if count < 1:
        raise errors.invalid_parameter(count, "instanceCount", "Value must be greater than 0.")
    name = asked.get("AvailabilityZone") or asked.get("AvailabilityZoneId") or ""
    if asked.get("Scope") == "Region" and name:
        raise errors.combination("A regional scope has no Availability Zone.")
    if not name:
        return kind, ("" if asked.get("Scope") == "Region" else first.zone), count
    zone = regions.zone(name, ctx.account)
    if zone is None or zone.region != ctx.region:
        raise errors.invalid_value(f"Invalid availability zone: [{name}]")
    return kind, zone.name, count


def _made(
    ctx: Ctx,
    first: ReservedInstances,
    kind: str,
    zone: str,
    count: int,
    *,
    share: Decimal,
    sources: list[ReservedInstances],
) -> str:
    """One target: each of its instances takes its share of what the sources cost; nothing is charged again."""
    fixed = sum((Decimal(one.fixed) * one.count for one in sources), Decimal(0)) * share
    hourly = sum((Decimal(one.hourly) * one.count for one in sources), Decimal(0)) * share
    made = replace(
        first, id=ids.uuid4(), type=kind, zone=zone, count=count, fixed=str(fixed), hourly=str(hourly), fee="0",
        start=ctx.now, state="active", derived=True, tags={},
    )  # fmt: skip
    return ctx.db[ReservedInstances].add(made).id


@op("DescribeReservedInstancesModifications")
def describe_reserved_instances_modifications(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Modifications by id, or all."""
    keys = req.get("ReservedInstancesModificationIds")
    found = ctx.db[Modification].all()
    if keys:
        known = {one.id: one for one in found}
        for key in keys:
            if key not in known:
                raise AwsError("InvalidReservedInstancesModificationId", f"The modification ID '{key}' does not exist")
        found = [known[key] for key in dict.fromkeys(keys)]
    rows = [Row({}, _shown(one)) for one in found]
    return {"ReservedInstancesModifications": narrow(req, FILTERS, rows)}


def _shown(one: Modification) -> dict[str, Any]:
    return {
        "ClientToken": one.client_token or None,
        "CreateDate": one.made,
        "EffectiveDate": one.made,
        "ModificationResults": [
            {"ReservedInstancesId": key, "TargetConfiguration": target} for key, target in one.results
        ],
        "ReservedInstancesIds": [{"ReservedInstancesId": key} for key in one.sources],
        "ReservedInstancesModificationId": one.id,
        "Status": "fulfilled",
        "UpdateDate": one.made,
    }
