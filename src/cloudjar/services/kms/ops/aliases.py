"""Aliases: names of keys that can be moved from one key to another.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, errors, finding, managed
from cloudjar.services.kms.records import Alias, Key

_PREFIX = "alias/"


@op("CreateAlias", keys=access.of_request)
def create_alias(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A name for a key."""
    name = _own_name(req["AliasName"])
    if ctx.db[Alias].get(name) is not None:
        raise errors.alias_exists(finding.alias_arn(ctx, name))
    key = finding.staying(finding.need(ctx, req["TargetKeyId"], action="CreateAlias"))
    ctx.db[Alias].add(Alias(name=name, key_id=key.id, made=ctx.now, updated=ctx.now))
    _name(ctx, key, add=name)
    return {}


@op("UpdateAlias", access=access.moving)
def update_alias(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The name goes over to another key of the same kind and usage."""
    name = _own_name(req["AliasName"])
    alias = ctx.db[Alias].get(name)
    if alias is None:
        raise errors.no_such_alias(finding.alias_arn(ctx, name))
    key = finding.staying(finding.need(ctx, req["TargetKeyId"], action="UpdateAlias"))
    before = ctx.db[Key].get(alias.key_id)
    if before is not None and (before.usage != key.usage or _kind(before) != _kind(key)):
        raise errors.validation(
            f"Alias {finding.alias_arn(ctx, name)} cannot be changed from a key with usage {before.usage} and spec "
            f"{before.spec} to one with usage {key.usage} and spec {key.spec}"
        )
    if before is not None and before.id != key.id:
        _name(ctx, before, drop=name)
        _name(ctx, key, add=name)
    ctx.db[Alias].drop(alias)
    ctx.db[Alias].add(replace(alias, key_id=key.id, updated=ctx.now))
    return {}


@op("DeleteAlias", keys=access.of_request)
def delete_alias(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The name is gone; the key stays."""
    name = _own_name(req["AliasName"])
    alias = ctx.db[Alias].get(name)
    if alias is None:
        raise errors.no_such_alias(finding.alias_arn(ctx, name))
    key = ctx.db[Key].get(alias.key_id)
    if key is not None:
        _name(ctx, key, drop=name)
    ctx.db[Alias].drop(alias)
    return {}


@op("ListAliases", keys=access.of_request)
def list_aliases(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every alias of the account in this Region, or those of one key."""
    found = ctx.db[Alias].all()
    if req.get("KeyId"):
        key = finding.need(ctx, req["KeyId"], action="ListAliases")
        found = ctx.db[Alias].all(key_id=key.id)
    return {
        "Aliases": [
            {
                "AliasName": alias.name,
                "AliasArn": arn_of(alias),
                "TargetKeyId": alias.key_id,
                "CreationDate": alias.made,
                "LastUpdatedDate": alias.updated,
            }
            for alias in found
        ],
        "Truncated": False,
    }


def _own_name(name: str) -> str:
    if not name.startswith(_PREFIX):
        raise errors.validation(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith(managed.PREFIX):
        raise errors.reserved_alias()
    if name == _PREFIX or ":" in name:
        raise AwsError("InvalidAliasNameException", f"{name} is not a valid alias name.", 400)
    return name


def _name(ctx: Ctx, key: Key, *, add: str = "", drop: str = "") -> None:
    names = {name for name in (*key.aliases, add) if name and name != drop}
    ctx.db[Key].put(replace(key, aliases=tuple(sorted(names))))


def _kind(key: Key) -> str:
    if key.spec == "SYMMETRIC_DEFAULT":
        return "symmetric"
    return "hmac" if key.spec.startswith("HMAC_") else "asymmetric"
