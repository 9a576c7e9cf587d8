"""RunInstances: everything is checked first, then all records are made at once; the host follows.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import Bootable, need_image, unavailable
from cloudjar.services.ec2.instances import plugs
from cloudjar.services.ec2.instances.access import launch_keys
from cloudjar.services.ec2.instances.life import LIFE
from cloudjar.services.ec2.instances.profiles import associate, profile_of
from cloudjar.services.ec2.instances.records import Instance, MetadataOptions, ProfileAssociation
from cloudjar.services.ec2.instances.views import around, show_reservations
from cloudjar.services.ec2.key_pairs.records import KeyPair
from cloudjar.services.ec2.volumes.planning import NewDisk, make_disk, planned_disks
from cloudjar.spec import instance_types

_NOT_BUILT = (
    "CapacityReservationSpecification.CapacityReservationTarget",
    "CpuOptions",
    "ElasticGpuSpecification",
    "ElasticInferenceAccelerators",
    "EnclaveOptions.Enabled",
    "HibernationOptions.Configured",
    "InstanceMarketOptions",
    "Ipv6AddressCount",
    "Ipv6Addresses",
    "LaunchTemplate",
    "LicenseSpecifications",
    "Placement.GroupName",
    "Placement.HostId",
)
_USER_DATA_LIMIT = 16384


class Plan(NamedTuple):
    """A checked request: what every instance of it will be."""

    image: Bootable
    type: str
    amount: int
    key_name: str
    plug: plugs.Plug
    disks: list[NewDisk]
    user_data: bytes
    profile: tuple[str, str] | None
    metadata: MetadataOptions


@op("RunInstances", keys=launch_keys)
def run_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Launch `MinCount` to `MaxCount` instances: as many as the quota lets, or none."""
    plan = check(ctx, req)
    reservation_id = ctx.new_id("r")
    made = [_make(ctx, req, plan, reservation_id, index) for index in range(plan.amount)]
    near = around(ctx.db, ctx.account, ctx.region, [vm.id for vm in made])
    return show_reservations(made, near)[0]


def check(ctx: Ctx, req: dict[str, Any]) -> Plan:
    """Refuse what cannot be, in AWS's order and words, before anything is made."""
    for member in _NOT_BUILT:
        _refuse_member(req, member)
    image = need_image(ctx, req.get("ImageId"))
    kind = _type(ctx, req.get("InstanceType") or "m1.small", image)
    key_name = _key_name(ctx, req.get("KeyName"))
    count = _count(ctx, req, kind)
    plug = plugs.planned(ctx, req, count)
    if kind not in instance_types.offered(ctx.region).get(plug.subnet.zone_id, frozenset((kind,))):
        raise AwsError(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone "
            f"({plug.subnet.zone}).",
        )
    reason = unavailable(ctx, image)
    if reason:
        raise AwsError("InvalidAMIID.Unavailable", f"The image id '[{image.id}]' is not available here: {reason}")
    return Plan(
        image,
        kind,
        count,
        key_name,
        plug,
        planned_disks(ctx, req.get("BlockDeviceMappings") or [], image),
        _user_data(req.get("UserData")),
        profile_of(ctx, req.get("IamInstanceProfile")),
        _metadata(req.get("MetadataOptions") or {}),
    )


def _refuse_member(req: dict[str, Any], path: str) -> None:
    value: Any = req
    for part in path.split("."):
        value = (value or {}).get(part)
    if value:
        raise errors.not_built(f"The parameter {path}")


