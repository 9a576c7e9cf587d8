"""Which proxies, target groups and endpoints requests mean: policies know them by ids, requests by names.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
"""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finds
from cloudjar.kit.record import Record
from cloudjar.services.rds.proxies.records import Proxy, ProxyEndpoint


@finds("rds:named-proxy")
def proxy(ctx: Ctx, name: str) -> Record | None:
    """The proxy of a name."""
    return ctx.db[Proxy].get(name.lower())


@finds("rds:proxys-target-group")
def group(ctx: Ctx, name: str) -> str | None:
    """The target group of the proxy of a name."""
    found = ctx.db[Proxy].get(name.lower())
    return None if found is None else arns.make("rds", ctx.region, ctx.account, f"target-group:{found.group_id}")


@finds("rds:named-proxy-endpoint")
def endpoint(ctx: Ctx, name: str) -> Record | None:
    """The endpoint of a name."""
    return next((one for one in ctx.db[ProxyEndpoint].all(name=name.lower()) if not one.first), None)
