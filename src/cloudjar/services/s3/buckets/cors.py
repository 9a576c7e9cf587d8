"""Cross-origin rules of a bucket, and which of them answers a browser.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket, save

_METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")
_MOST = 100


@op("PutBucketCors")
def put_bucket_cors(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the rules."""
    bucket = need_bucket(ctx, req)
    rules: list[dict[str, Any]] = req["CORSConfiguration"].get("CORSRules") or []
    if not 0 < len(rules) <= _MOST:
        raise errors.malformed_xml()
    for rule in rules:
        _check(rule)
    save(ctx, replace(bucket, cors=rules))
    return {}


def _check(rule: Mapping[str, Any]) -> None:
    for method in rule["AllowedMethods"]:
        if method not in _METHODS:
            raise errors.invalid_request(
                f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )
    for member, name in (("AllowedOrigins", "AllowedOrigin"), ("AllowedHeaders", "AllowedHeader")):
        for value in rule.get(member) or ():
            if value.count("*") > 1:
                raise errors.invalid_request(f'{name} "{value}" can not have more than one wildcard.')
    for value in rule.get("ExposeHeaders") or ():
        if "*" in value:
            raise errors.invalid_request(
                f'ExposeHeader "{value}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
            )
    if len(rule.get("ID") or "") > 255:
        raise errors.malformed_xml()


@op("GetBucketCors")
def get_bucket_cors(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The rules."""
    bucket = need_bucket(ctx, req)
    if bucket.cors is None:
        raise AwsError(
            "NoSuchCORSConfiguration", "The CORS configuration does not exist", 404,
            members={"BucketName": bucket.name},
        )  # fmt: skip
    return {"CORSRules": bucket.cors}


@op("DeleteBucketCors")
def delete_bucket_cors(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No rules."""
    save(ctx, replace(need_bucket(ctx, req), cors=None))
    return {}


# -- answering browsers ----------------------------------------------------------------------------------


def answering(
    rules: Iterable[Mapping[str, Any]], origin: str, method: str, asked: Iterable[str] = ()
) -> Mapping[str, Any] | None:
    """The first rule for a request of a page from `origin`; `asked` are the headers that a preflight names."""
    wanted = [name.strip().lower() for name in asked if name.strip()]
    for rule in rules:
        if method not in rule["AllowedMethods"]:
            continue
        if not any(fits(pattern, origin) for pattern in rule["AllowedOrigins"]):
            continue
        allowed = [pattern.lower() for pattern in rule.get("AllowedHeaders") or ()]
        if all(any(fits(pattern, name) for pattern in allowed) for name in wanted):
            return rule
    return None


def fits(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern with at most one wildcard says."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(before) + len(after) and text.startswith(before) and text.endswith(after)


def headers(rule: Mapping[str, Any], origin: str, method: str = "", asked: str = "") -> list[tuple[str, str]]:
    """What a browser is told by a rule; `method` and `asked` for a preflight alone."""
    everybody = "*" in rule["AllowedOrigins"]
    found = [
        ("Access-Control-Allow-Origin", "*" if everybody else origin),
        ("Access-Control-Allow-Methods", ", ".join(rule["AllowedMethods"])),
    ]
    if method and asked:
        found.append(("Access-Control-Allow-Headers", ", ".join(n.strip().lower() for n in asked.split(","))))
    if rule.get("ExposeHeaders"):
        found.append(("Access-Control-Expose-Headers", ", ".join(rule["ExposeHeaders"])))
    if rule.get("MaxAgeSeconds") is not None:
        found.append(("Access-Control-Max-Age", str(rule["MaxAgeSeconds"])))
    if not everybody:
        found.append(("Access-Control-Allow-Credentials", "true"))
    found.append(("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"))
    return found
