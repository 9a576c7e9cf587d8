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
from cloudjar.services.ec2.capacity_reservations.matching import recount
from cloudjar.services.ec2.images.catalogue import Bootable, need_image, unavailable
from cloudjar.services.ec2.images.type_lists import refuse_type
from cloudjar.services.ec2.instances import options, plugs, quota
from cloudjar.services.ec2.instances.access import launch_keys
from cloudjar.services.ec2.instances.defaults import InstanceDefaults, check_hops, defaults, tokens_enforced
from cloudjar.services.ec2.instances.life import LIFE
from cloudjar.services.ec2.instances.profiles import associate, profile_of
from cloudjar.services.ec2.instances.records import Cpu, Instance, MetadataOptions, ProfileAssociation
from cloudjar.services.ec2.instances.standing import Standing, refuse_tenancy, reserved_room, stand
from cloudjar.services.ec2.instances.views import around, show_reservations
from cloudjar.services.ec2.key_pairs.records import KeyPair
from cloudjar.services.ec2.launch_templates.merging import complete, named_version
from cloudjar.services.ec2.linked_roles import SPOT
from cloudjar.services.ec2.placement_groups.finding import Place, places
from cloudjar.services.ec2.spot import making as spot
from cloudjar.services.ec2.spot import quota as spot_quota
from cloudjar.services.ec2.spot.terms import Terms, of_launch, refuse_low, too_many
from cloudjar.services.ec2.volumes.planning import NewDisk, make_disk, planned_disks
from cloudjar.spec import instance_types

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
    source: dict[str, str]
    """Tags of AWS's own."""
    cpu: Cpu | None
    credits: str
    places: list[Place]
    spot: Terms | None
    standing: Standing


@op("RunInstances", keys=launch_keys, completes=complete)
def run_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Launch `MinCount` to `MaxCount` instances: as many as the quota lets, or none."""
    plan = check(ctx, req)
    reservation_id = ctx.new_id("r")
    made = [_make(ctx, req, plan, reservation_id, index) for index in range(plan.amount)]
    for key in dict.fromkeys(plan.standing.reservations):
        recount(ctx, key)
    near = around(ctx.db, ctx.account, ctx.region, [vm.id for vm in made])
    return show_reservations(made, near)[0]


def check(ctx: Ctx, req: dict[str, Any]) -> Plan:
    """Refuse what cannot be, in AWS's order and words, before anything is made."""
    source = _template_tags(ctx, req)
    options.refuse_unbuilt(req)
    image = need_image(ctx, req.get("ImageId"))
    kind = _type(ctx, req.get("InstanceType") or "m1.small", image)
    key_name = _key_name(ctx, req.get("KeyName"))
    options.refuse_impossible(req, kind)
    options.driver(req)
    refuse_tenancy(kind, options.member(req, "Placement.Tenancy") or "default")
    cpu = options.cpu(req.get("CpuOptions"), kind)
    terms = of_launch(ctx, req)
    count = _count(ctx, req, kind, options.vcpus(kind, cpu), terms)
    plug = plugs.planned(ctx, req, count, kind)
    if kind not in instance_types.offered(ctx.region).get(plug.subnet.zone_id, frozenset((kind,))):
        raise AwsError(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone "
            f"({plug.subnet.zone}).",
        )
    ctx.world.faults.refuse_dark(plug.subnet.zone, ctx.account, kind)
    if terms is not None:
        refuse_low(ctx, terms, plug.subnet.zone, kind)
        SPOT.make(ctx)
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
        _metadata(req.get("MetadataOptions") or {}, defaults(ctx)),
        source,
        cpu,
        options.credit_option(ctx, req, kind),
        places(ctx, req.get("Placement") or {}, kind, plug.subnet.zone, count),
        terms,
        stand(ctx, req, plug.subnet, kind, count, spot=terms is not None),
    )


def _template_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, str]:
    """The tags that tell which template an instance was launched with; raises for a template that is not there."""
    if not req.get("LaunchTemplate"):
        return {}
    template, version = named_version(ctx, req["LaunchTemplate"])
    return {"aws:ec2launchtemplate:id": template.id, "aws:ec2launchtemplate:version": str(version.number)}


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
    refuse_type(image.own, name)
    return name


def _key_name(ctx: Ctx, name: str | None) -> str:
    if name and ctx.db[KeyPair].get(name) is None:
        raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
    return name or ""


def _count(ctx: Ctx, req: dict[str, Any], kind: str, each: int, terms: Terms | None) -> int:
    """As many as asked for, or as the quota lets; raises when that is less than the least."""
    least, most = int(req["MinCount"]), int(req["MaxCount"])
    if least < 1:
        raise errors.invalid_parameter(least, "minCount", "Value must be greater than 0.")
    if most < least:
        raise errors.invalid_value("Minimum count must be less than or equal to maximum count")
    if (req.get("Placement") or {}).get("Tenancy") == "host":
        return most
    room = spot_quota.free(ctx, kind) if terms is not None else quota.free(ctx, kind)
    if room is None:
        return most
    kept = reserved_room(ctx, req, kind) if terms is None else 0
    fits = max(room, 0) // each + kept
    if least > fits:
        raise too_many() if terms is not None else quota.too_many(ctx, kind)
    return min(most, fits)


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


def _metadata(asked: dict[str, Any], account: InstanceDefaults) -> MetadataOptions:
    """What the launch says, else what the account says, else AWS's own."""
    tokens = asked.get("HttpTokens") or account.tokens or "required"
    if account.enforced == "enabled" and tokens != "required":
        raise tokens_enforced()
    hops = asked.get("HttpPutResponseHopLimit")
    return MetadataOptions(
        tokens=tokens,
        hop_limit=check_hops(hops) if hops is not None else account.hop_limit or 2,
        endpoint=asked.get("HttpEndpoint") or account.endpoint or "enabled",
        tags=asked.get("InstanceMetadataTags") or account.tags or "disabled",
    )


def _make(ctx: Ctx, req: dict[str, Any], plan: Plan, reservation_id: str, index: int) -> Instance:
    instance_id = ctx.new_id("i")
    address = plugs.plug_in(ctx, req, plan.plug, instance_id, plan.type)
    place = plan.places[index]
    request = spot.for_launch(ctx, plan.spot, req) if plan.spot is not None else None
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
        credits=plan.credits,
        cpu=plan.cpu,
        auto_recovery=(req.get("MaintenanceOptions") or {}).get("AutoRecovery") or "default",
        reservation_preference=plan.standing.preference,
        reservation_target=plan.standing.target,
        capacity_reservation_id=plan.standing.reservations[index],
        tenancy=plan.standing.tenancy,
        host_id=plan.standing.hosts[index],
        affinity=plan.standing.affinity,
        placement_group=place.group,
        placement_group_id=place.id,
        partition=place.partition,
        client_token=req.get("ClientToken") or "",
        spot_request_id=request.id if request is not None else "",
        driver=options.driver(req),
        **options.names(req, plan.plug.subnet),
        tags={**tags.specified(req, "instance"), **plan.source},
    )
    given = tags.specified(req, "volume")
    for index, disk in enumerate(plan.disks):
        system = "" if index else vm.image_key
        make_disk(ctx, disk, instance_id=vm.id, zone=vm.zone, image_key=system, tags=given)
    placed = ctx.db[Instance].add(vm)
    if request is not None:
        spot.fulfilled(ctx, request, placed)
    LIFE.announce(ctx, placed)
    return placed


def _associated(ctx: Ctx, profile: tuple[str, str] | None) -> ProfileAssociation | None:
    return None if profile is None else associate(ctx, *profile)
