"""One permission on a bucket or an object: every policy and ACL that bears on it.

A bucket's policy speaks for objects that the bucket's owner owns. Where ACLs are on, others may own some: then the
object's ACL speaks for its owner, and of the bucket's policy only what it denies counts.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.caller import canonical_id
from cloudjar.kit.access_points import AccessPoint
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant
from cloudjar.kit.public_policies import denials, is_public
from cloudjar.kit.record import arn_of
from cloudjar.services.s3.access import acl
from cloudjar.services.s3.access.blocking import blocks
from cloudjar.services.s3.access.keys import Keys
from cloudjar.services.s3.access.naming import in_force
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import Version

_OF_POLICY = frozenset(("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"))
# What asks for an object that is there, and is its owner's to allow.
_OF_OBJECT = frozenset(
    f"s3:{action}"
    for action in (
        "GetObject", "GetObjectVersion", "GetObjectAcl", "GetObjectVersionAcl", "PutObjectAcl", "PutObjectVersionAcl",
        "GetObjectTagging", "GetObjectVersionTagging", "PutObjectTagging", "PutObjectVersionTagging",
        "DeleteObjectTagging", "DeleteObjectVersionTagging", "GetObjectAttributes", "GetObjectVersionAttributes",
        "GetObjectTorrent",
    )
)  # fmt: skip


def on_bucket(
    ctx: Ctx, bucket: Bucket, action: str, operation: str, req: Mapping[str, Any], point: AccessPoint | None = None
) -> list[Grant]:
    """What must be allowed for an action on a bucket (and on the access point that is used)."""
    keys = Keys(ctx, operation, req, bucket, point)
    # No policy locks the owner's root user out of the policy itself.
    rooted = action in _OF_POLICY and ctx.caller.kind == "root" and ctx.caller.account == bucket.account
    own = Grant(
        action,
        arn_of(bucket),
        keys,
        "" if rooted else _policy(ctx, bucket, point),
        bucket.account,
        grants=_acl(ctx, bucket, bucket.acl, bucket.account, of_object=False),
    )
    return [own] if point is None else [_through(ctx, point, bucket, action, arn_of(point), keys), own]


def on_object(
    ctx: Ctx,
    bucket: Bucket,
    key: str,
    action: str,
    operation: str,
    req: Mapping[str, Any],
    point: AccessPoint | None = None,
    version_id: str = "",
) -> list[Grant]:
    """What must be allowed for an action on an object, be it there or not."""

    def existing() -> Mapping[str, str]:
        found = _version(ctx, bucket, key, version_id)
        return found.tags if found is not None else {}

    keys = Keys(ctx, operation, req, bucket, point, existing)
    policy, owner = _policy(ctx, bucket, point), bucket.account
    granted = _acl(ctx, bucket, bucket.acl, bucket.account, of_object=False)
    if action in _OF_OBJECT and not bucket.acls_off:
        found = _version(ctx, bucket, key, version_id)
        if found is not None and found.owner:
            granted += _acl(ctx, bucket, found.acl, found.owner, of_object=True)
            if found.owner != owner:
                policy, owner = denials(policy) if policy else "", found.owner
    own = Grant(action, f"{arn_of(bucket)}/{key}", keys, policy, owner, grants=granted)
    if point is None:
        return [own]
    return [_through(ctx, point, bucket, action, f"{arn_of(point)}/object/{key}", keys), own]


def _version(ctx: Ctx, bucket: Bucket, key: str, version_id: str) -> Version | None:
    objects = index(ctx.world)
    return objects.version(bucket.name, key, version_id) if version_id else objects.current(bucket.name, key)


def _policy(ctx: Ctx, bucket: Bucket, point: AccessPoint | None) -> str:
    """The bucket's policy; for strangers only what it denies when it is public and that is restricted."""
    text = in_force(ctx, bucket.policy, bucket.named)
    if text and _is_stranger(ctx, bucket.account) and is_public(text):
        return denials(text) if blocks(ctx, bucket, "RestrictPublicBuckets", point) else text
    return text


def _is_stranger(ctx: Ctx, account: str) -> bool:
    """Neither of the account nor a service: who may not come by a public policy where that is restricted."""
    return ctx.caller.account != account and ctx.caller.kind != "service"


def _acl(ctx: Ctx, bucket: Bucket, text: str, owner: str, *, of_object: bool) -> tuple[str, ...]:
    if not text or bucket.acls_off:
        return ()
    without = acl.is_public(text) and blocks(ctx, bucket, "IgnorePublicAcls")
    policy = acl.as_policy(text, canonical_id(owner), of_object=of_object, without_public=without)
    return (policy,) if policy else ()


def _through(ctx: Ctx, point: AccessPoint, bucket: Bucket, action: str, resource: str, keys: Keys) -> Grant:
    """The access point must allow what the bucket must allow too."""
    text = in_force(ctx, point.policy, point.named)
    restricted = text and _is_stranger(ctx, point.account) and is_public(text)
    if restricted and blocks(ctx, bucket, "RestrictPublicBuckets", point):
        text = denials(text)
    return Grant(action, resource, keys, text, point.account)
