"""Tags on anything of EC2 that has an id.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record, by_noun
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.key_pairs.ops import by_id
from cloudjar.services.ec2.lookup import FORMS, Row, by_path, is_id, narrow
from cloudjar.services.ec2.transit_connects.records import TransitConnect
from cloudjar.services.ec2.transit_gateways.peering_records import TransitPeering
from cloudjar.services.ec2.vpcs.making import op

FILTERS = by_path({"key": "Key", "resource-id": "ResourceId", "resource-type": "ResourceType", "value": "Value"})

NOUNS = {prefix: noun for noun, (prefix, _) in FORMS.items()} | {"key": "key-pair"}
"""Prefix of an id -> IAM resource type."""
_UUIDS = ("fleet-", "sfr-")
"""Ids that are a prefix and a UUID."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ids of Reserved Instances have no prefix."""


@op("CreateTags")
def create_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags to resources, or give tags that they have other values; all or none."""
    given = tags.checked(req["Tags"])
    if not given:
        raise errors.missing_one("Tag")
    for item in [_resource(ctx, key) for key in dict.fromkeys(req["Resources"])]:
        _store(ctx, item, tags.within_limit({**tags_of(item), **given}))
    return {}


@op("DeleteTags")
def delete_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags: those named, those named with exactly that value, or without any named all of the user's."""
    for item in [_resource(ctx, key) for key in dict.fromkeys(req["Resources"])]:
        _store(ctx, item, {k: v for k, v in tags_of(item).items() if not _goes(k, v, req.get("Tags"))})
    return {}


def _goes(key: str, value: str, named: list[Mapping[str, Any]] | None) -> bool:
    if not named:
        return not key.startswith("aws:")
    return any(tag.get("Key") == key and tag.get("Value") in (None, value) for tag in named)


def tags_of(item: Record) -> dict[str, str]:
    """The tags of any record."""
    found: dict[str, str] = getattr(item, "tags", {})
    return found


def _store(ctx: Ctx, item: Record, wanted: dict[str, str]) -> None:
    changed: Any = replace(item, tags=wanted)
    ctx.db.at(item.account, item.region)[type(item)].put(changed)


def _resource(ctx: Ctx, key: str) -> Record:
    """The record behind an id of any kind; raises InvalidID, or the kind's not-found."""
    prefix = key.rpartition("-")[0]
    if key.startswith(_UUIDS):
        prefix = key.partition("-")[0]
    elif _UUID.fullmatch(key):
        prefix = "reserved"
    noun = NOUNS.get(prefix)
    declared = by_noun("ec2", noun) if noun else None
    if declared is None or not (is_id(prefix, key) or prefix == "reserved" or key.startswith(_UUIDS)):
        raise AwsError("InvalidID", f"The ID '{key}' is not valid")
    found: Record | None = by_id(ctx, key) if noun == "key-pair" else ctx.db[declared.type].get(key)
    if found is None and noun == "transit-gateway-attachment":
        found = ctx.db[TransitPeering].get(key) or ctx.db[TransitConnect].get(key)
    if found is None:
        raise declared.not_found(key)
    return found


@op("DescribeTags")
def describe_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every tag of everything, by filter."""
    return {"Tags": narrow(req, FILTERS, list(_all(ctx)))}


def _all(ctx: Ctx) -> Iterator[Row]:
    for prefix, noun in sorted(NOUNS.items(), key=lambda pair: pair[1]):
        declared = by_noun("ec2", noun)
        if declared is None:
            continue
        for item in ctx.db[declared.type].all():
            key = item.id if prefix == "key" else declared.key_of(item)
            for name, value in sorted(tags_of(item).items()):
                view = {"Key": name, "ResourceId": key, "ResourceType": noun, "Value": value}
                yield Row({name: value}, view)
    others: list[TransitPeering | TransitConnect] = [*ctx.db[TransitPeering].all(), *ctx.db[TransitConnect].all()]
    for other in others:
        for name, value in sorted(other.tags.items()):
            kind = "transit-gateway-attachment"
            yield Row({name: value}, {"Key": name, "ResourceId": other.id, "ResourceType": kind, "Value": value})
