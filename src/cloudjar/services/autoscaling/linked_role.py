"""The service-linked role in whose name a group launches and ends its instances.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html
"""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.linked_roles import Usage, uses_role
from cloudjar.kit.record import arn_of
from cloudjar.services.autoscaling import errors
from cloudjar.services.autoscaling.records import Group

PRINCIPAL = "autoscaling.amazonaws.com"
NAME = "AWSServiceRoleForAutoScaling"
_PATH = f"role/aws-service-role/{PRINCIPAL}/"


def make(ctx: Ctx) -> str:
    """The ARN of the account's own role; made, with the caller's rights, when it is not there."""
    if ctx.find("iam", "role", NAME) is None:
        try:
            ctx.call("iam", "CreateServiceLinkedRole", {"AWSServiceName": PRINCIPAL}, via=PRINCIPAL)
        except AwsError as error:
            raise AwsError("ServiceLinkedRoleFailure", error.message, 500) from None
    return arns.make("iam", "", ctx.account, _PATH + NAME)


def checked(ctx: Ctx, given: str) -> str:
    """A role that a request names: one of this account, linked to Auto Scaling, that is there."""
    parsed = arns.parse(given)
    linked = parsed is not None and parsed.account == ctx.account and parsed.resource.startswith(_PATH)
    if not linked or ctx.find("iam", "role", given.rpartition("/")[2]) is None:
        raise errors.invalid(f"ARN specified for Service-Linked Role does not exist: {given}")
    return given


@uses_role(PRINCIPAL)
def used_by(ctx: Ctx, role_arn: str) -> list[Usage]:
    """The groups that act with a role, by Region."""
    found: dict[str, list[str]] = {}
    for group in ctx.db.everywhere(Group):
        if group.account == ctx.account and group.role_arn == role_arn:
            found.setdefault(group.region, []).append(arn_of(group))
    return [Usage(region, tuple(arns)) for region, arns in sorted(found.items())]


def acting(ctx: Ctx, group: Group) -> Caller:
    """The group's role as a caller; raises the `AwsError` AccessDenied when it is gone."""
    return ctx.as_role(group.role_arn, service=PRINCIPAL, source_arn=arn_of(group), session_name="AutoScaling")
