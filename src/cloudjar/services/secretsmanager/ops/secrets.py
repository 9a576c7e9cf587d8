"""Making, describing, changing, deleting secrets, and their tags.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.secretsmanager import errors, lookup, making, replication, rules, sealing, views
from cloudjar.services.secretsmanager.access import asked
from cloudjar.services.secretsmanager.life import announce
from cloudjar.services.secretsmanager.records import CURRENT, PENDING, PREVIOUS, Secret, Version


def token_of(req: dict[str, Any]) -> str:
    """The id of the version to be made; clients that are not SDKs must think of one."""
    token = req.get("ClientRequestToken")
    if not token:
        raise errors.invalid_request(
            "You must provide a ClientRequestToken value. We recommend a UUID-type value."
        )
    return str(token)


@op("CreateSecret", keys=asked)
def create_secret(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A secret, with its first version when there is a value, and its replicas."""
    for member in ("Type", "CrossAccountPrimaryARN"):
        if req.get(member):
            raise errors.not_built("CreateSecret", member)
    rules.check_name(req["Name"])
    value, token = rules.value_of(req), token_of(req)
    known = lookup.find(ctx, req["Name"])
    if known is not None:
        return _known(ctx, known, token, value)
    given = rules.given_tags(req.get("Tags") or ())
    rules.check_tags(given)
    secret = ctx.db[Secret].add(
        Secret(
            id=f"{req['Name']}-{rules.suffix(ids.below)}",
            name=req["Name"],
            description=req.get("Description") or "",
            kms_key_id=_key(req),
            tags=given,
            created=ctx.now,
            changed=ctx.now,
        )
    )
    making.check_key(ctx, secret)
    version = making.put(ctx, secret, token, value, (CURRENT,)) if value else None
    secret = ctx.db[Secret].need(secret.id)
    if req.get("AddReplicaRegions"):
        overwrite = bool(req.get("ForceOverwriteReplicaSecret"))
        secret = replication.add(ctx, secret, req["AddReplicaRegions"], overwrite=overwrite)
    return _made(secret, version)


def _key(req: dict[str, Any]) -> str:
    key = req.get("KmsKeyId") or ""
    return "" if sealing.is_default(key) else key


def _made(secret: Secret, version: Version | None) -> dict[str, Any]:
    made = views.show_id(secret, VersionId=version.id if version else None)
    return {**made, "ReplicationStatus": views.show_replicas(secret)}


def _known(ctx: Ctx, known: Secret, token: str, value: tuple[bytes, bool] | None) -> dict[str, Any]:
    """The name is taken; by this very request, when it was sent twice."""
    if known.deleted is not None:
        raise errors.name_being_deleted()
    version = lookup.version(ctx, known, token)
    if value is None or version is None or version.envelope is None:
        raise errors.exists(known.name)
    if (sealing.unseal(ctx, known, version), version.binary) != value:
        raise errors.exists(known.name)
    return _made(known, version)


