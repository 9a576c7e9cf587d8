"""Whether the Data API may be used on a cluster.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.enabling.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.clusters.records import DbCluster


@op("EnableHttpEndpoint")
def enable_http_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """From now on."""
    return _set(ctx, req["ResourceArn"], True)


@op("DisableHttpEndpoint")
def disable_http_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """From now on; who has a transaction open cannot go on with it."""
    return _set(ctx, req["ResourceArn"], False)


def _set(ctx: Ctx, arn: str, enabled: bool) -> dict[str, Any]:
    cluster = ctx.db[DbCluster].get(arn.rpartition(":cluster:")[2].lower()) if ":cluster:" in arn else None
    if cluster is None:
        raise AwsError("ResourceNotFoundFault", f"{arn} not found.", 404)
    if not members.shares(cluster):
        raise AwsError(
            "InvalidResourceStateFault", f"The HTTP endpoint isn't supported for DB clusters of {cluster.engine}.", 400
        )
    if cluster.state != "available":
        raise AwsError("InvalidResourceStateFault", f"DB cluster {cluster.id} is not in available state.", 400)
    ctx.db[DbCluster].put(replace(cluster, http=enabled))
    return {"ResourceArn": arn, "HttpEndpointEnabled": enabled}
