"""What can be asked, and said, about instances beside what they are: the image of each, where it stands in the
network, and how its user finds it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-topology.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceImageMetadata.html
"""

from __future__ import annotations

import hashlib
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images import allowed
from cloudjar.services.ec2.images.catalogue import find_image
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.instances.views import show_state
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need, need_all
from cloudjar.spec import regions

_IMAGE_FILTERS = by_path(
    {
        "availability-zone": "AvailabilityZone",
        "image-allowed": "ImageMetadata.ImageAllowed",
        "instance-id": "InstanceId",
        "instance-state-name": "State.Name",
        "instance-type": "InstanceType",
        "launch-time": "LaunchTime",
        "owner-alias": "ImageMetadata.ImageOwnerAlias",
        "owner-id": "ImageMetadata.OwnerId",
        "zone-id": "ZoneId",
    }
)
_PLACE_FILTERS = by_path(
    {"availability-zone": "AvailabilityZone", "instance-type": "InstanceType", "zone-id": "ZoneId"}
)
_TOLD = ("hpc6a", "hpc6id", "hpc7a", "hpc7g", "p3dn", "p4d", "p4de", "p5", "p5e", "p5en", "trn1", "trn1n", "trn2")
"""Families whose place in the network AWS tells."""
_LAYERS = 3


def _asked(ctx: Ctx, req: dict[str, Any]) -> list[Instance]:
    wanted = req.get("InstanceIds")
    if wanted and req.get("MaxResults"):
        raise errors.combination("The parameter instanceIds cannot be used with the parameter maxResults")
    return need_all(ctx, Instance, wanted) if wanted else ctx.db[Instance].all()


def _zone_id(vm: Instance) -> str | None:
    zone = regions.zone(vm.zone, vm.account)
    return zone.id if zone is not None else None


@op("DescribeInstanceImageMetadata")
def describe_instance_image_metadata(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The image of each instance, as far as the account can see it now."""
    rows = [Row(vm.tags, _show(ctx, vm)) for vm in _asked(ctx, req)]
    return {"InstanceImageMetadata": narrow(req, _IMAGE_FILTERS, rows)}


def _show(ctx: Ctx, vm: Instance) -> dict[str, Any]:
    return {
        "AvailabilityZone": vm.zone,
        "ImageMetadata": _image(ctx, vm.image_id),
        "InstanceId": vm.id,
        "InstanceType": vm.type,
        "LaunchTime": vm.launched,
        "Operator": {"Managed": False},
        "OwnerId": vm.account,
        "State": show_state(vm.state),
        "Tags": tags.as_list(vm.tags),
        "ZoneId": _zone_id(vm),
    }


def _image(ctx: Ctx, image_id: str) -> dict[str, Any]:
    """What there is to know of it; one that is gone hurts no setting."""
    found = find_image(ctx, image_id)
    if found is None:
        return {"ImageAllowed": True, "ImageId": image_id, "State": "deregistered"}
    facts = found.facts
    kept = (
        "CreationDate", "DeprecationTime", "ImageId", "ImageOwnerAlias", "ImageWatermarks", "Name", "OwnerId", "State",
    )  # fmt: skip
    decided = allowed.chosen(ctx)
    fits = decided.state == "disabled" or allowed.is_allowed(ctx, decided, facts)
    return {"ImageAllowed": fits, "IsPublic": facts["Public"], **{name: facts.get(name) for name in kept}}


@op("DescribeInstanceTopology")
def describe_instance_topology(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Where running instances of the types for large clusters stand; those of one zone stand together here."""
    groups = req.get("GroupNames") or ()
    found = [vm for vm in _asked(ctx, req) if vm.state == "running" and is_told(vm.type)]
    rows = [Row(vm.tags, _place(vm)) for vm in found if not groups or vm.placement_group in groups]
    return {"Instances": narrow(req, _PLACE_FILTERS, rows)}


def is_told(kind: str) -> bool:
    """Whether AWS tells where instances of a type stand."""
    return kind.partition(".")[0] in _TOLD


def network_nodes(account: str, zone_id: str | None) -> list[str]:
    """The nodes above what stands in a zone, for an account."""
    layers = (hashlib.sha256(f"{account} {zone_id} {layer}".encode()) for layer in range(_LAYERS))
    return [f"nn-{digest.hexdigest()[:17]}" for digest in layers]


def _place(vm: Instance) -> dict[str, Any]:
    return {
        "AvailabilityZone": vm.zone,
        "GroupName": vm.placement_group or None,
        "InstanceId": vm.id,
        "InstanceType": vm.type,
        "NetworkNodes": network_nodes(vm.account, _zone_id(vm)),
        "ZoneId": _zone_id(vm),
    }


@op("ReportInstanceStatus")
def report_instance_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How its user finds a running instance: AWS reads it, and the checks say what they said before."""
    for vm in need_all(ctx, Instance, req["Instances"]):
        if vm.state != "running":
            raise AwsError("IncorrectState", f"The instance '{vm.id}' is not in the 'running' state.")
    start, end = req.get("StartTime"), req.get("EndTime")
    if start and end and end < start:
        raise errors.invalid_parameter(end.isoformat(), "endTime", "It must not be before startTime.")
    return {}


@op("GetInstanceUefiData")
def get_instance_uefi_data(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Machines here boot without firmware: none has a variable store."""
    vm = need(ctx, Instance, req["InstanceId"])
    raise AwsError("UnsupportedOperation", f"The instance '{vm.id}' did not boot in UEFI mode.")
