"""Instance profiles: which role an instance carries.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances.access import new_profile_keys
from cloudjar.services.ec2.instances.records import Instance, ProfileAssociation
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need


def profile_of(ctx: Ctx, asked: dict[str, Any] | None) -> tuple[str, str] | None:
    """(ARN, id) of the instance profile that a request names, or None when it names none."""
    if not asked:
        return None
    if asked.get("Name") and asked.get("Arn"):
        raise errors.combination(
            "The parameter 'iamInstanceProfile.name' may not be used with 'iamInstanceProfile.arn'"
        )
    profile = _stored(ctx, asked)
    if profile is None:
        given = asked.get("Arn") or asked.get("Name")
        what = "iamInstanceProfile.arn" if asked.get("Arn") else "iamInstanceProfile.name"
        raise errors.invalid_parameter(
            given, what, "Invalid IAM Instance Profile" + (" ARN" if asked.get("Arn") else " name")
        )
    if not profile.role:
        raise AwsError("InvalidParameterValue", f'IAM Instance Profile "{arn_of(profile)}" has no associated IAM Roles')
    return arn_of(profile), profile.id


def _stored(ctx: Ctx, asked: dict[str, Any]) -> Any:
    name = asked.get("Name")
    if asked.get("Arn"):
        parsed = arns.parse(asked["Arn"])
        if parsed is None or parsed.type != "instance-profile" or parsed.account != ctx.account:
            return None
        name = parsed.name.rpartition("/")[2]
    return ctx.find("iam", "instance-profile", str(name))


def role_arn(ctx: Ctx, profile_arn: str) -> str:
    """The ARN of the role inside a profile; empty when the profile or its role is gone."""
    profile = _stored(ctx, {"Arn": profile_arn})
    role = ctx.find("iam", "role", profile.role) if profile is not None and profile.role else None
    return arn_of(role) if role is not None else ""


def associate(ctx: Ctx, arn: str, profile_id: str) -> ProfileAssociation:
    """A new association."""
    return ProfileAssociation(id=ctx.new_id("iip-assoc"), arn=arn, profile_id=profile_id, since=ctx.now)


@op("AssociateIamInstanceProfile", keys=new_profile_keys)
def associate_iam_instance_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give a running or stopped instance a profile; one that has one refuses."""
    vm = need(ctx, Instance, req["InstanceId"])
    if vm.profile is not None:
        raise AwsError("IncorrectState", f"There is an existing association for instance {vm.id}")
    return _put(ctx, vm, req["IamInstanceProfile"], "associating")


@op("ReplaceIamInstanceProfileAssociation", keys=new_profile_keys)
def replace_iam_instance_profile_association(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change the profile of an instance without a gap."""
    return _put(ctx, _by_association(ctx, req["AssociationId"]), req["IamInstanceProfile"], "associating")


@op("DisassociateIamInstanceProfile")
def disassociate_iam_instance_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take the profile away; credentials already handed out live until they expire."""
    vm = _by_association(ctx, req["AssociationId"])
    ctx.db[Instance].put(replace(vm, profile=None))
    return {"IamInstanceProfileAssociation": show_association(vm, "disassociating")}


@op("DescribeIamInstanceProfileAssociations")
def describe_iam_instance_profile_associations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Which instance carries which profile."""
    wanted = req.get("AssociationIds")
    items = [_by_association(ctx, key) for key in wanted] if wanted else ctx.db[Instance].all()
    rows = [Row({}, show_association(vm, "associated")) for vm in items if vm.profile is not None]
    return {"IamInstanceProfileAssociations": narrow(req, _FILTERS, rows)}


_FILTERS = by_path({"instance-id": "InstanceId", "state": "State"})


def show_association(vm: Instance, state: str) -> dict[str, Any]:
    """AWS's IamInstanceProfileAssociation."""
    profile = vm.profile
    assert profile is not None
    return {
        "AssociationId": profile.id,
        "InstanceId": vm.id,
        "IamInstanceProfile": {"Arn": profile.arn, "Id": profile.profile_id},
        "State": state,
        "Timestamp": profile.since,
    }


def _put(ctx: Ctx, vm: Instance, asked: dict[str, Any], state: str) -> dict[str, Any]:
    if not vm.alive:
        raise AwsError("IncorrectInstanceState", f"The instance '{vm.id}' is not in a state that can have a profile.")
    found = profile_of(ctx, asked)
    if found is None:
        raise errors.missing_one("IamInstanceProfile")
    changed = ctx.db[Instance].put(replace(vm, profile=associate(ctx, *found)))
    return {"IamInstanceProfileAssociation": show_association(changed, state)}


def _by_association(ctx: Ctx, key: str) -> Instance:
    for vm in ctx.db[Instance].all():
        if vm.profile is not None and vm.profile.id == key:
            return vm
    raise errors.no_association(key)
