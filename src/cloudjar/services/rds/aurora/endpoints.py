"""Custom endpoints: names of some of a cluster's members.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Endpoints.Custom.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import errors, rules, tagging
from cloudjar.services.rds.clusters import errors as faults
from cloudjar.services.rds.clusters import members, naming, ops
from cloudjar.services.rds.clusters.records import ClusterEndpoint, DbCluster
from cloudjar.services.rds.records import DbInstance

_ID = "DBClusterEndpointIdentifier"
_KINDS = ("READER", "ANY")
_MOST = 5
"""Of a cluster, where no quota says otherwise."""
_GETTERS = {
    "db-cluster-endpoint-type": lambda one: one["EndpointType"].lower(),
    "db-cluster-endpoint-custom-type": lambda one: (one.get("CustomEndpointType") or "").lower() or None,
    "db-cluster-endpoint-id": lambda one: one.get(_ID),
    "db-cluster-endpoint-status": lambda one: one["Status"],
}


@op("CreateDBClusterEndpoint")
def create_db_cluster_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A name of these members of a cluster, or of all but those."""
    cluster = ops.by_name(ctx, req["DBClusterIdentifier"])
    name = rules.identifier(_ID, req[_ID])
    if ctx.db[ClusterEndpoint].get(name) is not None:
        raise AwsError("DBClusterEndpointAlreadyExistsFault", f"DB cluster endpoint {name} already exists")
    if not members.shares(cluster):
        raise errors.combination(f"Custom endpoints aren't supported for DB engine {cluster.engine}.")
    if cluster.state == "deleting":
        raise faults.expected(cluster, "available")
    limit = ctx.limit("rds", "L-9372BAB3") or _MOST
    if len(ctx.db[ClusterEndpoint].all(cluster=cluster.id)) >= limit:
        raise AwsError(
            "DBClusterEndpointQuotaExceededFault", f"The cluster already has the maximum number of custom endpoints: "
            f"{limit:g}.", 403,
        )  # fmt: skip
    made = ClusterEndpoint(
        id=name, resource_id=f"cluster-endpoint-{ids.unique_id('')}{ids.unique_id('')[:5]}", cluster=cluster.id,
        kind=_kind(req["EndpointType"]), tags=tagging.asked(req),
        **_chosen(ctx, cluster, req.get("StaticMembers"), req.get("ExcludedMembers")),
    )  # fmt: skip
    return _show(ctx.db[ClusterEndpoint].add(made))


@op("ModifyDBClusterEndpoint")
def modify_db_cluster_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other members, or another kind."""
    found = ctx.db[ClusterEndpoint].need(req[_ID].lower())
    changed: dict[str, Any] = {"kind": _kind(req["EndpointType"])} if req.get("EndpointType") else {}
    if req.get("StaticMembers") is not None or req.get("ExcludedMembers") is not None:
        cluster = ctx.db[DbCluster].need(found.cluster)
        changed |= _chosen(ctx, cluster, req.get("StaticMembers"), req.get("ExcludedMembers"))
    return _show(ctx.db[ClusterEndpoint].put(replace(found, **changed)))


@op("DeleteDBClusterEndpoint")
def delete_db_cluster_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The name means nothing from now on."""
    found = ctx.db[ClusterEndpoint].need(req[_ID].lower())
    ctx.db[ClusterEndpoint].drop(found)
    return {**_show(found), "Status": "deleting"}


@op("DescribeDBClusterEndpoints")
def describe_db_cluster_endpoints(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The names of one cluster, or of all: each one's own two, and custom ones."""
    name, wanted = req.get("DBClusterIdentifier"), req.get(_ID)
    found = [ops.by_name(ctx, name)] if name else sorted(ctx.db[DbCluster].all(), key=lambda one: one.id)
    shown = [one for cluster in found for one in _every(ctx, cluster)]
    if wanted:
        shown = [one for one in shown if one.get(_ID) == wanted.lower()]
    return {"DBClusterEndpoints": filters.apply(req.get("Filters"), _GETTERS, shown)}


def _every(ctx: Ctx, cluster: DbCluster) -> Iterator[dict[str, Any]]:
    status = "available" if cluster.answering else "creating"
    for kind, front in (("WRITER", naming.WRITES), ("READER", naming.READS)):
        yield {
            "DBClusterIdentifier": cluster.id, "Endpoint": naming.endpoint(cluster, front), "Status": status,
            "EndpointType": kind,
        }  # fmt: skip
    for one in sorted(ctx.db[ClusterEndpoint].all(cluster=cluster.id), key=lambda one: one.id):
        yield _show(one)


def _kind(given: str) -> str:
    if given.upper() not in _KINDS:
        raise errors.invalid(f"Invalid endpoint type: {given}. Valid values: {', '.join(_KINDS)}")
    return given.upper()


def _chosen(ctx: Ctx, cluster: DbCluster, static: list[str] | None, excluded: list[str] | None) -> dict[str, Any]:
    """Members that a request names, who must be the cluster's."""
    if static and excluded:
        raise errors.combination("You can't specify both StaticMembers and ExcludedMembers.")
    for name in (*(static or ()), *(excluded or ())):
        if ctx.db[DbInstance].need(name.lower()).cluster != cluster.id:
            raise errors.state(f"Instance {name} is not a member of the DB cluster {cluster.id}.")
    return {
        "static": tuple(sorted({one.lower() for one in static or ()})),
        "excluded": tuple(sorted({one.lower() for one in excluded or ()})),
    }


def _show(one: ClusterEndpoint) -> dict[str, Any]:
    return {
        _ID: one.id,
        "DBClusterIdentifier": one.cluster,
        "DBClusterEndpointResourceIdentifier": one.resource_id,
        "Endpoint": naming.custom(one),
        "Status": "available",
        "EndpointType": "CUSTOM",
        "CustomEndpointType": one.kind,
        "StaticMembers": list(one.static),
        "ExcludedMembers": list(one.excluded),
        "DBClusterEndpointArn": arn_of(one),
    }
