"""Who may: the key policy is the root of trust, grants allow beside it, and requests and keys bring condition keys.

https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html
https://docs.aws.amazon.com/kms/latest/developerguide/control-access.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import (
    Access,
    Grant,
    ResourcePolicy,
    finds,
    keys_of_resource,
    resource_keys,
    resource_policies,
)
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import blob, finding, grants, policies
from cloudjar.services.kms.records import Alias, Key
from cloudjar.services.kms.specs import ENCRYPT, SYMMETRIC


@finds("kms:key")
def by_name(ctx: Ctx, value: str) -> Key | None:
    """A key by id, ARN, alias or alias ARN."""
    return finding.find(ctx, value)


@finds("kms:alias-key")
def by_alias(ctx: Ctx, value: str) -> Key | None:
    """The key behind an alias of this account and Region."""
    return _behind(ctx, value)


def _behind(ctx: Ctx, name: str) -> Key | None:
    alias = ctx.db[Alias].get(name)
    return None if alias is None else ctx.db[Key].get(alias.key_id)


@resource_policies("kms", "key")
def key_policy(ctx: Ctx, key: Key) -> ResourcePolicy:
    """The key's policy, without which nobody may, and the grants that the caller has on it."""
    allowing = tuple(grants.documents(ctx, key))
    return ResourcePolicy(policies.in_force(ctx, key), "key", allowing, rcps=key.manager == "CUSTOMER")


@resource_keys("kms", "key")
def of_key(key: Key) -> Mapping[str, Any]:
    """What policies may ask of a key."""
    keys: dict[str, Any] = {
        "kms:KeySpec": key.spec,
        "kms:KeyUsage": key.usage,
        "kms:KeyOrigin": key.origin,
        "kms:MultiRegion": _flag(key.multi_region),
    }
    if key.multi_region:
        keys["kms:MultiRegionKeyType"] = key.multi_region
    if key.aliases:
        keys["kms:ResourceAliases"] = list(key.aliases)
    return keys


_PLAIN = {
    "EncryptionAlgorithm": "kms:EncryptionAlgorithm",
    "SigningAlgorithm": "kms:SigningAlgorithm",
    "MessageType": "kms:MessageType",
    "MacAlgorithm": "kms:MacAlgorithm",
    "KeyAgreementAlgorithm": "kms:KeyAgreementAlgorithm",
    "KeyPairSpec": "kms:DataKeyPairSpec",
    "WrappingAlgorithm": "kms:WrappingAlgorithm",
    "WrappingKeySpec": "kms:WrappingKeySpec",
    "ExpirationModel": "kms:ExpirationModel",
    "PendingWindowInDays": "kms:ScheduleKeyDeletionPendingWindowInDays",
    "RotationPeriodInDays": "kms:RotationPeriodInDays",
    "ReplicaRegion": "kms:ReplicaRegion",
    "PrimaryRegion": "kms:PrimaryRegion",
    "GranteePrincipal": "kms:GranteePrincipal",
    "GranteeServicePrincipal": "kms:GranteeServicePrincipal",
    "RetiringPrincipal": "kms:RetiringPrincipal",
    "RetiringServicePrincipal": "kms:RetiringServicePrincipal",
}


