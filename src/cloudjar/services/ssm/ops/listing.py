"""Describing parameters: everything but their values.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm import errors, filters, views
from cloudjar.services.ssm.paging import page
from cloudjar.services.ssm.records import Parameter


@op("DescribeParameters", pages=False)
def describe_parameters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's own parameters, by name; AWS's public ones are not listed on AWS either.

    `Shared` lists what others shared through Resource Access Manager, of which there is nothing: a resource policy
    alone does not make a parameter appear here.
    """
    if req.get("Filters") and req.get("ParameterFilters"):
        raise errors.two_filters()
    given = req.get("ParameterFilters") or []
    filters.check(given)
    given = [*given, *filters.old(req.get("Filters") or ())]
    own = [] if req.get("Shared") else ctx.db[Parameter].all()
    found = sorted((one for one in own if filters.admits(given, one)), key=lambda one: one.name)
    return page("DescribeParameters", req, "Parameters", found, views.show_metadata)
