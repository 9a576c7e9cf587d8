"""`locate`: what a call acts on. From the authorization table, the request and the stored records come the
actions, ARNs and condition keys that the caller must be allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from cloudjar.auth.authorize import Kept
from cloudjar.base import arn as arns
from cloudjar.gateway.calls import Call
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import (
    Grant,
    Operation,
    finder,
    finder_by_arn,
    keys_of_request,
    keys_of_resource,
    locator,
    policy_of,
)
from cloudjar.kit.record import Record, RecordMeta, arn_of, by_noun, meta
from cloudjar.spec import iam
from cloudjar.spec.arn_template import Lookup


class Brought(NamedTuple):
    """Condition keys (lower case) that a request brings: `common` to whatever it acts on; `made` to what it makes, by
    type (EC2's ``TagSpecifications``). `exact`: each resource gets only those that the reference lists for it, as EC2
    does: a policy that asks for ``ec2:InstanceType`` of everything does not let anybody use an image."""

    common: dict[str, Any]
    made: Mapping[str, dict[str, Any]]
    exact: bool


_NOTHING_MADE: Mapping[str, dict[str, Any]] = {}
_EXACT = frozenset(("ec2",))


def locate(ctx: Ctx, call: Call, operation: Operation, req: dict[str, Any]) -> Iterable[Grant]:
    """Everything that must be allowed for this request; empty for operations that need no permission."""
    if operation.access is not None:
        needed = operation.access(ctx, req)
        return needed if type(needed) is Kept else list(needed)
    special = locator(call.service.name)
    if special is not None:
        return special(ctx, operation, call.grants, req)
    brought = _brought(ctx, call.service.name, operation, req)
    found: list[Grant] = []
    for entry in call.grants:
        if entry.applies(req):
            _of_entry(ctx, entry, req, brought, found)
    return found


def _brought(ctx: Ctx, service: str, operation: Operation, req: dict[str, Any]) -> Brought:
    common = {} if tags.CARRY.isdisjoint(req) else tags.in_request(req)
    of_service = keys_of_request(service)
    if of_service is not None:
        common.update({k.lower(): v for k, v in of_service(ctx, operation.name, req).items()})
    if operation.keys is not None:
        common.update({k.lower(): v for k, v in operation.keys(ctx, req).items()})
    made = tags.by_type(req) if "TagSpecifications" in req else _NOTHING_MADE
    return Brought(common, made, service in _EXACT)


def _of_entry(ctx: Ctx, entry: iam.Entry, req: dict[str, Any], brought: Brought, found: list[Grant]) -> None:
    if entry.keys or entry.arns:
        brought = brought._replace(common={**brought.common, **_fixed(ctx, entry, req)})

    met: dict[str, Record] = {}

    def find(lookup: Lookup) -> str | None:
        return _arn_by(ctx, lookup, met)

    for spec, text in entry.targets(req, arns.PARTITION, ctx.region, ctx.account, find):
        if spec is None:
            found.append(Grant(entry.action, "*", _fitting(entry.action, "", brought) or None))
        elif text in met:
            found.append(_of_record(ctx, entry.action, spec.type, met[text], text, brought))
        else:
            found.append(grant(ctx, entry.action, spec.type, text, brought))


def _fixed(ctx: Ctx, entry: iam.Entry, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys that the table gives a permission: a fixed value, or an ARN that the request tells."""
    keys: dict[str, Any] = {k.lower(): v for k, v in entry.keys.items()}
    for key, template in entry.arns.items():
        told = template.expand(req, arns.PARTITION, ctx.region, ctx.account, lambda lookup: _arn_by(ctx, lookup, {}))
        if told:
            keys[key.lower()] = told[0]
    return keys


def _fitting(action: str, noun: str, brought: Brought, held: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The condition keys of one resource: what it holds itself and what the request brings to it."""
    keys = {**held, **brought.common} if held else brought.common
    if not brought.exact:
        return keys
    # What a launch brings is about what it makes: a thing that is there speaks for itself.
    keys = {**brought.common, **(held or {}), **brought.made.get(noun, {})}
    listed = _listed(action, noun)
    return {k: v for k, v in keys.items() if k in listed.keys or k.startswith(listed.prefixes)}


class _Listed(NamedTuple):
    keys: frozenset[str]
    prefixes: tuple[str, ...]


@cache
def _listed(action: str, noun: str) -> _Listed:
    """The condition keys that the reference lists for an action on a type of resource, in lower case."""
    facts = iam.action(action)
    names = [name.lower() for name in facts.condition_keys]
    for resource in facts.resources:
        if resource.type == noun:
            names += [name.lower() for name in resource.condition_keys]
    open_ended = tuple(name.partition("${")[0] for name in names if "${" in name)
    return _Listed(frozenset(names), open_ended)


def _of_record(ctx: Ctx, action: str, noun: str, item: Record, text: str, brought: Brought) -> Grant:
    service = meta(type(item)).service
    keys = _fitting(action, noun, brought, keys_of_resource(service, noun, item))
    own = policy_of(ctx, service, noun, item)
    return Grant(action, text, keys or None, own.text, item.account, own.kind, own.grants, own.rcps)


def grant(ctx: Ctx, action: str, noun: str, text: str, brought: Brought) -> Grant:
    """The grant for an action on an ARN, with the tags, keys and policy of the record behind it."""
    parsed = arns.parse(text)
    if parsed is None:
        return Grant(action, text, _fitting(action, noun, brought) or None)
    if noun == "*":  # whatever the id is of
        noun = parsed.type
    item = stored(ctx, noun, parsed)
    if item is None:
        # AWS's own resources (managed policies, public images) ask for no consent but the caller's own policies.
        owner = "" if parsed.account == "aws" else parsed.account
        return Grant(action, text, _fitting(action, noun, brought) or None, owner=owner)
    own = arn_of(item)
    # What is inside of a thing keeps its own name: a log group's streams.
    return _of_record(ctx, action, noun, item, text if text.startswith(f"{own}:") else own, brought)


def stored(ctx: Ctx, noun: str, parsed: arns.Arn) -> Record | None:
    """The record behind an ARN, when there is one; a path (IAM's) is passed over when it is not in the key."""
    if "*" in parsed.resource:
        return None
    ctx.world.load(parsed.service)
    account, region = parsed.account or ctx.account, parsed.region or ctx.region
    special = finder_by_arn(parsed.service, noun)
    if special is not None:
        return special(ctx.at(account, region), parsed)
    declared = by_noun(parsed.service, noun)
    if declared is None:
        return None
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