def of_request(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys of any request about a key."""
    keys: dict[str, Any] = {"kms:GrantIsForAWSResource": _flag(ctx.caller.called_via or ctx.caller.service)}
    keys.update(policies.caller_keys(ctx))
    for member, key in _PLAIN.items():
        if req.get(member) is not None:
            keys[key] = str(req[member])
    if "BypassPolicyLockoutSafetyCheck" in req:
        keys["kms:BypassPolicyLockoutSafetyCheck"] = _flag(req["BypassPolicyLockoutSafetyCheck"])
    if req.get("ValidTo") is not None:
        keys["kms:ValidTo"] = req["ValidTo"].strftime("%Y-%m-%dT%H:%M:%SZ")
    keys.update(_request_alias(str(req.get("KeyId") or "")))
    keys.update(of_context(req.get("EncryptionContext")))
    keys.update(of_tags(req))
    return keys


def encrypting(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys of Encrypt and Decrypt: the algorithm is known also when it is left out."""
    return {"kms:EncryptionAlgorithm": SYMMETRIC, **of_request(ctx, req)}


def signing(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys of Sign and Verify."""
    return {"kms:MessageType": "RAW", **of_request(ctx, req)}


def creating(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys of CreateKey: what the key is going to be."""
    spec = req.get("KeySpec") or req.get("CustomerMasterKeySpec") or SYMMETRIC
    keys = {
        "kms:KeySpec": spec,
        "kms:KeyUsage": req.get("KeyUsage") or ENCRYPT,
        "kms:KeyOrigin": req.get("Origin") or "AWS_KMS",
        "kms:MultiRegion": _flag(req.get("MultiRegion")),
        "kms:BypassPolicyLockoutSafetyCheck": _flag(req.get("BypassPolicyLockoutSafetyCheck")),
    }
    if req.get("MultiRegion"):
        keys["kms:MultiRegionKeyType"] = "PRIMARY"
    return {**of_request(ctx, req), **keys}


def granting(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys of CreateGrant."""
    limits = req.get("Constraints") or {}
    keys = of_request(ctx, req)
    keys["kms:GrantOperations"] = list(req["Operations"])
    kinds = [kind for kind in ("EncryptionContextEquals", "EncryptionContextSubset") if limits.get(kind) is not None]
    if kinds:
        keys["kms:GrantConstraintType"] = kinds[0]
    if limits.get("SourceArn"):
        keys["kms:GrantConstraintSourceArn"] = limits["SourceArn"]
    keys.update(grants.strictness(limits))
    return keys


def of_tags(req: Mapping[str, Any]) -> dict[str, Any]:
    """``aws:RequestTag/...``: KMS spells tags its own way."""
    given = {str(tag["TagKey"]): str(tag.get("TagValue") or "") for tag in req.get("Tags") or () if "TagKey" in tag}
    return tags.request_keys(given)


def of_context(context: Mapping[str, str] | None) -> dict[str, Any]:
    """Condition keys of an encryption context."""
    if not context:
        return grants.exact({})
    keys: dict[str, Any] = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    keys["kms:EncryptionContextKeys"] = list(context)
    return {**keys, **grants.exact(context)}


def _request_alias(text: str) -> dict[str, str]:
    if text.startswith("arn:"):
        parsed = arns.parse(text)
        text = "" if parsed is None else parsed.resource
    return {"kms:RequestAlias": text} if text.startswith("alias/") else {}


def _flag(value: Any) -> str:
    return "true" if value else "false"


# -- operations that name their keys in ways of their own ----------------------------------------------


def on_key(ctx: Ctx, action: str, key: Key | None, keys: Mapping[str, Any], named: str = "") -> Grant:
    """The grant for an action on a key. For one that is not there (`named` is what the request calls it) the caller's
    own policies are asked alone; in another account nobody consents."""
    lower = {name.lower(): value for name, value in keys.items()}
    if key is None:
        arn = arns.parse(named)
        owner = ctx.account if arn is None else arn.account
        return Grant(f"kms:{action}", named if arn else finding.key_arn(ctx, named or "*"), lower, owner=owner)
    own = key_policy(ctx, key)
    merged = {**keys_of_resource("kms", "key", key), **lower}
    return Grant(f"kms:{action}", arn_of(key), merged, own.text, key.account, own.kind, own.grants, own.rcps)


def using(action: str) -> Access:
    """For an operation that the authorization reference does not list yet: the action of its name, on its key."""

    def grant(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
        return [on_key(ctx, action, finding.find(ctx, req["KeyId"]), of_request(ctx, req), req["KeyId"])]

    return grant


def moving(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """UpdateAlias: on the alias, on the key that it leaves and on the one that it goes to."""
    name, target = req["AliasName"], req["TargetKeyId"]
    keys = of_request(ctx, req)
    lower = {key.lower(): value for key, value in keys.items()}
    found = [
        Grant("kms:UpdateAlias", finding.alias_arn(ctx, "alias/" + name.removeprefix("alias/")), lower),
        on_key(ctx, "UpdateAlias", finding.find(ctx, target), keys, target),
    ]
    left = _behind(ctx, name)
    return found if left is None else [*found, on_key(ctx, "UpdateAlias", left, keys)]


def decrypting(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """Decrypt: the key named, else the one that made the ciphertext."""
    key = _source(ctx, req.get("KeyId"), req.get("CiphertextBlob"))
    return [on_key(ctx, "Decrypt", key, encrypting(ctx, req), req.get("KeyId") or "")]


def reencrypting(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """ReEncrypt: from one key, to another."""
    source = _source(ctx, req.get("SourceKeyId"), req.get("CiphertextBlob"))
    target = finding.find(ctx, req["DestinationKeyId"])
    same = {"kms:ReEncryptOnSameKey": _flag(source is not None and target is not None and source.id == target.id)}
    return [
        on_key(ctx, f"ReEncrypt{way}", key, {**_one_side(ctx, req, side), **same}, req.get(f"{side}KeyId") or "")
        for way, side, key in (("From", "Source", source), ("To", "Destination", target))
    ]


def _one_side(ctx: Ctx, req: dict[str, Any], side: str) -> dict[str, Any]:
    """The members of ReEncrypt that are about one of its keys, as Encrypt or Decrypt would have them."""
    return encrypting(
        ctx,
        {
            member: req[side + member]
            for member in ("KeyId", "EncryptionContext", "EncryptionAlgorithm")
            if req.get(side + member) is not None
        },
    )


def _source(ctx: Ctx, named: str | None, ciphertext: bytes | None) -> Key | None:
    if named:
        return finding.find(ctx, named)
    envelope = blob.read(ciphertext or b"")
    return None if envelope is None else ctx.db.at(envelope.account, ctx.region)[Key].get(envelope.key_id)


def retiring(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """RetireGrant: the grant itself says who may, beside the key policy."""
    key, grant = grants.to_retire(ctx, req)
    found = on_key(ctx, "RetireGrant", key, of_request(ctx, req), req.get("KeyId") or "")
    if key is None or grant is None:
        return [found]
    return [msgspec.structs.replace(found, grants=tuple(grants.consent_to_retire(ctx, grant)))]
