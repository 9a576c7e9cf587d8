"""Key pairs.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-key-pairs.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.key_pairs import keys
from cloudjar.services.ec2.key_pairs.records import KeyPair
from cloudjar.services.ec2.lookup import Row, by_path, narrow

FILTERS = by_path({"fingerprint": "KeyFingerprint", "key-name": "KeyName", "key-pair-id": "KeyPairId"})

_NAME = re.compile(r"[\x20-\x7e]{1,255}")


def show_key_pair(pair: KeyPair, *, whole: bool = False) -> dict[str, Any]:
    """AWS's KeyPairInfo; `whole` adds the public key."""
    return {
        "CreateTime": pair.created,
        "KeyFingerprint": pair.fingerprint,
        "KeyName": pair.name,
        "KeyPairId": pair.id,
        "KeyType": pair.type,
        "PublicKey": pair.public_key if whole else None,
        "Tags": tags.as_list(pair.tags),
    }


@op("CreateKeyPair")
def create_key_pair(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new pair: the private half is in the answer and nowhere else."""
    if req.get("KeyFormat") == "ppk":
        raise errors.not_built("The key format ppk")
    _check_name(ctx, req["KeyName"])
    kind = req.get("KeyType") or "rsa"
    made = keys.make(kind)
    pair = _keep(ctx, req, kind, made.public, made.fingerprint)
    return {
        "KeyFingerprint": pair.fingerprint,
        "KeyMaterial": made.private,
        "KeyName": pair.name,
        "KeyPairId": pair.id,
        "Tags": tags.as_list(pair.tags),
    }


@op("ImportKeyPair")
def import_key_pair(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A pair whose private half never left its owner."""
    _check_name(ctx, req["KeyName"])
    material = req["PublicKeyMaterial"]
    found = keys.read(material.encode() if isinstance(material, str) else bytes(material))
    pair = _keep(ctx, req, found.type, found.public, found.fingerprint)
    return {
        "KeyFingerprint": pair.fingerprint,
        "KeyName": pair.name,
        "KeyPairId": pair.id,
        "Tags": tags.as_list(pair.tags),
    }


def _check_name(ctx: Ctx, name: str) -> None:
    if not _NAME.fullmatch(name) or name != name.strip():
        raise errors.invalid_parameter(name, "keyName", "Use up to 255 ASCII characters, no spaces at the ends.")
    if ctx.db[KeyPair].get(name) is not None:
        raise AwsError("InvalidKeyPair.Duplicate", "The keypair already exists")


def _keep(ctx: Ctx, req: Mapping[str, Any], kind: str, public: str, fingerprint: str) -> KeyPair:
    return ctx.db[KeyPair].add(
        KeyPair(
            name=req["KeyName"],
            id=ctx.new_id("key"),
            type=kind,
            fingerprint=fingerprint,
            public_key=f"{public} {req['KeyName']}",
            created=ctx.now,
            tags=tags.specified(req, "key-pair"),
        )
    )


@op("DescribeKeyPairs")
def describe_key_pairs(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Pairs by name, id or filter."""
    whole = bool(req.get("IncludePublicKey"))
    rows = [Row(pair.tags, show_key_pair(pair, whole=whole)) for pair in _selected(ctx, req)]
    return {"KeyPairs": narrow(req, FILTERS, rows)}


def _selected(ctx: Ctx, req: Mapping[str, Any]) -> list[KeyPair]:
    names, ids = req.get("KeyNames") or (), req.get("KeyPairIds") or ()
    if not names and not ids:
        return ctx.db[KeyPair].all()
    found = ctx.db[KeyPair].need_all(dict.fromkeys(names))
    for key in dict.fromkeys(ids):
        pair = by_id(ctx, key)
        if pair is None:
            raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
        found.append(pair)
    return list({pair.id: pair for pair in found}.values())


def by_id(ctx: Ctx, key: str) -> KeyPair | None:
    """The pair with a ``key-...`` id, or None."""
    found = ctx.db[KeyPair].all(id=key)
    return found[0] if found else None


@op("DeleteKeyPair")
def delete_key_pair(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget a public key; one that is not there is no error, as on AWS."""
    if req.get("KeyName"):
        pair = ctx.db[KeyPair].get(req["KeyName"])
    elif req.get("KeyPairId"):
        pair = by_id(ctx, req["KeyPairId"])
    else:
        raise errors.missing_one("KeyName")
    if pair is None:
        return {"Return": True}
    ctx.db[KeyPair].drop(pair)
    return {"Return": True, "KeyPairId": pair.id}
