"""Long ids: every account has had nothing else since 2018, so there is nothing left to choose.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors

RESOURCES = (
    "bundle", "conversion-task", "customer-gateway", "dhcp-options", "elastic-ip-allocation",
    "elastic-ip-association", "export-task", "flow-log", "image", "import-task", "instance", "internet-gateway",
    "network-acl", "network-acl-association", "network-interface", "network-interface-attachment", "prefix-list",
    "reservation", "route-table", "route-table-association", "security-group", "snapshot", "subnet",
    "subnet-cidr-block-association", "volume", "vpc", "vpc-cidr-block-association", "vpc-endpoint",
    "vpc-peering-connection", "vpn-connection", "vpn-gateway",
)  # fmt: skip
"""The types that once had short ids."""


def _known(name: str) -> str:
    if name not in RESOURCES:
        raise errors.invalid_parameter(name, "resource", "It is not a type of resource with a choice of ids.")
    return name


def _statuses(*names: str) -> list[dict[str, Any]]:
    return [{"Resource": name, "UseLongIds": True} for name in names or RESOURCES]


def _principal(ctx: Ctx, text: str) -> None:
    """``all``, or the ARN of the account's root user, a user or a role."""
    try:
        arn = arns.parse(text)
    except ValueError:
        arn = None
    kinds = ("root", "user/", "role/")
    own = arn is not None and arn.service == "iam" and arn.account == ctx.account
    if text != "all" and not (own and arn is not None and arn.resource.startswith(kinds)):
        raise errors.invalid_parameter(text, "principalArn", "It is not a principal of this account.")


def _settle(req: dict[str, Any]) -> dict[str, Any]:
    """Long ids may be asked for; short ones have not been given for years."""
    if req["Resource"] != "all-current":
        _known(req["Resource"])
    if not req["UseLongIds"]:
        raise errors.invalid_parameter("false", "useLongIds", "The opt-in deadline for longer IDs has passed.")
    return {}


@op("DescribeIdFormat")
def describe_id_format(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Long, for every type."""
    return {"Statuses": _statuses(*([_known(req["Resource"])] if req.get("Resource") else []))}


@op("DescribeAggregateIdFormat")
def describe_aggregate_id_format(_: Ctx, __: dict[str, Any]) -> dict[str, Any]:
    """Long, in every Region."""
    return {"UseLongIdsAggregated": True, "Statuses": _statuses()}


@op("DescribePrincipalIdFormat")
def describe_principal_id_format(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The root user stands for everybody: nobody else has ever chosen for himself."""
    names = [_known(name) for name in req.get("Resources") or ()]
    return {"Principals": [{"Arn": arns.make("iam", "", ctx.account, "root"), "Statuses": _statuses(*names)}]}


@op("DescribeIdentityIdFormat")
def describe_identity_id_format(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The same for one principal."""
    _principal(ctx, req["PrincipalArn"])
    return {"Statuses": _statuses(*([_known(req["Resource"])] if req.get("Resource") else []))}


@op("ModifyIdFormat")
def modify_id_format(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Long ids, which everybody has."""
    return _settle(req)


@op("ModifyIdentityIdFormat")
def modify_identity_id_format(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Long ids for one principal, which he has."""
    _principal(ctx, req["PrincipalArn"])
    return _settle(req)
