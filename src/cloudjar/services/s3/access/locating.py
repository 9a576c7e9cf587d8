"""What must be allowed for each request to S3: the table's actions, on buckets and objects that are no records.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html ("permissions" of each operation)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, Operation, locates
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access import bodies
from cloudjar.services.s3.access.granting import on_bucket, on_object
from cloudjar.services.s3.access.keys import Keys
from cloudjar.services.s3.access.reaching import Reached, check_region, reach, source
from cloudjar.services.s3.objects.index import index
from cloudjar.spec import iam

_Test = Callable[[dict[str, Any]], bool]
_EACH_BY_ITSELF = frozenset(("DeleteObjects",))
"""Decided key by key by the handler (`access.asking`): what is refused is listed in the answer."""


@locates("s3")
def locate(ctx: Ctx, operation: Operation, entries: tuple[iam.Entry, ...], req: dict[str, Any]) -> list[Grant]:
    """The grants of a request; ``Bucket`` becomes the bucket's name where the request called it otherwise.

    Raises NoSuchBucket, the redirects to other regions, and AccessDenied for who does not want to pay.
    """
    name = req.get("Bucket")
    if not name:
        keys = Keys(ctx, operation.name, req, None)
        return [Grant(entry.action, "*", keys) for entry in entries if entry.applies(req)]
    if operation.name == "CreateBucket":
        return _creating(ctx, entries, req)
    if operation.writes and "Key" not in req:
        bodies.check(ctx)
    reached = reach(ctx, name)
    req["Bucket"] = reached.bucket.name
    check_region(ctx, reached.bucket, operation.name)
    _check_payer(ctx, reached, req)
    if operation.name in _EACH_BY_ITSELF:
        return []
    needed = _COMPILED.get(operation.name)
    if needed is None:
        needed = _COMPILED[operation.name] = [(entry, _test(entry)) for entry in entries]
    return [
        grant
        for entry, applies in needed
        if (applies is None or applies(req)) and not _delivered(ctx, entry)
        for grant in _grants(ctx, operation, entry, req, reached)
    ]


def _delivered(ctx: Ctx, entry: iam.Entry) -> bool:
    """Services that deliver name the ACL that gives the bucket's owner everything; policies let them in by
    s3:PutObject alone, with a condition on that ACL."""
    return entry.action == "s3:PutObjectAcl" and ctx.caller.kind == "service"


_COMPILED: dict[str, list[tuple[iam.Entry, _Test | None]]] = {}


def _test(entry: iam.Entry) -> _Test | None:
    """`entry.applies`, without reading the entry anew at every request; None for what always applies."""
    when = entry.when
    if when is None:
        return None
    if when.test in ("exists", "missing") and "." not in when.path and "[" not in when.path:
        names, wanted = tuple(when.path.split(",")), when.test == "exists"
        return lambda req: any(req.get(name) for name in names) is wanted
    return entry.applies


def _creating(ctx: Ctx, entries: tuple[iam.Entry, ...], req: dict[str, Any]) -> list[Grant]:
    if ctx.caller.kind == "anonymous":
        raise errors.access_denied()
    keys, arn = Keys(ctx, "CreateBucket", req, None), arns.make("s3", "", "", req["Bucket"])
    found = [Grant(entry.action, arn, keys) for entry in entries if entry.applies(req)]
    if (req.get("CreateBucketConfiguration") or {}).get("Tags"):
        found.append(Grant("s3:TagResource", arn, keys))
    return found


def _grants(
    ctx: Ctx, operation: Operation, entry: iam.Entry, req: dict[str, Any], reached: Reached
) -> Iterator[Grant]:
    action, bucket, point = entry.action, reached.bucket, reached.point
    if not action.startswith("s3:"):
        keys = {key.lower(): value for key, value in entry.keys.items()}
        for _, arn in entry.targets(req, arns.PARTITION, ctx.region, ctx.account):
            yield Grant(action, arn, keys)
    elif "CopySource" in req and action.startswith("s3:GetObject"):
        yield from _copied(ctx, operation, action, req)
    elif "Key" in req:
        yield from on_object(ctx, bucket, req["Key"], action, operation.name, req, point, req.get("VersionId") or "")
    else:
        yield from on_bucket(ctx, bucket, action, operation.name, req, point)


def _copied(ctx: Ctx, operation: Operation, action: str, req: dict[str, Any]) -> Iterator[Grant]:
    """Of the source: to read it, and to read its tags if it has any."""
    name, key, version = source(ctx, req["CopySource"])
    bucket, point = reach(ctx, name)
    if action == "s3:GetObjectTagging":
        objects = index(ctx.world)
        found = objects.version(bucket.name, key, version) if version else objects.current(bucket.name, key)
        if found is None or not found.tags:
            return
    if version:
        action = action.replace("Object", "ObjectVersion", 1)
    asked = {"VersionId": version} if version else {}
    yield from on_object(ctx, bucket, key, action, operation.name, asked, point, version)


def _check_payer(ctx: Ctx, reached: Reached, req: dict[str, Any]) -> None:
    """Where the requester pays, others than the owner must say that they will, and who they are."""
    bucket = reached.bucket
    if not bucket.requester_pays or ctx.caller.account == bucket.account or ctx.caller.kind == "service":
        return
    if ctx.caller.kind == "anonymous" or req.get("RequestPayer") != "requester":
        raise errors.access_denied()
