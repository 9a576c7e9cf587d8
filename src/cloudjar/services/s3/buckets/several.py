"""Configurations of which a bucket has many, by id: metrics, analytics, inventory, Intelligent-Tiering.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketMetricsConfigurations.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import find_bucket, need_bucket, save
from cloudjar.services.s3.buckets.records import Bucket, Named

_PAGE = 100


class Kind(NamedTuple):
    """One kind: the bucket's field, the model's name of it, and how many there may be."""

    field: str
    word: str
    most: int


METRICS = Kind("metrics", "Metrics", 1000)
ANALYTICS = Kind("analytics", "Analytics", 1000)
INVENTORY = Kind("inventory", "Inventory", 1000)
TIERING = Kind("intelligent_tiering", "IntelligentTiering", 1000)

Check = Callable[[Ctx, Bucket, dict[str, Any]], None]


def _held(bucket: Bucket, kind: Kind) -> Named:
    found: Named = getattr(bucket, kind.field)
    return found


def _missing() -> AwsError:
    return AwsError("NoSuchConfiguration", "The specified configuration does not exist.", 404)


def _put(ctx: Ctx, req: dict[str, Any], kind: Kind, check: Check) -> dict[str, Any]:
    bucket = need_bucket(ctx, req)
    given = req[f"{kind.word}Configuration"]
    if given["Id"] != req["Id"]:
        raise errors.malformed_xml()
    held = _held(bucket, kind)
    if req["Id"] not in held and len(held) >= kind.most:
        raise AwsError("TooManyConfigurations", "You are attempting to create a new configuration but have already "
                       f"reached the {kind.most:,}-configuration limit.", 400)  # fmt: skip
    check(ctx, bucket, given)
    save(ctx, replace(bucket, **{kind.field: {**held, req["Id"]: given}}))
    return {}


def _get(ctx: Ctx, req: dict[str, Any], kind: Kind) -> dict[str, Any]:
    found = _held(need_bucket(ctx, req), kind).get(req["Id"])
    if found is None:
        raise _missing()
    return {f"{kind.word}Configuration": found}


def _delete(ctx: Ctx, req: dict[str, Any], kind: Kind) -> dict[str, Any]:
    bucket = need_bucket(ctx, req)
    held = dict(_held(bucket, kind))
    if held.pop(req["Id"], None) is None:
        raise _missing()
    save(ctx, replace(bucket, **{kind.field: held}))
    return {}


def _list(ctx: Ctx, req: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """A hundred a page, in the order of their ids."""
    held = _held(need_bucket(ctx, req), kind)
    token = req.get("ContinuationToken")
    after = _opened(token) if token else ""
    names = sorted(name for name in held if name > after)
    page = names[:_PAGE]
    result: dict[str, Any] = {
        "IsTruncated": len(names) > _PAGE,
        f"{kind.word}ConfigurationList": [held[name] for name in page],
    }
    if token:
        result["ContinuationToken"] = token
    if len(names) > _PAGE:
        result["NextContinuationToken"] = base64.urlsafe_b64encode(page[-1].encode()).decode()
    return result


def _opened(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise errors.invalid_argument(
            "The continuation token provided is incorrect", "continuation-token", token
        ) from None


# -- what each refuses -----------------------------------------------------------------------------------


def _check_filter(given: dict[str, Any]) -> None:
    flt = given.get("Filter")
    if flt is None:
        return
    if len(flt) != 1:
        raise errors.malformed_xml()
    both = flt.get("And")
    if both is not None and len(both) + max(len(both.get("Tags") or ()) - 1, 0) < 2:
        raise errors.malformed_xml()


def _check_metrics(_ctx: Ctx, _bucket: Bucket, given: dict[str, Any]) -> None:
    _check_filter(given)


def _check_destination(ctx: Ctx, destination: dict[str, Any] | None) -> None:
    if destination is None:
        return
    arn = str(destination.get("Bucket") or "")
    if not arn.startswith("arn:aws:s3:::"):
        raise errors.invalid_request("Invalid bucket ARN.")
    if find_bucket(ctx, arn.removeprefix("arn:aws:s3:::")) is None:
        raise AwsError("InvalidS3DestinationBucket", "The destination bucket does not exist.", 400)


def _check_analytics(ctx: Ctx, _bucket: Bucket, given: dict[str, Any]) -> None:
    _check_filter(given)
    export = given["StorageClassAnalysis"].get("DataExport") or {}
    _check_destination(ctx, (export.get("Destination") or {}).get("S3BucketDestination"))


def _check_inventory(ctx: Ctx, _bucket: Bucket, given: dict[str, Any]) -> None:
    _check_destination(ctx, given["Destination"]["S3BucketDestination"])


_LEAST = {"ARCHIVE_ACCESS": 90, "DEEP_ARCHIVE_ACCESS": 180}


def _check_tiering(_ctx: Ctx, _bucket: Bucket, given: dict[str, Any]) -> None:
    _check_filter(given)
    tiers = [tier["AccessTier"] for tier in given["Tierings"]]
    if not tiers or len(set(tiers)) != len(tiers):
        raise errors.malformed_xml()
    for tier in given["Tierings"]:
        if not _LEAST[tier["AccessTier"]] <= tier["Days"] <= 730:
            raise errors.invalid_argument(
                f"'Days' for the {tier['AccessTier']} tier must be between {_LEAST[tier['AccessTier']]} and 730"
            )


def _declare(kind: Kind, check: Check) -> None:
    """The four operations of a kind."""

    @op(f"PutBucket{kind.word}Configuration")
    def put(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Add a configuration, or replace the one with its id."""
        return _put(ctx, req, kind, check)

    @op(f"GetBucket{kind.word}Configuration")
    def get(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """The configuration with an id."""
        return _get(ctx, req, kind)

    @op(f"DeleteBucket{kind.word}Configuration")
    def delete(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Take one away."""
        return _delete(ctx, req, kind)

    @op(f"ListBucket{kind.word}Configurations", pages=False)
    def list_all(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """All of them, a page at a time."""
        return _list(ctx, req, kind)


_declare(METRICS, _check_metrics)
_declare(ANALYTICS, _check_analytics)
_declare(INVENTORY, _check_inventory)
_declare(TIERING, _check_tiering)
