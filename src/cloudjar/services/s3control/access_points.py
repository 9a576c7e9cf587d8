"""Access points of buckets, and their policies.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateAccessPoint.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.access_points import BLOCK_ALL, AccessPoint, AccountPublicAccess
from cloudjar.kit.bucket_policies import checked
from cloudjar.kit.context import Ctx
from cloudjar.kit.named_principals import in_force, unique_ids
from cloudjar.kit.operation import op
from cloudjar.kit.public_policies import is_public
from cloudjar.kit.record import arn_of
from cloudjar.services.s3control.lookup import (
    access_denied,
    check_account,
    find_bucket,
    invalid_request,
    not_built,
)

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,48})[a-z0-9]", re.ASCII)
_ALIAS = 63
_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"


@op("CreateAccessPoint")
def create_access_point(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A further way into a bucket of this Region."""
    check_account(ctx, req)
    if req.get("Scope"):
        raise not_built("The scope of an access point for directory buckets")
    name = req["Name"]
    if not _NAME.fullmatch(name) or name.endswith("-s3alias"):
        raise invalid_request("The specified accesspoint name is not valid")
    bucket = find_bucket(ctx, req["Bucket"])
    if bucket is None or bucket.location != ctx.region:
        raise invalid_request("The specified bucket does not exist")
    if bucket.account != (req.get("BucketAccountId") or ctx.account):
        raise access_denied()
    if ctx.db[AccessPoint].get(name) is not None:
        raise AwsError(
            "AccessPointAlreadyOwnedByYou",
            "Your previous request to create the named accesspoint succeeded and you already own it.",
            409,
            members={"AccessPointName": name},
        )
    given = req.get("PublicAccessBlockConfiguration")
    point = ctx.db[AccessPoint].add(
        AccessPoint(
            name=name,
            bucket=bucket.name,
            bucket_account=bucket.account,
            alias=_alias(name),
            created=ctx.now.replace(microsecond=0),
            vpc=(req.get("VpcConfiguration") or {}).get("VpcId") or "",
            public_access_block=BLOCK_ALL if given is None else {n: bool(given.get(n)) for n in BLOCK_ALL},
            tags=tags.from_list(req.get("Tags") or ()),
        )
    )
    return {"AccessPointArn": arn_of(point), "Alias": point.alias}


def _alias(name: str) -> str:
    """A bucket's name for the access point: 63 characters that nobody else has."""
    start, end = f"{name[:20]}-", "-s3alias"
    middle = "".join(_DIGITS[ids.below(len(_DIGITS))] for _ in range(_ALIAS - len(start) - len(end)))
    return f"{start}{middle}{end}"


def need(ctx: Ctx, req: dict[str, Any]) -> AccessPoint:
    """The access point of a name or ARN, in the caller's account and Region."""
    check_account(ctx, req)
    return ctx.db[AccessPoint].need(req["Name"].rpartition("/")[2])


@op("GetAccessPoint")
def get_access_point(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Everything but the policy."""
    point = need(ctx, req)
    where = f"s3-accesspoint.{point.region}.amazonaws.com"
    return _listed(point) | {
        "PublicAccessBlockConfiguration": dict(point.public_access_block),
        "CreationDate": point.created,
        "Endpoints": {
            "dualstack": f"s3-accesspoint.dualstack.{point.region}.amazonaws.com",
            "fips": f"s3-accesspoint-fips.{point.region}.amazonaws.com",
            "fips_dualstack": f"s3-accesspoint-fips.dualstack.{point.region}.amazonaws.com",
            "ipv4": where,
        },
    }


def _listed(point: AccessPoint) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Name": point.name,
        "NetworkOrigin": point.origin,
        "Bucket": point.bucket,
        "AccessPointArn": arn_of(point),
        "Alias": point.alias,
        "BucketAccountId": point.bucket_account,
    }
    if point.vpc:
        entry["VpcConfiguration"] = {"VpcId": point.vpc}
    return entry


@op("ListAccessPoints", pages=False)
def list_access_points(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's in this Region, or those of one bucket; in the order of their names."""
    check_account(ctx, req)
    bucket, after = req.get("Bucket"), req.get("NextToken") or ""
    found = ctx.db[AccessPoint].all(**({"bucket": bucket} if bucket else {}))
    rest = [point for point in found if point.name > after]
    page = rest[: min(req.get("MaxResults") or 1000, 1000)]
    result: dict[str, Any] = {"AccessPointList": [_listed(point) for point in page]}
    if len(rest) > len(page) and page:
        result["NextToken"] = page[-1].name
    return result


@op("DeleteAccessPoint")
def delete_access_point(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The way is shut."""
    ctx.db[AccessPoint].drop(need(ctx, req))
    return {}


# -- policies --------------------------------------------------------------------------------------------


@op("PutAccessPointPolicy")
def put_access_point_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the policy; a public one is refused where that is blocked."""
    point = need(ctx, req)
    document = checked(ctx, req["Policy"], arn_of(point))
    if is_public(req["Policy"]) and _blocks_policies(ctx, point):
        raise access_denied()
    ctx.db[AccessPoint].put(replace(point, policy=req["Policy"], named=unique_ids(ctx, document)))
    return {}


def _blocks_policies(ctx: Ctx, point: AccessPoint) -> bool:
    setting = "BlockPublicPolicy"
    bucket, account = find_bucket(ctx, point.bucket), ctx.db[AccountPublicAccess].get(point.account)
    return (
        bool(point.public_access_block.get(setting))
        or (bucket is not None and bool((bucket.public_access_block or {}).get(setting)))
        or (account is not None and bool(account.settings.get(setting)))
    )


def _policy(ctx: Ctx, point: AccessPoint) -> str:
    if not point.policy:
        raise AwsError(
            "NoSuchAccessPointPolicy",
            "The specified accesspoint policy does not exist",
            404,
            members={"AccessPointName": point.name},
        )
    return in_force(ctx, point.policy, point.named)


@op("GetAccessPointPolicy")
def get_access_point_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The policy as it was put; who was deleted since goes by his unique id."""
    return {"Policy": _policy(ctx, need(ctx, req))}


@op("GetAccessPointPolicyStatus")
def get_access_point_policy_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether it is public."""
    return {"PolicyStatus": {"IsPublic": is_public(_policy(ctx, need(ctx, req)))}}


@op("DeleteAccessPointPolicy")
def delete_access_point_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No policy any more."""
    ctx.db[AccessPoint].put(replace(need(ctx, req), policy="", named={}))
    return {}
