"""`locate`: what a call acts on. From the authorization table, the request and the stored records come the
actions, ARNs and condition keys that the caller must be allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.gateway.calls import Call
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, Operation, finder, finder_by_arn, keys_of_resource, policy_of
from cloudjar.kit.record import Record, RecordMeta, arn_of, by_noun, meta
from cloudjar.spec import iam
from cloudjar.spec.arn_template import Lookup


def locate(ctx: Ctx, call: Call, operation: Operation, req: dict[str, Any]) -> Iterable[Grant]:
    """Everything that must be allowed for this request; empty for operations that need no permission."""
    if operation.access is not None:
        return list(operation.access(ctx, req))
    extra = tag_keys(req)
    if operation.keys is not None:
        extra.update({k.lower(): v for k, v in operation.keys(ctx, req).items()})
    found: list[Grant] = []
    for entry in call.grants:
        if entry.applies(req):
            _of_entry(ctx, entry, req, extra, found)
    return found


def _of_entry(ctx: Ctx, entry: iam.Entry, req: dict[str, Any], extra: dict[str, Any], found: list[Grant]) -> None:
    if entry.keys:
        extra = {**extra, **{k.lower(): v for k, v in entry.keys.items()}}

    met: dict[str, Record] = {}

    def find(lookup: Lookup) -> str | None:
        return _arn_by(ctx, lookup, met)

    for spec, text in entry.targets(req, arns.PARTITION, ctx.region, ctx.account, find):
        if spec is None:
            found.append(Grant(entry.action, "*", extra or None))
        elif text in met:
            found.append(_of_record(ctx, entry.action, spec.type, met[text], text, extra))
        else:
            found.append(grant(ctx, entry.action, spec.type, text, extra))


def _of_record(ctx: Ctx, action: str, noun: str, item: Record, text: str, extra: dict[str, Any]) -> Grant:
    service = meta(type(item)).service
    keys = {**keys_of_resource(service, noun, item), **extra}
    own = policy_of(ctx, service, noun, item)
    return Grant(action, text, keys or None, own.text, item.account, own.kind, own.grants, own.rcps)


def grant(ctx: Ctx, action: str, noun: str, text: str, extra: dict[str, Any]) -> Grant:
    """The grant for an action on an ARN, with the tags, keys and policy of the record behind it."""
    parsed = arns.parse(text)
    if parsed is None:
        return Grant(action, text, extra or None)
    item = stored(ctx, noun, parsed)
    if item is None:
        # AWS's own resources (managed policies, public images) ask for no consent but the caller's own policies.
        return Grant(action, text, extra or None, owner="" if parsed.account == "aws" else parsed.account)
    return _of_record(ctx, action, noun, item, arn_of(item), extra)


def stored(ctx: Ctx, noun: str, parsed: arns.Arn) -> Record | None:
    """The record behind an ARN, when there is one; a path (IAM's) is passed over when it is not in the key."""
    if "*" in parsed.resource:
        return None
    ctx.world.load(parsed.service)
    declared = by_noun(parsed.service, noun)
    if declared is None:
        return None
    account, region = parsed.account or ctx.account, parsed.region or ctx.region
    special = finder_by_arn(parsed.service, noun)
    if special is not None:
        return special(ctx.at(account, region), parsed)
    table = ctx.db.at(account, region)[declared.type]
    key = parsed.name or parsed.resource
    found: Record | None = table.get(str(parsed) if declared.spec.key == "arn" else key)
    if found is None and parsed.service == "iam":
        found = table.get(key.rpartition("/")[2])
    return found


def _arn_by(ctx: Ctx, lookup: Lookup, met: dict[str, Record]) -> str | None:
    """What the table asks of the store: the ARN of the record with a value in a member; the record goes into `met`."""
    if lookup.kind == "iam:caller":
        return ctx.caller.arn
    service, _, noun = lookup.kind.partition(":")
    ctx.world.load(service)
    special = finder(lookup.kind)
    if special is not None:
        found = special(ctx, lookup.value)
    else:
        declared = by_noun(service, noun)
        found = _by_member(ctx, declared, lookup) if declared is not None and lookup.value else None
    if found is None or isinstance(found, str):
        return found
    arn = arn_of(found)
    met[arn] = found
    return arn


def _by_member(ctx: Ctx, declared: RecordMeta[Any], lookup: Lookup) -> Record | None:
    table = ctx.db[declared.type]
    if lookup.member in (declared.spec.key, ""):
        return table.get(lookup.value)
    if lookup.member in declared.spec.indexes:
        found = table.all(**{lookup.member: lookup.value})
        return found[0] if found else None
    return table.get(lookup.value)


_CARRY_TAGS = frozenset(("TagSpecifications", "Tags", "tags", "TagKeys"))


def tag_keys(req: dict[str, Any]) -> dict[str, Any]:
    """``aws:RequestTag``/``aws:TagKeys`` of whatever form of tags the request carries."""
    if _CARRY_TAGS.isdisjoint(req):
        return {}
    found: dict[str, str] = {}
    for spec in req.get("TagSpecifications") or ():
        # A tag without a key is refused by who makes the tags; here it only must not be in the way.
        found.update(tags.from_list(tag for tag in spec.get("Tags") or () if "Key" in tag))
    given = req.get("Tags") or req.get("tags")
    if isinstance(given, dict):
        found.update(given)
    elif isinstance(given, list) and all(isinstance(item, dict) and "Key" in item for item in given):
        found.update(tags.from_list(given))
    keys = tags.request_keys(found)
    if isinstance(req.get("TagKeys"), list):
        keys["aws:tagkeys"] = req["TagKeys"]
    return keys
