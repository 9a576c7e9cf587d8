"""Further endpoints of proxies."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors as common
from cloudjar.services.rds import places, tagging
from cloudjar.services.rds import rules as names
from cloudjar.services.rds.proxies import rules
from cloudjar.services.rds.proxies.ops import begin_endpoint, new_subnets, regroup, settled
from cloudjar.services.rds.proxies.records import GROUP, Proxy, ProxyEndpoint
from cloudjar.services.rds.proxies.views import show_endpoint


@op("CreateDBProxyEndpoint")
def create_db_proxy_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One more name at which a proxy is reached, with machines of its own."""
    proxy = settled(ctx, req["DBProxyName"])
    rules.network(req)
    if req.get("TargetRole") == "READ_ONLY":
        raise common.combination("READ_ONLY endpoints are for proxies of clusters: the target is a DB instance.")
    name = names.identifier("DBProxyEndpointName", req["DBProxyEndpointName"])
    if name == GROUP or _named(ctx, name):
        raise AwsError("DBProxyEndpointAlreadyExistsFault", f"DB proxy endpoint already exists: {name}")
    if len(ctx.db[ProxyEndpoint].all(proxy=proxy.name)) > 20:
        raise AwsError("DBProxyEndpointQuotaExceededFault", "A DB proxy can have 20 endpoints.")
    groups = places.security_groups(ctx, proxy.vpc_id, req.get("VpcSecurityGroupIds"))
    subnets = new_subnets(ctx, req["VpcSubnetIds"], proxy.vpc_id)
    one = begin_endpoint(ctx, proxy, name, subnets, groups, tags=tagging.asked(req))
    return {"DBProxyEndpoint": show_endpoint(one)}


def _named(ctx: Ctx, name: str) -> list[ProxyEndpoint]:
    return [one for one in ctx.db[ProxyEndpoint].all(name=name) if not one.first]


def _need(ctx: Ctx, given: str) -> ProxyEndpoint:
    found = _named(ctx, given.lower())
    if not found:
        raise AwsError("DBProxyEndpointNotFoundFault", f"DB proxy endpoint {given.lower()} doesn't exist.", 404)
    return found[0]


@op("DescribeDBProxyEndpoints")
def describe_db_proxy_endpoints(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Endpoints of one proxy, or of all; one of them."""
    if req.get("Filters"):
        raise common.not_built("Filters of endpoints")
    found = list(ctx.db[ProxyEndpoint].all())
    if name := req.get("DBProxyName"):
        ctx.db[Proxy].need(name.lower())
        found = [one for one in found if one.proxy == name.lower()]
    if name := req.get("DBProxyEndpointName"):
        found = [one for one in found if one.name == name.lower()]
        if not found:
            _need(ctx, name)
    return {"DBProxyEndpoints": [show_endpoint(one) for one in sorted(found, key=lambda one: (one.proxy, one.name))]}


@op("ModifyDBProxyEndpoint")
def modify_db_proxy_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other security groups."""
    one = _settled(ctx, req["DBProxyEndpointName"])
    if req.get("NewDBProxyEndpointName"):
        raise common.not_built("NewDBProxyEndpointName")
    if req.get("VpcSecurityGroupIds"):
        one = regroup(ctx, one, places.security_groups(ctx, one.vpc_id, req["VpcSecurityGroupIds"]))
    return {"DBProxyEndpoint": show_endpoint(one)}


@op("DeleteDBProxyEndpoint")
def delete_db_proxy_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have an endpoint removed; the first one goes with its proxy."""
    one = _need(ctx, req["DBProxyEndpointName"])
    if one.state == "deleting":
        raise _state(one)
    return {"DBProxyEndpoint": show_endpoint(ctx.db[ProxyEndpoint].put(replace(one, state="deleting")))}


def _settled(ctx: Ctx, name: str) -> ProxyEndpoint:
    one = _need(ctx, name)
    if one.state != "available":
        raise _state(one)
    return one


def _state(one: ProxyEndpoint) -> AwsError:
    return AwsError("InvalidDBProxyEndpointStateFault", f"DB proxy endpoint {one.name} is in the state {one.state}.")
