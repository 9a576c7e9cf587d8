"""What lets others into a bucket: its policy, its ACL, the policies of its access points, less what Block Public Access
keeps out.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-analyzer.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cloudjar.base.caller import canonical_id
from cloudjar.kit import public_policies
from cloudjar.kit.access_points import AccessPoint, AccountPublicAccess
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of

_EVERYBODY = "http://acs.amazonaws.com/groups/global/"
_ACL_ACTIONS = {
    "READ": ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"],
    "WRITE": ["s3:DeleteObject", "s3:PutObject"],
    "READ_ACP": ["s3:GetBucketAcl"],
    "WRITE_ACP": ["s3:PutBucketAcl"],
}
_ACL_ACTIONS["FULL_CONTROL"] = sorted(action for actions in _ACL_ACTIONS.values() for action in actions)


class Text(NamedTuple):
    """A policy's JSON and where it comes from, as a finding's ``sources`` have it."""

    policy: str
    source: dict[str, Any]


def texts(ctx: Ctx, bucket: Any) -> Iterator[Text]:
    """All that lets somebody in: an ACL is written as a policy."""
    own = bucket.public_access_block or {}
    if bucket.policy and not _restricted(ctx, bucket, own, bucket.policy):
        yield Text(bucket.policy, {"type": "POLICY"})
    yield from _acl(ctx, bucket, own)
    if bucket.policy:
        yield from _points(ctx, bucket, own)


def _blocked(ctx: Ctx, bucket: Any, setting: str, *settings: Mapping[str, bool]) -> bool:
    """Whether any of the blocks, or the account's, has a setting."""
    whole = ctx.db.at(bucket.account, "")[AccountPublicAccess].get(bucket.account)
    every = (*settings, whole.settings if whole is not None else {})
    return any(held.get(setting) for held in every)


def _restricted(ctx: Ctx, bucket: Any, own: Mapping[str, bool], policy: str, *more: Mapping[str, bool]) -> bool:
    """Whether a policy lets nobody in but the owner's own, since it is public and that is blocked."""
    return public_policies.is_public(policy) and _blocked(ctx, bucket, "RestrictPublicBuckets", own, *more)


def _acl(ctx: Ctx, bucket: Any, own: Mapping[str, bool]) -> Iterator[Text]:
    if bucket.ownership == "BucketOwnerEnforced" or len(bucket.acl) < 2:
        return
    statements = []
    for line in bucket.acl.split("\n"):
        permission, grantee = line.split(" ", 1)
        public = grantee.startswith(_EVERYBODY)
        if public and _blocked(ctx, bucket, "IgnorePublicAcls", own):
            continue
        if grantee == canonical_id(bucket.account) or (not public and "/" in grantee):
            continue  # the owner, and S3's own log delivery
        statements.append(
            {
                "Effect": "Allow",
                "Principal": "*" if public else {"CanonicalUser": grantee},
                "Action": _ACL_ACTIONS[permission],
                "Resource": [arn_of(bucket), f"{arn_of(bucket)}/*"],
            }
        )
    if statements:
        yield Text(json.dumps({"Version": "2012-10-17", "Statement": statements}), {"type": "BUCKET_ACL"})


def _points(ctx: Ctx, bucket: Any, own: Mapping[str, bool]) -> Iterator[Text]:
    """Access points let others in only where the bucket's policy does too: one without a policy has none to show."""
    for point in ctx.db.everywhere(AccessPoint, bucket=bucket.name):
        if not point.policy or point.bucket_account != bucket.account:
            continue
        if _restricted(ctx, bucket, own, point.policy, point.public_access_block):
            continue
        detail = {"accessPointArn": arn_of(point), "accessPointAccount": point.account}
        yield Text(_of_vpc(point), {"type": "S3_ACCESS_POINT", "detail": detail})


def _of_vpc(point: AccessPoint) -> str:
    """The policy of a point that is only there in a VPC, with that as a condition."""
    if not point.vpc:
        return point.policy
    document = json.loads(point.policy)
    held = public_policies.statements(point.policy)
    for statement in held:
        conditions = dict(statement.get("Condition") or {})
        conditions["StringEquals"] = {**conditions.get("StringEquals", {}), "aws:SourceVpc": point.vpc}
        statement["Condition"] = conditions
    return json.dumps({**document, "Statement": held})


def lies_in(bucket: Any, region: str) -> bool:
    """Whether an analyzer of a Region looks at a bucket."""
    return bool(bucket.location == region)
