"""Files that services deliver into buckets (flow logs, load balancers' logs): through S3 as anybody, as a principal
that the bucket's policy must let in.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-S3.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import by_noun

_ACL = "bucket-owner-full-control"


class Place(NamedTuple):
    """A bucket, where it lies, and the prefix in it ("" or ending in a slash)."""

    bucket: str
    region: str
    prefix: str


def place_of(ctx: Ctx, arn: str) -> Place | None:
    """Where ``arn:aws:s3:::bucket/prefix/`` is; None when there is no such bucket in any account."""
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "s3":
        return None
    name, _, prefix = parsed.resource.partition("/")
    return place(ctx, name, prefix)


def place(ctx: Ctx, name: str, prefix: str = "") -> Place | None:
    """The same by the bucket's name."""
    ctx.world.load("s3")
    declared = by_noun("s3", "bucket")
    held = None if declared is None else ctx.db.find(declared.type, name)
    if held is None:
        return None
    clean = prefix.strip("/")
    return Place(name, str(held.location), f"{clean}/" if clean else "")


def put(
    ctx: Ctx, caller: Caller, where: Place, key: str, body: bytes, also: Mapping[str, Any] | None = None
) -> None:
    """Write a file as `caller`: a service's delivery principal, or the account that a service delivered by before it
    had one. `also` are further members of PutObject (metadata, encryption). Raises what S3 answers: AccessDenied when
    the bucket does not let it in."""
    there = ctx.at(ctx.account, where.region)
    params: dict[str, Any] = {"Bucket": where.bucket, "Key": where.prefix + key, "Body": body, **(also or {})}
    if caller.kind == "service":
        params["ACL"] = _ACL
    there.call("s3", "PutObject", params, caller=caller)


def let_in(ctx: Ctx, where: Place, folder: str, principal: str, source_arn: str, via: str) -> None:
    """Add to the bucket's policy what log delivery needs, in the name of who sets it up: AWS does so for who may change
    that policy. For others nothing happens: the policy must be there then. `folder` (``AWSLogs/ACCOUNT``) is below the
    prefix."""
    there = ctx.at(ctx.account, where.region)
    try:
        try:
            held = json.loads(there.call("s3", "GetBucketPolicy", {"Bucket": where.bucket}, via=via)["Policy"])
        except AwsError as error:
            if error.code != "NoSuchBucketPolicy":
                return
            held = {"Version": "2012-10-17", "Id": "AWSLogDeliveryWrite20150319", "Statement": []}
        statements = _statements(ctx.account, where, folder, principal, source_arn)
        missing = [one for one in statements if one not in held["Statement"]]
        if missing:
            held["Statement"] = [*held["Statement"], *missing]
            params = {"Bucket": where.bucket, "Policy": json.dumps(held)}
            there.call("s3", "PutBucketPolicy", params, via=via)
    except AwsError:
        return


def _statements(account: str, where: Place, folder: str, principal: str, source_arn: str) -> list[dict[str, Any]]:
    bucket = f"arn:aws:s3:::{where.bucket}"
    source = {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": source_arn}}
    return [
        {
            "Sid": "AWSLogDeliveryWrite",
            "Effect": "Allow",
            "Principal": {"Service": principal},
            "Action": "s3:PutObject",
            "Resource": f"{bucket}/{where.prefix}{folder}/*",
            "Condition": {**source, "StringEquals": {"aws:SourceAccount": account, "s3:x-amz-acl": _ACL}},
        },
        {
            "Sid": "AWSLogDeliveryAclCheck",
            "Effect": "Allow",
            "Principal": {"Service": principal},
            "Action": "s3:GetBucketAcl",
            "Resource": bucket,
            "Condition": source,
        },
    ]
