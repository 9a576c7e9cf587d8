"""Condition keys of IAM's resources and requests.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import resource_keys
from cloudjar.services.iam.records import Role, User


@resource_keys("iam", "user")
@resource_keys("iam", "role")
def boundary_in_force(item: User | Role) -> dict[str, str]:
    """``iam:PermissionsBoundary`` of whoever is to be changed: delegation rests on it."""
    return {"iam:PermissionsBoundary": item.boundary} if item.boundary else {}


def boundary_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, str]:
    """``iam:PermissionsBoundary`` of a request that sets one."""
    asked = req.get("PermissionsBoundary")
    return {"iam:PermissionsBoundary": asked} if asked else {}


def policy_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, str]:
    """``iam:PolicyARN`` of a request that attaches or detaches one."""
    return {"iam:PolicyARN": req["PolicyArn"]}


def passed_to_ec2(ctx: Ctx, req: dict[str, Any]) -> dict[str, str]:
    """``iam:PassedToService``: what lies in an instance profile goes to EC2."""
    return {"iam:PassedToService": "ec2.amazonaws.com"}
