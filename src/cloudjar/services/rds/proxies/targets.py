"""What a proxy leads to: its target group, and the instance in it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors as common
from cloudjar.services.rds.proxies import errors, noticing, rules
from cloudjar.services.rds.proxies.life import target
from cloudjar.services.rds.proxies.ops import settled
from cloudjar.services.rds.proxies.records import Proxy
from cloudjar.services.rds.proxies.views import show_group, show_target
from cloudjar.services.rds.records import DbInstance


@op("RegisterDBProxyTargets", writes=True)
def register_db_proxy_targets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a proxy lead to an instance; it can be one only."""
    proxy = settled(ctx, req["DBProxyName"])
    rules.group(req.get("TargetGroupName"))
    if req.get("DBClusterIdentifiers"):
        raise common.not_built("A cluster as the target of a proxy")
    named = req.get("DBInstanceIdentifiers") or []
    if len(named) != 1:
        raise common.invalid("Exactly one DB instance must be registered with a DB proxy.")
    db = ctx.db[DbInstance].need(named[0].lower())
    if proxy.target:
        said = f"The DB proxy {proxy.name} already has a registered target."
        raise AwsError("DBProxyTargetAlreadyRegisteredFault", said)
    if db.engine != "postgres":
        raise common.invalid(f"The engine family of {db.id} isn't the one of the DB proxy {proxy.name}.")
    if db.cluster:
        raise common.not_built("A member of a cluster as the target of a proxy")
    if db.vpc_id != proxy.vpc_id:
        raise common.invalid(f"{db.id} isn't in the VPC of the DB proxy {proxy.name}.")
    if db.state != "available":
        raise AwsError("InvalidDBInstanceState", f"Database instance is not in available state: {db.id}")
    proxy = ctx.db[Proxy].put(
        replace(proxy, target=db.resource_id, instance=db.id, health="REGISTERING", why="", words="")
    )
    noticing.wake(ctx, proxy)
    return {"DBProxyTargets": [show_target(proxy, db)]}


@op("DeregisterDBProxyTargets", writes=True)
def deregister_db_proxy_targets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a proxy lead nowhere: who asks waits."""
    proxy = settled(ctx, req["DBProxyName"])
    rules.group(req.get("TargetGroupName"))
    db = target(ctx, proxy)
    mine = {proxy.instance, db.id if db is not None else proxy.instance} if proxy.target else set()
    for name in (*(req.get("DBInstanceIdentifiers") or ()), *(req.get("DBClusterIdentifiers") or ())):
        if name.lower() not in mine:
            said = f"{name} isn't a target of the DB proxy {proxy.name}."
            raise AwsError("DBProxyTargetNotFoundFault", said, 404)
    noticing.wake(ctx, ctx.db[Proxy].put(replace(proxy, target="", instance="", health="", why="", words="", vcpus=0)))
    return {}


@op("DescribeDBProxyTargets")
def describe_db_proxy_targets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The instance behind a proxy, and how it is."""
    proxy = _living(ctx, req)
    return {"Targets": [show_target(proxy, target(ctx, proxy))] if proxy.target else []}


@op("DescribeDBProxyTargetGroups")
def describe_db_proxy_target_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The only one of a proxy."""
    return {"TargetGroups": [show_group(_living(ctx, req))]}


def _living(ctx: Ctx, req: dict[str, Any]) -> Proxy:
    rules.group(req.get("TargetGroupName"))
    if req.get("Filters"):
        raise common.not_built("Filters of targets")
    proxy = ctx.db[Proxy].need(req["DBProxyName"].lower())
    if proxy.state == "deleting":
        raise errors.state(f"DB proxy {proxy.name} is in the state deleting.")
    return proxy


@op("ModifyDBProxyTargetGroup")
def modify_db_proxy_target_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change how connections are lent."""
    proxy = settled(ctx, req["DBProxyName"])
    rules.group(req["TargetGroupName"])
    if req.get("NewName"):
        raise common.not_built("NewName")
    pool = rules.pool(req.get("ConnectionPoolConfig") or {}, proxy.pool)
    proxy = ctx.db[Proxy].put(replace(proxy, pool=pool, pool_updated=ctx.now))
    noticing.wake(ctx, proxy)
    return {"DBProxyTargetGroup": show_group(proxy)}
