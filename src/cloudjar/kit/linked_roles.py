"""Service-linked roles in use: a service tells what of its own still needs its role, and IAM does not delete it then.

https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cloudjar.kit.context import Ctx


class Usage(NamedTuple):
    """What needs a role in one Region: ARNs."""

    region: str
    resources: tuple[str, ...]


Users = Callable[[Ctx, str], list[Usage]]
_USERS: dict[str, Users] = {}


def uses_role(principal: str) -> Callable[[Users], Users]:
    """Decorator: a function (ctx, role's ARN) that tells what needs a role of ``autoscaling.amazonaws.com``, over all
    Regions of the account."""

    def declare(function: Users) -> Users:
        _USERS[principal] = function
        return function

    return declare


def usage_of(ctx: Ctx, principal: str, role_arn: str) -> list[Usage]:
    """What still needs a service-linked role; its service is loaded when it is not yet."""
    for part in principal.split(".")[:2]:  # ``ec2.application-autoscaling.amazonaws.com`` is the second one's
        ctx.world.load(part)
    users = _USERS.get(principal)
    return users(ctx, role_arn) if users is not None else []
