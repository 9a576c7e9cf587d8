"""Multi-Region keys: one id, one material, in several Regions.

https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, errors, finding, life, material
from cloudjar.services.kms.ops.keys import new_policy
from cloudjar.services.kms.ops.tags import checked as checked_tags
from cloudjar.services.kms.records import ENABLED, PENDING_IMPORT, Key, Material
from cloudjar.services.kms.views import show_key, show_tags
from cloudjar.spec import regions


def _replicating(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """ReplicateKey: on the primary key, and to make a key."""
    keys = access.of_request(ctx, req)
    lower = {name.lower(): value for name, value in keys.items()}
    primary = access.on_key(ctx, "ReplicateKey", finding.find(ctx, req["KeyId"]), keys, req["KeyId"])
    return [primary, Grant("kms:CreateKey", "*", lower)]


@op("ReplicateKey", access=_replicating)
def replicate_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A replica in another Region, with a policy, description and tags of its own."""
    key = finding.usable(_primary(finding.need(ctx, req["KeyId"], action="ReplicateKey")))
    region = str(req["ReplicaRegion"])
    if region not in {one.name for one in regions.regions()} or region == key.region:
        raise errors.validation(f"{region} is not a Region that the key can be replicated to.")
    there = ctx.at(ctx.account, region)
    arn = arns.make("kms", region, ctx.account, f"key/{key.id}")
    if there.db[Key].get(key.id) is not None:
        raise AwsError("AlreadyExistsException", f"Key {arn} already exists.", 400)
    policy, named = new_policy(there, req, arn)
    there.db[Key].add(
        replace(
            key,
            policy=policy,
            principals=named,
            description=req.get("Description") or "",
            tags=checked_tags(req.get("Tags") or ()),
            aliases=(),
            state=ENABLED if key.origin == "AWS_KMS" else PENDING_IMPORT,
            multi_region="REPLICA",
        )
    )
    if key.origin == "EXTERNAL":
        for one in material.all_of(ctx, key):
            there.db[Material].add(replace(one, sealed=b"", valid_to=None))
    primary = ctx.db[Key].put(replace(key, replicas=tuple(sorted((*key.replicas, region)))))
    life.share(ctx, primary)
    replica = there.db[Key].need(key.id)
    return {
        "ReplicaKeyMetadata": show_key(there, replica),
        "ReplicaPolicy": replica.policy,
        "ReplicaTags": show_tags(replica.tags),
    }


def _primary(key: Key) -> Key:
    if not key.multi_region:
        raise errors.unsupported(f"{arn_of(key)} is not a multi-Region key.")
    if key.multi_region != "PRIMARY":
        raise errors.unsupported(f"{arn_of(key)} is not a multi-Region primary key.")
    return key


def _promoting(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """UpdatePrimaryRegion: on the key that is the primary and on the one that will be."""
    keys = access.of_request(ctx, req)
    key = finding.find(ctx, req["KeyId"])
    found = [access.on_key(ctx, "UpdatePrimaryRegion", key, keys, req["KeyId"])]
    replica = None if key is None else ctx.db.at(key.account, req["PrimaryRegion"])[Key].get(key.id)
    return found if replica is None else [*found, access.on_key(ctx, "UpdatePrimaryRegion", replica, keys)]


@op("UpdatePrimaryRegion", access=_promoting)
def update_primary_region(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The replica in another Region becomes the primary key, the primary a replica."""
    key = finding.usable(_primary(finding.need(ctx, req["KeyId"], action="UpdatePrimaryRegion")))
    region = str(req["PrimaryRegion"])
    there = ctx.at(ctx.account, region)
    replica = there.db[Key].get(key.id)
    if region not in key.replicas or replica is None:
        raise errors.not_found(f"Key '{arns.make('kms', region, ctx.account, f'key/{key.id}')}' does not exist")
    finding.usable(replica)
    replicas = tuple(sorted({*key.replicas, key.region} - {region}))
    promoted = there.db[Key].put(replace(replica, multi_region="PRIMARY", primary=region, replicas=replicas))
    life.share(ctx, promoted)
    return {}