def _type(ctx: Ctx, name: str, image: Bootable) -> str:
    if not instance_types.exists(name):
        raise errors.invalid_value(f"Invalid value '{name}' for InstanceType.")
    if not instance_types.offered_in(ctx.region, name):
        raise AwsError("Unsupported", f"The requested configuration is currently not supported: {name}.")
    architectures = instance_types.facts(name)["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture not in architectures:
        raise errors.invalid_value(
            f"The architecture '{','.join(architectures)}' of the specified instance type does not match "
            f"the architecture '{image.architecture}' of the specified AMI. Specify an instance type and an AMI that "
            "have matching architectures, and try again. You can use 'describe-instance-types' or 'describe-images' "
            "to discover the architecture of the instance type or AMI."
        )
    return name


def _key_name(ctx: Ctx, name: str | None) -> str:
    if name and ctx.db[KeyPair].get(name) is None:
        raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
    return name or ""


def _count(ctx: Ctx, req: dict[str, Any], kind: str) -> int:
    least, most = int(req["MinCount"]), int(req["MaxCount"])
    if least < 1:
        raise errors.invalid_parameter(least, "minCount", "Value must be greater than 0.")
    if most < least:
        raise errors.invalid_value("Minimum count must be less than or equal to maximum count")
    code = instance_types.vcpu_quota(kind)
    limit = ctx.limit("ec2", code) if code else None
    if limit is None:
        return most
    each = instance_types.size(kind).vcpus
    free = int(limit) - vcpus_in_use(ctx, str(code))
    if each * least > free:
        raise AwsError(
            "VcpuLimitExceeded",
            f"You have requested more vCPU capacity than your current vCPU limit of {int(limit)} allows for the "
            "instance bucket that the specified instance type belongs to. Please visit "
            "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        )
    return min(most, free // each)


def vcpus_in_use(ctx: Ctx, code: str) -> int:
    """vCPUs of this account's pending and running instances that count towards a quota."""
    return sum(
        instance_types.size(vm.type).vcpus
        for state in ("pending", "running")
        for vm in ctx.db[Instance].all(state=state)
        if instance_types.vcpu_quota(vm.type) == code
    )


def _user_data(text: str | None) -> bytes:
    if not text:
        return b""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise errors.invalid_value("Invalid BASE64 encoding of user data.") from None
    if len(data) > _USER_DATA_LIMIT:
        raise errors.invalid_value(f"User data is limited to {_USER_DATA_LIMIT} bytes")
    return data


def _metadata(options: dict[str, Any]) -> MetadataOptions:
    hops = options.get("HttpPutResponseHopLimit")
    return MetadataOptions(
        tokens=options.get("HttpTokens") or "required",
        hop_limit=hops if hops is not None else 2,
        endpoint=options.get("HttpEndpoint") or "enabled",
        tags=options.get("InstanceMetadataTags") or "disabled",
    )


def _make(ctx: Ctx, req: dict[str, Any], plan: Plan, reservation_id: str, index: int) -> Instance:
    instance_id = ctx.new_id("i")
    address = plugs.plug_in(ctx, req, plan.plug, instance_id, plan.type)
    burst = instance_types.burst(plan.type)
    wanted_credits = (req.get("CreditSpecification") or {}).get("CpuCredits")
    vm = Instance(
        id=instance_id,
        reservation_id=reservation_id,
        launch_index=index,
        image_id=plan.image.id,
        image_key=plan.image.key,
        type=plan.type,
        architecture=plan.image.architecture,
        key_name=plan.key_name,
        vpc_id=plan.plug.subnet.vpc_id,
        subnet_id=plan.plug.subnet.id,
        zone=plan.plug.subnet.zone,
        private_ip=address,
        state=LIFE.start,
        created=ctx.now,
        launched=ctx.now,
        user_data=plan.user_data,
        profile=_associated(ctx, plan.profile),
        root_device=plan.image.root_device,
        metadata=plan.metadata,
        monitoring=bool((req.get("Monitoring") or {}).get("Enabled")),
        termination_protected=bool(req.get("DisableApiTermination")),
        stop_protected=bool(req.get("DisableApiStop")),
        shutdown_behavior=req.get("InstanceInitiatedShutdownBehavior") or "stop",
        ebs_optimized=bool(req.get("EbsOptimized")),
        credits="" if burst is None else wanted_credits or ("unlimited" if burst.unlimited else "standard"),
        client_token=req.get("ClientToken") or "",
        tags=tags.specified(req, "instance"),
    )
    given = tags.specified(req, "volume")
    for index, disk in enumerate(plan.disks):
        system = "" if index else vm.image_key
        make_disk(ctx, disk, instance_id=vm.id, zone=vm.zone, image_key=system, tags=given)
    placed = ctx.db[Instance].add(vm)
    LIFE.announce(ctx, placed)
    return placed


def _associated(ctx: Ctx, profile: tuple[str, str] | None) -> ProfileAssociation | None:
    return None if profile is None else associate(ctx, *profile)
