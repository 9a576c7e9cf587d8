"""What a bucket's website is made of.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket, save
from cloudjar.services.s3.errors import invalid_argument

_MOST = 50


@op("PutBucketWebsite")
def put_bucket_website(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make the bucket a website, or change what it is."""
    bucket = need_bucket(ctx, req)
    given = req["WebsiteConfiguration"]
    _check(given)
    save(ctx, replace(bucket, website=given))
    return {}


def _check(given: Mapping[str, Any]) -> None:
    if given.get("RedirectAllRequestsTo") is not None:
        others = [name for name in ("IndexDocument", "ErrorDocument", "RoutingRules") if given.get(name)]
        if others:
            raise invalid_argument(
                "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
                "RedirectAllRequestsTo",
                "not null",
            )
        return
    suffix = (given.get("IndexDocument") or {}).get("Suffix")
    if not suffix:
        raise invalid_argument(
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            "IndexDocument",
            "null",
        )
    if "/" in suffix:
        raise invalid_argument("The IndexDocument Suffix is not well formed", "IndexDocument", suffix)
    if given.get("ErrorDocument") is not None and not given["ErrorDocument"].get("Key"):
        raise invalid_argument("The ErrorDocument Key is not well formed", "ErrorDocument", "")
    rules = given.get("RoutingRules")
    if rules is not None and not rules:
        raise errors.malformed_xml()
    if len(rules or ()) > _MOST:
        raise errors.invalid_request(
            f"The number of RoutingRules provided ({len(rules or ())}) exceeds the allowed limit of {_MOST}."
        )
    for rule in rules or ():
        _check_rule(rule)


def _check_rule(rule: Mapping[str, Any]) -> None:
    condition, redirect = rule.get("Condition"), rule["Redirect"]
    if condition is not None and not condition:
        raise errors.invalid_request(
            "Condition cannot be empty. To redirect all requests without a condition, the condition element "
            "shouldn't be present."
        )
    code = (condition or {}).get("HttpErrorCodeReturnedEquals")
    if code is not None and (len(code) != 3 or code[0] not in "45" or not code.isdecimal()):
        raise errors.invalid_request(
            f"The provided HTTP error code ({code}) is not valid. Valid codes are 4XX or 5XX."
        )
    if not redirect:
        raise errors.malformed_xml()
    status = redirect.get("HttpRedirectCode")
    if status is not None and (len(status) != 3 or status[0] != "3" or not status.isdecimal() or status == "300"):
        raise errors.invalid_request(
            f"The provided HTTP redirect code ({status}) is not valid. Valid codes are 3XX except 300."
        )
    if redirect.get("ReplaceKeyWith") is not None and redirect.get("ReplaceKeyPrefixWith") is not None:
        raise errors.invalid_request("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")


@op("GetBucketWebsite")
def get_bucket_website(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The website as it was put."""
    bucket = need_bucket(ctx, req)
    if bucket.website is None:
        raise no_website(bucket.name)
    return dict(bucket.website)


def no_website(name: str) -> AwsError:
    """The bucket is none."""
    return AwsError(
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
        404,
        members={"BucketName": name},
    )


@op("DeleteBucketWebsite")
def delete_bucket_website(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No website any more."""
    save(ctx, replace(need_bucket(ctx, req), website=None))
    return {}
