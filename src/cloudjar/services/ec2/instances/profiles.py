"""Instance profiles: which role an instance carries.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances.records import ProfileAssociation


def profile_of(ctx: Ctx, asked: dict[str, Any] | None) -> tuple[str, str] | None:
    """(ARN, id) of the instance profile that a request names, or None when it names none."""
    if not asked:
        return None
    if asked.get("Name") and asked.get("Arn"):
        raise errors.combination("The parameter 'iamInstanceProfile.name' may not be used with 'iamInstanceProfile.arn'")
    profile = _stored(ctx, asked)
    if profile is None:
        given = asked.get("Arn") or asked.get("Name")
        what = "iamInstanceProfile.arn" if asked.get("Arn") else "iamInstanceProfile.name"
        raise errors.invalid_parameter(given, what, "Invalid IAM Instance Profile" + (" ARN" if asked.get("Arn") else " name"))
    if not profile.role:
        raise AwsError("InvalidParameterValue", f"IAM Instance Profile \"{arn_of(profile)}\" has no associated IAM Roles")
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
