"""Whom requests about deployments mean besides: switching over renames and promotes what is in them.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/blue-green-deployments-authorizing-access.html
"""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finds
from cloudjar.kit.record import Record
from cloudjar.services.rds.blue_green import environments
from cloudjar.services.rds.blue_green.records import Deployment


@finds("rds:deployed-source")
def source(ctx: Ctx, name: str) -> Record | None:
    """The blue instance of a deployment."""
    found = ctx.db[Deployment].get(name.lower())
    return environments.member(ctx, found.pairs[0].source) if found is not None else None


@finds("rds:deployed-target")
def target(ctx: Ctx, name: str) -> Record | None:
    """The green instance of a deployment."""
    found = ctx.db[Deployment].get(name.lower())
    return environments.member(ctx, found.pairs[0].target) if found is not None else None
