"""Proxies: made, shown, changed, deleted."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import filters, interfaces
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors as common
from cloudjar.services.rds import places, tagging
from cloudjar.services.rds import rules as names
from cloudjar.services.rds.proxies import errors, noticing, rules
from cloudjar.services.rds.proxies.records import GROUP, Node, Proxy, ProxyEndpoint
from cloudjar.services.rds.proxies.views import show_proxy
from cloudjar.services.rds.records import Member

_OWNER, _DESCRIPTION = "amazon-rds", "Network interface for DBProxy"


@op("CreateDBProxy")
def create_db_proxy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A proxy with its endpoint; its machines are made afterwards."""
    rules.family(req["EngineFamily"])
    rules.network(req)
    name = new_name(ctx, req["DBProxyName"])
    vpc_id, subnets = _subnets(ctx, req["VpcSubnetIds"])
    proxy = ctx.db[Proxy].add(
        Proxy(
            name=name,
            id=ids.resource_id("prx"),
            group_id=ids.resource_id("prx-tg"),
            vpc_id=vpc_id,
            subnets=subnets,
            groups=places.security_groups(ctx, vpc_id, req.get("VpcSecurityGroupIds")),
            role=req["RoleArn"],
            auth=rules.secrets(req.get("Auth") or []),
            needs_tls=bool(req.get("RequireTLS")),
            idle=rules.idle(req.get("IdleClientTimeout")),
            verbose=bool(req.get("DebugLogging")),
            created=ctx.now,
            updated=ctx.now,
            pool_updated=ctx.now,
            tags=tagging.asked(req),
        )
    )
    begin_endpoint(ctx, proxy, GROUP, subnets, proxy.groups, first=True)
    return {"DBProxy": show_proxy(ctx, proxy)}


def new_name(ctx: Ctx, given: str) -> str:
    """The name of a new proxy."""
    name = names.identifier("DBProxyName", given)
    if ctx.db[Proxy].get(name) is not None:
        raise AwsError("DBProxyAlreadyExistsFault", f"DB proxy already exists: {name}")
    return name


def _subnets(ctx: Ctx, given: list[str], vpc_id: str = "") -> tuple[str, tuple[Member, ...]]:
    """(VPC, subnets), in two zones at least."""
    try:
        return places.members(ctx, given, vpc_id)
    except AwsError as refused:
        raise errors.subnet(refused.message) from refused


def begin_endpoint(
    ctx: Ctx, proxy: Proxy, name: str, subnets: tuple[Member, ...], groups: tuple[str, ...], *,
    first: bool = False, tags: dict[str, str] | None = None,
) -> ProxyEndpoint:  # fmt: skip
    """An endpoint with a machine's place in each of its zones."""
    by_zone = {subnet.zone: subnet for subnet in reversed(subnets)}
    nodes = tuple(_node(ctx, by_zone[zone], groups) for zone in sorted(by_zone))
    return ctx.db[ProxyEndpoint].add(
        ProxyEndpoint(
            id=ids.resource_id("prx-endpoint"), name=name, proxy=proxy.name, vpc_id=proxy.vpc_id,
            subnets=tuple(subnet.id for subnet in subnets), groups=groups, first=first, created=ctx.now, nodes=nodes,
            tags=tags or {},
        )
    )  # fmt: skip


def _node(ctx: Ctx, subnet: Member, groups: tuple[str, ...]) -> Node:
    machine = f"db-proxy-{ids.entropy(8).hex()}"
    lent = interfaces.lender(ctx).lend(
        ctx, machine, subnet.id, groups, description=_DESCRIPTION, owner=_OWNER, public=False
    )
    return Node(
        machine=machine, volume=f"dbvol-{ids.entropy(8).hex()}", subnet_id=subnet.id, zone=subnet.zone,
        interface=lent.id,
    )  # fmt: skip


def new_subnets(ctx: Ctx, given: list[str], vpc_id: str) -> tuple[Member, ...]:
    """The subnets of a further endpoint, in the proxy's VPC."""
    return _subnets(ctx, given, vpc_id)[1]


@op("DescribeDBProxies")
def describe_db_proxies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One proxy, or all."""
    name = req.get("DBProxyName")
    found = [ctx.db[Proxy].need(name.lower())] if name else sorted(ctx.db[Proxy].all(), key=lambda one: one.name)
    return {"DBProxies": [show_proxy(ctx, one) for one in filters.apply(req.get("Filters"), {}, found)]}


@op("ModifyDBProxy")
def modify_db_proxy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change a proxy; its machines hear of it afterwards."""
    proxy = settled(ctx, req["DBProxyName"])
    rules.network(req)
    if req.get("NewDBProxyName"):
        raise common.not_built("NewDBProxyName")
    if req.get("Auth"):
        proxy = replace(proxy, auth=rules.secrets(req["Auth"]))
    for member, field in (("RequireTLS", "needs_tls"), ("DebugLogging", "verbose"), ("RoleArn", "role")):
        if req.get(member) is not None:
            proxy = replace(proxy, **{field: req[member]})
    proxy = replace(proxy, idle=rules.idle(req.get("IdleClientTimeout"), proxy.idle))
    if req.get("SecurityGroups"):
        groups = places.security_groups(ctx, proxy.vpc_id, req["SecurityGroups"])
        proxy = replace(proxy, groups=groups)
        regroup(ctx, next(one for one in ctx.db[ProxyEndpoint].all(proxy=proxy.name) if one.first), groups)
    proxy = ctx.db[Proxy].put(replace(proxy, updated=ctx.now, state="modifying"))
    noticing.wake(ctx, proxy)
    return {"DBProxy": show_proxy(ctx, proxy)}


def settled(ctx: Ctx, name: str) -> Proxy:
    """A proxy that nothing is being done to. Raises what AWS raises."""
    proxy = ctx.db[Proxy].need(name.lower())
    if proxy.state != "available":
        raise errors.state(f"DB proxy {proxy.name} is in the state {proxy.state}.")
    return proxy


def regroup(ctx: Ctx, one: ProxyEndpoint, groups: tuple[str, ...]) -> ProxyEndpoint:
    """An endpoint behind other security groups, from now on."""
    for node in one.nodes:
        interfaces.lender(ctx).regroup(ctx, node.interface, groups)
    return ctx.db[ProxyEndpoint].put(replace(one, groups=groups))


@op("DeleteDBProxy")
def delete_db_proxy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a proxy removed, with all of its endpoints."""
    proxy = ctx.db[Proxy].need(req["DBProxyName"].lower())
    if proxy.state == "deleting":
        raise errors.state(f"DB proxy {proxy.name} is already being deleted.")
    proxy = ctx.db[Proxy].put(replace(proxy, state="deleting", updated=ctx.now))
    for one in ctx.db[ProxyEndpoint].all(proxy=proxy.name):
        ctx.db[ProxyEndpoint].put(replace(one, state="deleting"))
    return {"DBProxy": show_proxy(ctx, proxy)}
