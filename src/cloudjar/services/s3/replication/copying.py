"""One copy: who must be allowed what, how it is encrypted, whose it is.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.services.s3.access import acl as acls
from cloudjar.services.s3.access.asking import object_refusal
from cloudjar.services.s3.access.blocking import blocks
from cloudjar.services.s3.access.blocking import refused as refused_acl
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects import changes, encryption
from cloudjar.services.s3.objects.changes import Change
from cloudjar.services.s3.objects.encryption import Wanted
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import Content, Encryption, Version
from cloudjar.services.s3.objects.writing import blobs
from cloudjar.services.s3.replication.config import Rule

_PRINCIPAL = "s3.amazonaws.com"


def copy(world: World, caller: Caller, bucket: Bucket, rule: Rule, version: Version) -> None:
    """Make the copy of a version (or marker) that a rule wants, in the running transaction; nothing when it is there
    already. Raises what refuses it."""
    target = _target(world, bucket, rule)
    here = Ctx(world, caller.account, bucket.location, caller)
    there = Ctx(world, caller.account, target.location, caller)
    _ask(here, bucket, version, "s3:GetObjectVersionForReplication", "GetObject")
    if version.tags:
        _ask(here, bucket, version, "s3:GetObjectVersionTagging", "GetObjectTagging")
    _ask(there, target, version, "s3:ReplicateDelete" if version.marker else "s3:ReplicateObject", "PutObject")
    if version.tags:
        _ask(there, target, version, "s3:ReplicateTags", "PutObjectTagging")
    if rule.owner:
        _ask(there, target, version, "s3:ObjectOwnerOverrideToBucketOwner", "PutObject")
    if _with_acl(target, rule, version):
        _ask(here, bucket, version, "s3:GetObjectVersionAcl", "GetObjectAcl")
        _check_public(there, target, version)
    if index(world).version(target.name, version.key, version.id) is not None:
        return
    made = _marker(target, version) if version.marker else _replica(here, there, bucket, target, rule, version)
    index(world).insert(made)
    acting = Ctx(world, target.account, target.location, callers.service(_PRINCIPAL, target.account))
    changes.tell(acting, target, Change(changes.MARKED if version.marker else changes.PUT, made))
    _bill(world, bucket, target, rule, version)


def edit(world: World, caller: Caller, bucket: Bucket, rule: Rule, version: Version) -> None:
    """Bring tags, ACL and lock of a copy to those of its source, in the running transaction. It is no change that would
    be copied on: so that two buckets that copy to each other come to rest."""
    target = _target(world, bucket, rule)
    there = Ctx(world, caller.account, target.location, caller)
    _ask(there, target, version, "s3:ReplicateTags", "PutObjectTagging")
    held = index(world).version(target.name, version.key, version.id)
    if held is not None and not held.marker:
        lock = version.lock if target.object_lock else held.lock
        acl = held.acl
        if _with_acl(target, rule, version):
            _check_public(there, target, version)
            acl = version.acl
        index(world).change(replace(held, tags=version.tags, lock=lock, acl=acl))


def _with_acl(target: Bucket, rule: Rule, version: Version) -> bool:
    """Whether a copy has its source's ACL: not where it changes hands, nor where ACLs are disabled."""
    return bool(version.acl) and not version.marker and not rule.owner and not target.acls_off


def _check_public(there: Ctx, target: Bucket, version: Version) -> None:
    if acls.is_public(version.acl) and blocks(there, target, "BlockPublicAcls"):
        raise refused_acl(there, "s3:PutObjectAcl", f"arn:aws:s3:::{target.name}/{version.key}", "BlockPublicAcls")


def _target(world: World, bucket: Bucket, rule: Rule) -> Bucket:
    target = find_bucket(Ctx(world, bucket.account, bucket.location, callers.ANONYMOUS), rule.target)
    if target is None or not target.versioned:
        raise AwsError("NoSuchBucket", "The destination bucket is not there, or keeps no versions", 404)
    return target


def _ask(ctx: Ctx, bucket: Bucket, version: Version, action: str, operation: str) -> None:
    req: Mapping[str, Any] = {"Bucket": bucket.name, "Key": version.key}
    refused = object_refusal(ctx, bucket, version.key, action, operation, req, version.id)
    if refused is not None:
        raise refused


def _marker(target: Bucket, version: Version) -> Version:
    return replace(version, bucket=target.name, owner=target.account, replication="REPLICA")


def _replica(here: Ctx, there: Ctx, bucket: Bucket, target: Bucket, rule: Rule, version: Version) -> Version:
    content = version.content or Content()
    if version.sse is not None and version.sse.kind == encryption.CUSTOMER:
        sse, sealed = encryption.as_it_is(target, version.bucket, version.key, version.sse), content.key
    else:
        key = encryption.opened(here, bucket, version.key, version.sse, content.key, None)
        sse, sealed = encryption.sealed(there, target, version.key, _how(there, target, rule, version), key)
    owner = target.account if rule.owner or target.acls_off else version.owner
    return replace(
        version,
        bucket=target.name,
        owner=owner,
        acl=version.acl if _with_acl(target, rule, version) else "",
        storage_class=rule.storage_class or version.storage_class,
        sse=sse,
        content=Content(blobs(there).share(content.blob), sealed, content.parts),
        lock=version.lock if target.object_lock else None,
        restore=None,
        archived="",
        tier="",
        touched=0,
        moved=0,
        replication="REPLICA",
    )


def _how(there: Ctx, target: Bucket, rule: Rule, version: Version) -> Wanted:
    """What KMS encrypts is encrypted again under the rule's key; anything else as the target's default says."""
    kind = version.sse.kind if version.sse is not None else encryption.S3
    if kind == encryption.S3:
        return encryption.wanted(there, target, {})
    bucket_key = bool((target.encryption or {}).get("BucketKeyEnabled")) and kind == encryption.KMS
    return Wanted(Encryption(kind, rule.kms_key, version.sse.context if version.sse is not None else "", bucket_key))


def _bill(world: World, bucket: Bucket, target: Bucket, rule: Rule, version: Version) -> None:
    """The source's owner pays: a put, and bytes between regions."""
    quantities: Quantities = world.ports["quantities"]
    owner = Owner(bucket.account, bucket.location, bucket.name)
    quantities.add(owner, Tally("AmazonS3", "Requests-Tier1", "PutObjectForRepl", "Requests", 1), 1)
    if bucket.location != target.location and version.size:
        tally = Tally("AWSDataTransfer", "<from>-<to>-AWS-Out-Bytes", "PutObjectForRepl")
        quantities.add(owner, tally, version.size)
    if rule.timed and version.size:
        quantities.add(owner, Tally("AmazonS3", "S3RTC-Out-Bytes", "PutObjectForRepl"), version.size)
