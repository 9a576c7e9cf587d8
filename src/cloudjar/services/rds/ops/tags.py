"""Tags of everything that the service has."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors, tagging
from cloudjar.services.rds.blue_green.records import Deployment
from cloudjar.services.rds.clusters.records import ClusterEndpoint, ClusterParameterGroup, ClusterSnapshot, DbCluster
from cloudjar.services.rds.option_groups import OptionGroup
from cloudjar.services.rds.proxies.records import Proxy, ProxyEndpoint
from cloudjar.services.rds.records import DbInstance, ParameterGroup, Snapshot, SubnetGroup
from cloudjar.services.rds.reserved.records import ReservedDbInstances
from cloudjar.services.rds.subscriptions import EventSubscription

_TYPES: dict[str, type[Any]] = {
    "cluster": DbCluster, "cluster-snapshot": ClusterSnapshot, "cluster-pg": ClusterParameterGroup,
    "cluster-endpoint": ClusterEndpoint,
    "db": DbInstance, "subgrp": SubnetGroup, "pg": ParameterGroup, "snapshot": Snapshot, "es": EventSubscription,
    "db-proxy": Proxy, "db-proxy-endpoint": ProxyEndpoint,
    "ri": ReservedDbInstances,
    "og": OptionGroup,
    "deployment": Deployment,
}  # fmt: skip


@op("AddTagsToResource")
def add_tags_to_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add or overwrite tags."""
    item = _thing(ctx, req["ResourceName"])
    merged = {**item.tags, **tagging.checked(req["Tags"])}
    if len(merged) > tags.LIMIT:
        raise errors.invalid(f"There can be no more than {tags.LIMIT} tags.")
    ctx.db[type(item)].put(replace(item, tags=merged))
    return {}


@op("RemoveTagsFromResource")
def remove_tags_from_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags; those that are not there are passed over."""
    item = _thing(ctx, req["ResourceName"])
    kept = {key: value for key, value in item.tags.items() if key not in req["TagKeys"]}
    ctx.db[type(item)].put(replace(item, tags=kept))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of one thing."""
    errors.only(req, ("ResourceName",))
    return {"TagList": tags.as_list(_thing(ctx, req["ResourceName"]).tags)}


def _thing(ctx: Ctx, name: str) -> Any:
    parsed = arns.parse(name)
    kind, _, key = parsed.resource.partition(":") if parsed else ("", "", "")
    if parsed is None or parsed.service != "rds" or kind not in _TYPES:
        raise errors.invalid(f"Invalid resource name: {name}")
    if (parsed.region, parsed.account) != (ctx.region, ctx.account):
        raise errors.invalid(f"The specified resource name does not match an RDS resource in this region: {name}")
    if kind == "db-proxy":  # whose ARN has another name of it
        return next(iter(ctx.db[Proxy].all(id=key)), None) or ctx.db[Proxy].need(key)
    return ctx.db[_TYPES[kind]].need(key)
