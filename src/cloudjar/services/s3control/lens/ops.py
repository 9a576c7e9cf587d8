"""Configurations of Storage Lens.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutStorageLensConfiguration.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.s3control.lens.life import wake
from cloudjar.services.s3control.lens.records import Lens
from cloudjar.services.s3control.lookup import check_account, find_bucket, invalid_request, not_built

_ID = re.compile(r"[a-zA-Z0-9\-_.]{1,64}", re.ASCII)
_ADVANCED = ("ActivityMetrics", "AdvancedCostOptimizationMetrics", "AdvancedDataProtectionMetrics",
             "DetailedStatusCodesMetrics", "AdvancedPerformanceMetrics")  # fmt: skip
_MOST_TAGS = 50
_PAGE = 1000
Request = dict[str, Any]


@op("PutStorageLensConfiguration")
def put_storage_lens_configuration(ctx: Ctx, req: Request) -> Request:
    """Make a configuration, or replace it; tags are those of the first time."""
    check_account(ctx, req)
    given = req["StorageLensConfiguration"]
    if given["Id"] != req["ConfigId"] or not _ID.fullmatch(req["ConfigId"]):
        raise invalid_request("The ID of the configuration is not valid, or not that of the request")
    _check_built(given)
    _check_scope(given)
    _check_export(ctx, given)
    kept = {name: value for name, value in given.items() if value is not None and name != "StorageLensArn"}
    held = ctx.db[Lens].get(req["ConfigId"])
    if held is None:
        marks = _checked_tags(req.get("Tags") or ())
        lens = ctx.db[Lens].add(Lens(id=req["ConfigId"], created=ctx.now, configuration=kept, tags=marks))
    else:
        lens = ctx.db[Lens].put(replace(held, configuration=kept))
    wake(ctx, lens)
    return {}


def _check_built(given: Mapping[str, Any]) -> None:
    """Raises NotImplemented for what costs on AWS: only the free metrics are counted here."""
    account = given["AccountLevel"]
    bucket = account["BucketLevel"]
    on = [name for level in (account, bucket) for name in _ADVANCED if (level.get(name) or {}).get("IsEnabled")]
    if on or ((bucket.get("PrefixLevel") or {}).get("StorageMetrics") or {}).get("IsEnabled"):
        raise not_built(f"Advanced metrics of Storage Lens ({', '.join(on) or 'PrefixLevel'})")
    export = given.get("DataExport") or {}
    if account.get("StorageLensGroupLevel") is not None or given.get("AwsOrg") is not None:
        raise not_built("Storage Lens over groups or an organization")
    if (export.get("CloudWatchMetrics") or {}).get("IsEnabled") or (
        export.get("StorageLensTableDestination") or {}
    ).get("IsEnabled") or given.get("ExpandedPrefixesDataExport") is not None:
        raise not_built("Storage Lens to CloudWatch or to tables")
    if (export.get("S3BucketDestination") or {}).get("Format") == "Parquet":
        raise not_built("Storage Lens as Parquet")


def _check_scope(given: Mapping[str, Any]) -> None:
    include, exclude = given.get("Include") or {}, given.get("Exclude") or {}
    if include and exclude:
        raise invalid_request("Include and Exclude cannot be specified together")
    for arn in (*(include.get("Buckets") or ()), *(exclude.get("Buckets") or ())):
        if not arn.startswith("arn:aws:s3:::"):
            raise invalid_request("A bucket is not named by its ARN")


def _check_export(ctx: Ctx, given: Mapping[str, Any]) -> None:
    place = (given.get("DataExport") or {}).get("S3BucketDestination")
    if place is None:
        return
    bucket = find_bucket(ctx, place["Arn"].removeprefix("arn:aws:s3:::"))
    if bucket is None or bucket.account != place["AccountId"]:
        raise invalid_request("The destination bucket does not exist, or is another account's")


def _need(ctx: Ctx, req: Request) -> Lens:
    check_account(ctx, req)
    return ctx.db[Lens].need(req["ConfigId"])


@op("GetStorageLensConfiguration")
def get_storage_lens_configuration(ctx: Ctx, req: Request) -> Request:
    """As it was put, with its ARN."""
    lens = _need(ctx, req)
    return {"StorageLensConfiguration": {**lens.configuration, "StorageLensArn": arn_of(lens)}}


@op("ListStorageLensConfigurations", pages=False)
def list_storage_lens_configurations(ctx: Ctx, req: Request) -> Request:
    """Those whose home is this Region, by their ids."""
    check_account(ctx, req)
    after = req.get("NextToken") or ""
    rest = [one for one in sorted(ctx.db[Lens].all(), key=lambda one: one.id) if one.id > after]
    told: Request = {
        "StorageLensConfigurationList": [
            {"Id": one.id, "StorageLensArn": arn_of(one), "HomeRegion": one.region,
             "IsEnabled": one.configuration["IsEnabled"]}
            for one in rest[:_PAGE]
        ]
    }  # fmt: skip
    if len(rest) > _PAGE:
        told["NextToken"] = rest[_PAGE - 1].id
    return told


@op("DeleteStorageLensConfiguration")
def delete_storage_lens_configuration(ctx: Ctx, req: Request) -> Request:
    """No figures any more; those that were written stay."""
    ctx.db[Lens].drop(_need(ctx, req))
    return {}


# -- tags
def _checked_tags(given: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    found = tags.from_list(given)
    if len(found) > _MOST_TAGS:
        raise AwsError("TooManyTagsException", f"A configuration cannot have more than {_MOST_TAGS} tags.", 400)
    if any(key.lower().startswith("aws:") for key in found):
        raise invalid_request("System tags cannot be added/updated by requester")
    return found


@op("PutStorageLensConfigurationTagging")
def put_storage_lens_configuration_tagging(ctx: Ctx, req: Request) -> Request:
    """Replace the tags."""
    ctx.db[Lens].put(replace(_need(ctx, req), tags=_checked_tags(req["Tags"])))
    return {}


@op("GetStorageLensConfigurationTagging")
def get_storage_lens_configuration_tagging(ctx: Ctx, req: Request) -> Request:
    """The tags, in the order of their keys."""
    return {"Tags": tags.as_list(_need(ctx, req).tags)}


@op("DeleteStorageLensConfigurationTagging")
def delete_storage_lens_configuration_tagging(ctx: Ctx, req: Request) -> Request:
    """No tags any more."""
    ctx.db[Lens].put(replace(_need(ctx, req), tags={}))
    return {}
