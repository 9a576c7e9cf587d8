"""Tags of certificates; those of the newer operations (TagResource) are of ACME endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.acm.records import Certificate


def given_tags(items: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """Tags of a request; raises InvalidTagException and TooManyTagsException."""
    found: dict[str, str] = {}
    for item in items or ():
        key = str(item["Key"])
        if key.lower().startswith("aws:"):
            raise AwsError("InvalidTagException", "Tag keys that begin with aws: are reserved for AWS use.")
        if key in found:
            raise AwsError("InvalidTagException", f"The tag key {key} is specified more than once.")
        found[key] = str(item.get("Value") or "")
    return _few(found)


def _few(found: dict[str, str]) -> dict[str, str]:
    if len(found) > tags.LIMIT:
        raise AwsError("TooManyTagsException", f"A certificate can have at most {tags.LIMIT} tags.")
    return found


def _add(ctx: Ctx, arn: str, items: Iterable[Mapping[str, Any]]) -> None:
    found = ctx.db[Certificate].need(arn)
    ctx.db[Certificate].put(replace(found, tags=_few({**found.tags, **given_tags(items)})))


@op("AddTagsToCertificate")
def add_tags_to_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add or overwrite tags."""
    _add(ctx, req["CertificateArn"], req["Tags"])
    return {}


@op("RemoveTagsFromCertificate")
def remove_tags_from_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags; one with a value only when that is its value."""
    found = ctx.db[Certificate].need(req["CertificateArn"])
    gone = {t["Key"] for t in req["Tags"] if t.get("Value") is None or found.tags.get(t["Key"]) == t["Value"]}
    ctx.db[Certificate].put(replace(found, tags={k: v for k, v in found.tags.items() if k not in gone}))
    return {}


@op("ListTagsForCertificate")
def list_tags_for_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every tag."""
    return {"Tags": tags.as_list(ctx.db[Certificate].need(req["CertificateArn"]).tags)}