@op("DescribeSecret", keys=asked)
def describe_secret(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Everything but the value; also of secrets that wait to be deleted."""
    secret = lookup.need(ctx, req["SecretId"], deleted=True)
    accessed = {}
    for replica in secret.replicas:
        copy = ctx.db.at(secret.account, replica.region)[Secret].get(secret.id)
        accessed[replica.region] = copy.accessed if copy else None
    return {
        **views.show_secret(secret),
        "VersionIdsToStages": views.labelled(lookup.stages(ctx, secret)),
        "ReplicationStatus": views.show_replicas(secret, accessed),
    }


@op("UpdateSecret", keys=asked)
def update_secret(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Description, key, value; a new key re-seals the versions that have AWS's labels."""
    if req.get("Type"):
        raise errors.not_built("UpdateSecret", "Type")
    value = rules.value_of(req)
    secret = lookup.need(ctx, req["SecretId"])
    if secret.is_replica and (value or req.get("Description") is not None or req.get("KmsKeyId") is None):
        raise errors.on_replica()
    ctx = lookup.home(ctx, secret)
    if req.get("Description") is not None:
        secret = replace(secret, description=req["Description"])
    rekey = req.get("KmsKeyId") is not None and _key(req) != secret.kms_key_id
    if rekey:
        secret = replace(secret, kms_key_id=_key(req))
        making.check_key(ctx, secret)
    ctx.db[Secret].put(replace(secret, changed=ctx.now))
    if rekey:
        _reseal(ctx, secret)
    if value is None:
        making.changed(ctx, secret)
        return views.show_id(secret)
    token = token_of(req)
    if (known := lookup.version(ctx, secret, token)) is not None and known.envelope is not None:
        raise errors.token_used(token, ctx.arn(secret))
    version = making.put(ctx, secret, token, value, (CURRENT,))
    return views.show_id(secret, VersionId=version.id)


def _reseal(ctx: Ctx, secret: Secret) -> None:
    for version in lookup.versions(ctx, secret):
        if version.envelope is not None and {CURRENT, PENDING, PREVIOUS} & set(version.stages):
            value = sealing.unseal(ctx, secret, version)
            sealed = making.sealed_for(ctx, secret, version.id, value)
            ctx.db[Version].put(replace(version, envelope=sealed, kms_key_id=secret.kms_key_id))


@op("DeleteSecret", keys=asked)
def delete_secret(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """After a recovery window, or at once."""
    days = rules.window(req)
    secret = lookup.find(ctx, req["SecretId"])
    if secret is None:
        if days is not None:
            raise errors.no_secret()
        return _never_was(ctx, req["SecretId"])
    if secret.is_replica:
        raise errors.on_replica()
    if secret.replicas:
        raise errors.has_replicas(ctx.arn(secret), [replica.region for replica in secret.replicas])
    if days is None:
        replication.drop(ctx, secret)
        announce(ctx, secret, "SecretDeleted")
        return views.show_id(secret, DeletionDate=ctx.now)
    if secret.deleted is not None:
        raise errors.deleted()
    date = ctx.now + timedelta(days=days)
    ctx.db.at(secret.account, secret.region)[Secret].put(replace(secret, deleted=date))
    return views.show_id(secret, DeletionDate=date)


def _never_was(ctx: Ctx, secret_id: str) -> dict[str, Any]:
    """Deleting without recovery succeeds for a secret that is not there."""
    named = rules.named(secret_id)
    ghost = Secret(
        id=named.text, name=named.text, created=ctx.now, changed=ctx.now, account=ctx.account, region=ctx.region
    )
    return views.show_id(ghost, DeletionDate=ctx.now)


@op("RestoreSecret", keys=asked)
def restore_secret(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Out of the recovery window; one that is not in it stays as it is."""
    secret = lookup.need_primary(ctx, req["SecretId"], deleted=True)
    if secret.deleted is not None:
        table = ctx.db.at(secret.account, secret.region)[Secret]
        secret = making.changed(ctx, table.put(replace(secret, deleted=None)))
    return views.show_id(secret)


@op("TagResource", keys=asked)
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """More tags, or other values."""
    secret = lookup.need_primary(ctx, req["SecretId"])
    after = {**secret.tags, **rules.given_tags(req["Tags"])}
    rules.check_tags(after)
    return _tagged(ctx, secret, after)


@op("UntagResource", keys=asked)
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Fewer tags; one that is not there is passed over."""
    secret = lookup.need_primary(ctx, req["SecretId"])
    gone = set(req["TagKeys"])
    return _tagged(ctx, secret, {key: value for key, value in secret.tags.items() if key not in gone})


def _tagged(ctx: Ctx, secret: Secret, after: dict[str, str]) -> dict[str, Any]:
    ctx = lookup.home(ctx, secret)
    making.changed(ctx, ctx.db[Secret].put(replace(secret, tags=after)))
    return {}
