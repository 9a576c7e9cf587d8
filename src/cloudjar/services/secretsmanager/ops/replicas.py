"""Replicas in other regions.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.secretsmanager import errors, lookup, replication, views
from cloudjar.services.secretsmanager.access import asked
from cloudjar.services.secretsmanager.records import Secret


@op("ReplicateSecretToRegions", keys=asked)
def replicate_secret_to_regions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """More replicas; one that fails says why and leaves the others."""
    secret = lookup.need_primary(ctx, req["SecretId"])
    overwrite = bool(req.get("ForceOverwriteReplicaSecret"))
    secret = replication.add(lookup.home(ctx, secret), secret, req["AddReplicaRegions"], overwrite=overwrite)
    return _status(ctx, secret)


@op("RemoveRegionsFromReplication", keys=asked)
def remove_regions_from_replication(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Fewer replicas."""
    secret = lookup.need_primary(ctx, req["SecretId"])
    return _status(ctx, replication.remove(lookup.home(ctx, secret), secret, req["RemoveReplicaRegions"]))


def _status(ctx: Ctx, secret: Secret) -> dict[str, Any]:
    return {"ARN": ctx.arn(secret), "ReplicationStatus": views.show_replicas(secret) or []}


@op("StopReplicationToReplica", keys=asked)
def stop_replication_to_replica(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A replica becomes a secret of its own; asked for where the replica is."""
    secret = lookup.need(ctx, req["SecretId"])
    if not secret.is_replica:
        raise errors.invalid_request("Operation not permitted on a secret that is not a replica.")
    primary = ctx.db.at(secret.account, secret.primary_region)[Secret].get(secret.id)
    alone = ctx.db.at(secret.account, secret.region)[Secret].put(
        replace(secret, primary_region="", changed=ctx.now)
    )
    if primary is not None:
        replication.forget(ctx, primary, {secret.region})
    return {"ARN": ctx.arn(alone)}
