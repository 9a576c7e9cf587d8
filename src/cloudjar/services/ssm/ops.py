"""Reading parameters.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm import errors
from cloudjar.services.ssm.rules import admit_public, asked, check_filters, check_path
from cloudjar.services.ssm.views import show_parameter
from cloudjar.spec import public_parameters


@op("GetParameter")
def get_parameter(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One parameter by name or ARN."""
    return {"Parameter": _need(ctx, req["Name"])}


@op("GetParameters")
def get_parameters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Up to ten parameters; those that are not there are named, and fail nothing."""
    found, missing = [], []
    for text in dict.fromkeys(req["Names"]):
        try:
            found.append(_need(ctx, text))
        except AwsError:
            missing.append(text)
    return {"Parameters": found, "InvalidParameters": missing}


@op("GetParametersByPath", keys=lambda _, req: {"ssm:Recursive": "true" if req.get("Recursive") else "false"})
def get_parameters_by_path(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The parameters one step below a path, or all below it."""
    filters = req.get("ParameterFilters") or []
    check_path(req["Path"])
    check_filters(filters)
    if not admit_public(filters):
        return {"Parameters": []}
    below = public_parameters.by_path(req["Path"], ctx.region, recursive=bool(req.get("Recursive")))
    return {"Parameters": [show_parameter(found, ctx.region) for found in below]}


@op("DescribeParameters")
def describe_parameters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's own parameters, of which there are none: AWS's public ones are not listed here on AWS either."""
    if req.get("Filters") and req.get("ParameterFilters"):
        raise errors.two_filters()
    return {"Parameters": []}


def _need(ctx: Ctx, text: str) -> dict[str, Any]:
    name, selector, region = asked(text)
    found = public_parameters.get(name, ctx.region)
    if found is None or region not in ("", ctx.region):
        raise errors.not_found()
    if selector and selector != str(found.version):
        raise errors.version_not_found(name, selector)
    return show_parameter(found, ctx.region, selector)
