"""From what a request calls a bucket to the bucket: by name, access point alias or ARN, and from the right region.

https://docs.aws.amazon.com/AmazonS3/latest/API/Redirects.html
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.access_points import AccessPoint
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.wire import host

ALIAS = "-s3alias"
_IN_HOST = re.compile(r"(?P<name>[a-z0-9-]+)-(?P<account>\d{12})", re.ASCII)


class Reached(NamedTuple):
    """A bucket, and the access point that it was reached by."""

    bucket: Bucket
    point: AccessPoint | None = None


def reach(ctx: Ctx, name: str) -> Reached:
    """What a request's ``Bucket`` means. Raises NoSuchBucket, NoSuchAccessPoint, AccessDenied (out of its VPC)."""
    if name.startswith("arn:") or name.endswith(ALIAS):
        point = _point(ctx, name)
        bucket = find_bucket(ctx, point.bucket)
        if bucket is None:
            raise errors.no_bucket(point.bucket)
        _check_network(ctx, point)
        return Reached(bucket, point)
    found = find_bucket(ctx, name)
    if found is not None:
        return Reached(found)
    arn = _point_in_host(ctx, name)
    if arn is None:
        raise errors.no_bucket(name)
    return reach(ctx, arn)


def _point_in_host(ctx: Ctx, name: str) -> str | None:
    """The ARN of an access point whose SDK puts its name and account before an endpoint of its own."""
    match = _IN_HOST.fullmatch(name)
    if match is None or ctx.request is None or not host.read(ctx.request.headers.get("host", "")).local_labels:
        return None
    found = ctx.db.at(match["account"], ctx.region)[AccessPoint].get(match["name"])
    return None if found is None else arn_of(found)


def _point(ctx: Ctx, name: str) -> AccessPoint:
    if name.endswith(ALIAS) and not name.startswith("arn:"):
        held = ctx.db.everywhere(AccessPoint, alias=name)
        if not held:
            raise errors.no_bucket(name)
        return held[0]
    arn = arns.parse(name)
    if arn is None or arn.service != "s3":
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, members={"BucketName": name})
    kind, _, rest = arn.resource.partition("/")
    if kind != "accesspoint" or arn.resource.endswith(".mrap") or not arn.region:
        raise errors.not_built("A multi-region access point, or a resource of S3 on Outposts,")
    found = ctx.db.at(arn.account, arn.region)[AccessPoint].get(rest.partition("/")[0])
    if found is None:
        raise AwsError("NoSuchAccessPoint", "The specified accesspoint does not exist", 404)
    return found


def _check_network(ctx: Ctx, point: AccessPoint) -> None:
    if point.vpc and (ctx.request is None or ctx.request.vpc != point.vpc):
        raise errors.access_denied()


def check_region(ctx: Ctx, bucket: Bucket, operation: str) -> None:
    """Raise the redirect of a request that came to, or was signed for, another region than the bucket's.

    Who does not sign is taken to be where the bucket is unless the address says otherwise; calls from inside are.
    """
    request = ctx.request
    if request is None:
        return
    address = request.headers.get("host", "")
    if "s3-accelerate" in address and bucket.accelerate != "Enabled":
        raise errors.invalid_request("S3 Transfer Acceleration is not configured on this bucket")
    if ctx.region == bucket.location:
        return
    named = host.region(address)
    if ctx.caller.kind == "anonymous" and named in ("", bucket.location):
        ctx.region = bucket.location
        return
    if operation == "GetBucketLocation":
        return
    headers = {"x-amz-bucket-region": bucket.location}
    if host.read(address).bucket and named in ("", bucket.location):
        raise AwsError(
            "AuthorizationHeaderMalformed",
            f"The authorization header is malformed; the region '{ctx.region}' is wrong; expecting "
            f"'{bucket.location}'",
            400,
            members={"Region": bucket.location},
            headers=headers,
        )
    raise AwsError(
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all "
        "future requests to this endpoint.",
        301,
        members={"Endpoint": endpoint(address, bucket), "Bucket": bucket.name},
        headers=headers,
    )


def endpoint(address: str, bucket: Bucket) -> str:
    """Where the bucket is to be asked for: under AWS's name for who came by one, else under a name of this machine."""
    if ".amazonaws.com" in address:
        return f"{bucket.name}.s3.{bucket.location}.amazonaws.com"
    _, colon, port = address.rpartition(":")
    return f"{bucket.name}.s3.{bucket.location}.localhost{colon}{port if colon else ''}"


def source(ctx: Ctx, text: Any) -> tuple[str, str, str]:
    """What ``x-amz-copy-source`` names: bucket (or access point), key, version id (or ""). Raises InvalidArgument."""
    from urllib.parse import unquote

    path, _, query = str(text).partition("?")
    version = query.removeprefix("versionId=") if query.startswith("versionId=") else ""
    plain = unquote(path)
    if plain.startswith("arn:"):
        name, found, key = plain.partition("/object/")
        if found and key:
            return name, key, version
    name, _, key = plain.removeprefix("/").partition("/")
    if not name or not key:
        raise errors.invalid_argument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", text
        )
    return name, key, version
