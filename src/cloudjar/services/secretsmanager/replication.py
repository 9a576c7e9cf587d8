"""Replicas: a secret's copies in other regions, sealed there under that region's key, changed with their primary.

Copying is done in the primary's transaction, as the caller: without permission for a key the replica fails, says why,
and is tried again at the next change.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.secretsmanager import errors, lookup, sealing
from cloudjar.services.secretsmanager.records import Replica, Secret, Version
from cloudjar.spec import regions


class _Taken(Exception):
    """The name belongs to another secret there."""


def add(ctx: Ctx, secret: Secret, wanted: Iterable[Mapping[str, Any]], *, overwrite: bool) -> Secret:
    """Copy a secret to more regions; gives the secret with the outcome. Raises for regions that cannot be."""
    known = {region.name for region in regions.regions()}
    for one in wanted:
        region = str(one.get("Region") or "")
        if region == secret.region or region not in known:
            raise errors.invalid("Invalid replica region.")
        there = next((replica for replica in secret.replicas if replica.region == region), None)
        if there is not None and there.status == "InSync":
            raise errors.invalid_request(f"The secret is already replicated to region {region}.")
        replica = Replica(region, one.get("KmsKeyId") or "")
        others = tuple(one for one in secret.replicas if one.region != region)
        secret = replace(secret, primary_region=secret.region, replicas=(*others, replica))
        secret = _store(ctx, secret)
        secret = _copied(ctx, secret, replica, overwrite=overwrite)
    return secret


def sync(ctx: Ctx, secret: Secret) -> Secret:
    """Bring every replica to what the primary is now."""
    for replica in secret.replicas:
        secret = _copied(ctx, secret, replica, overwrite=False)
    return secret


def _copied(ctx: Ctx, secret: Secret, replica: Replica, *, overwrite: bool) -> Secret:
    """One attempt; what it stored is taken back when it fails, and the status says so."""
    try:
        with ctx.world.state.database.transaction():
            _copy(ctx, secret, replica, overwrite=overwrite)
        status, message = "InSync", ""
    except _Taken:
        status = "Failed"
        message = f"Replication failed: Secret name {secret.name} already exists in region {replica.region}."
    except AwsError as refused:
        status, message = "Failed", f"Replication failed: {refused.message}"
    after = tuple(
        replace(one, status=status, message=message) if one.region == replica.region else one
        for one in secret.replicas
    )
    return _store(ctx, replace(secret, replicas=after))


def _copy(ctx: Ctx, secret: Secret, replica: Replica, *, overwrite: bool) -> None:
    there = ctx.at(secret.account, replica.region)
    table = there.db[Secret]
    _clear(there, secret, overwrite=overwrite)
    known = table.get(secret.id)
    copy = replace(
        secret,
        region=replica.region,
        kms_key_id=known.kms_key_id if known else replica.kms_key_id,
        accessed=known.accessed if known else None,
        replicas=(),
        rotation=None,  # rotated where the primary is
    )
    copy = table.put(copy) if known else table.add(copy)
    _copy_versions(ctx, secret, there, copy)


def _clear(there: Ctx, secret: Secret, *, overwrite: bool) -> None:
    """Make way for the copy: another secret of the name is overwritten when that was asked for."""
    for other in there.db[Secret].all(name=secret.name):
        if other.id == secret.id:
            continue
        if not overwrite or other.replicas:
            raise _Taken
        drop(there, other)


def _copy_versions(ctx: Ctx, secret: Secret, there: Ctx, copy: Secret) -> None:
    table = there.db[Version]
    have = {version.id: version for version in lookup.versions(there, copy)}
    mine = {version.id: version for version in lookup.versions(ctx, secret)}
    for gone in have.keys() - mine.keys():
        table.drop(have[gone])
    for version in mine.values():
        known = have.get(version.id)
        if known is None:
            table.add(_resealed(ctx, secret, version, there, copy))
        elif known.envelope is None and version.envelope is not None:
            table.put(replace(_resealed(ctx, secret, version, there, copy), account=known.account, region=known.region))
        elif known.stages != version.stages:
            table.put(replace(known, stages=version.stages))


def _resealed(ctx: Ctx, secret: Secret, version: Version, there: Ctx, copy: Secret) -> Version:
    sealed = None
    if version.envelope is not None:
        value = sealing.unseal(ctx, secret, version)
        sealed = sealing.seal(there, copy, version.id, value)
    return replace(version, region=copy.region, envelope=sealed, kms_key_id=copy.kms_key_id, accessed=None)


def remove(ctx: Ctx, secret: Secret, gone: Iterable[str]) -> Secret:
    """Delete replicas, at once and for good."""
    names = set(gone)
    missing = names - {replica.region for replica in secret.replicas}
    if missing:
        raise errors.invalid(f"The secret isn't replicated to region {sorted(missing)[0]}.")
    for region in sorted(names):
        there = ctx.at(secret.account, region)
        copy = there.db[Secret].get(secret.id)
        if copy is not None and copy.is_replica:
            drop(there, copy)
    return forget(ctx, secret, names)


def forget(ctx: Ctx, secret: Secret, names: set[str]) -> Secret:
    """Take regions off a primary's list."""
    left = tuple(replica for replica in secret.replicas if replica.region not in names)
    return _store(ctx, replace(secret, replicas=left, primary_region=secret.region if left else ""))


def drop(ctx: Ctx, secret: Secret) -> None:
    """Remove a secret with all of its versions."""
    db = ctx.db.at(secret.account, secret.region)
    for version in lookup.versions(ctx, secret):
        db[Version].drop(version)
    db[Secret].drop(secret)


def _store(ctx: Ctx, secret: Secret) -> Secret:
    return ctx.db.at(secret.account, secret.region)[Secret].put(secret)
