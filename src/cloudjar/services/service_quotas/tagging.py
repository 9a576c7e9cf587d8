"""Tags of quotas.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.service_quotas import errors
from cloudjar.services.service_quotas.lookup import HOME, need_quota
from cloudjar.services.service_quotas.records import TaggedQuota


def _place(ctx: Ctx, arn: str) -> str:
    """``service/code`` of a quota of the caller's, in this Region or (of global services) in none."""
    found = arns.parse(arn)
    service, _, code = found.resource.partition("/") if found is not None else ("", "", "")
    if found is None or found.service != "servicequotas" or found.account != ctx.account:
        raise errors.no_quota()
    quota = need_quota(ctx, service, code)
    if found.region != ("" if quota.is_global else ctx.region) or (quota.is_global and ctx.region != HOME):
        raise errors.no_quota()
    return quota.arn_resource


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add or overwrite tags."""
    place = _place(ctx, req["ResourceARN"])
    held = ctx.db[TaggedQuota].get(place)
    merged = {**(held.tags if held is not None else {}), **tags.from_list(req["Tags"])}
    if any(key.lower().startswith("aws:") for key in merged):
        raise errors.reserved_tag()
    if len(merged) > tags.LIMIT:
        raise errors.too_many_tags()
    if held is None:
        ctx.db[TaggedQuota].add(TaggedQuota(place=place, tags=merged))
    else:
        ctx.db[TaggedQuota].put(replace(held, tags=merged))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags; those that are not there are passed over."""
    held = ctx.db[TaggedQuota].get(_place(ctx, req["ResourceARN"]))
    if held is not None:
        ctx.db[TaggedQuota].put(replace(held, tags=tags.without(held.tags, req["TagKeys"])))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a quota."""
    held = ctx.db[TaggedQuota].get(_place(ctx, req["ResourceARN"]))
    return {"Tags": tags.as_list(held.tags) if held is not None else []}
