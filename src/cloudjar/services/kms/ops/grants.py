"""Grants: made, listed, retired, revoked.

https://docs.aws.amazon.com/kms/latest/developerguide/grant-manage.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, errors, finding, grants, principals
from cloudjar.services.kms.records import Key, KeyGrant, Principal
from cloudjar.services.kms.specs import SYMMETRIC, grantable
from cloudjar.services.kms.use import done
from cloudjar.services.kms.views import show_grant

_PAIRS = 8


@op("CreateGrant", keys=access.granting)
def create_grant(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A permission for one principal. The same name with the same content gives the grant that is there."""
    grants.check_tokens(ctx, req)
    key = finding.usable(finding.need(ctx, req["KeyId"]))
    wanted = _wanted(ctx, key, req)
    done(req)
    found = next((one for one in grants.of_key(ctx, key) if wanted.name and _same(one, wanted)), None)
    grant = found or ctx.db.at(key.account, key.region)[KeyGrant].add(wanted)
    return {"GrantToken": grants.token(ctx, grant), "GrantId": grant.id}


def _wanted(ctx: Ctx, key: Key, req: dict[str, Any]) -> KeyGrant:
    limits = req.get("Constraints") or {}
    grantee = _principal(ctx, req, "Grantee")
    if grantee is None:
        raise errors.validation("You must specify either GranteePrincipal or GranteeServicePrincipal.")
    retiring = _principal(ctx, req, "Retiring")
    if req.get("GranteeServicePrincipal") and not (limits.get("SourceArn") and retiring):
        raise errors.validation(
            "A grant for a GranteeServicePrincipal needs a SourceArn constraint and a retiring principal."
        )
    operations = tuple(dict.fromkeys(req["Operations"]))
    _check_operations(key, operations)
    _check_limits(key, limits)
    return KeyGrant(
        id=ids.entropy(32).hex(),
        key_id=key.id,
        made=ctx.now,
        issuer=ctx.account,
        grantee=grantee,
        retiring=retiring,
        operations=operations,
        name=req.get("Name") or "",
        equals=limits.get("EncryptionContextEquals"),
        subset=limits.get("EncryptionContextSubset"),
        source_arn=limits.get("SourceArn") or "",
    )


def _principal(ctx: Ctx, req: dict[str, Any], role: str) -> Principal | None:
    by_arn, by_service = req.get(f"{role}Principal"), req.get(f"{role}ServicePrincipal")
    if by_arn and by_service:
        raise errors.validation(f"You must specify either {role}Principal or {role}ServicePrincipal, not both.")
    if by_service:
        return Principal(str(by_service), service=True)
    if not by_arn:
        return None
    kind = "AWS" if by_arn.startswith("arn:") else "Service"
    if not principals.known(ctx, kind, by_arn):
        raise errors.invalid_arn(by_arn)
    return principals.principal(ctx, by_arn)


def _check_operations(key: Key, operations: tuple[str, ...]) -> None:
    if not operations:
        raise errors.validation("A grant must name at least one operation.")
    wrong = [name for name in operations if name not in grantable(key.spec, key.usage)]
    if wrong:
        raise errors.validation(
            f"Grant operations {', '.join(wrong)} are not supported by {arn_of(key)} with key spec {key.spec} and "
            f"key usage {key.usage}."
        )


def _check_limits(key: Key, limits: Mapping[str, Any]) -> None:
    contexts = [limits[kind] for kind in ("EncryptionContextEquals", "EncryptionContextSubset") if limits.get(kind)]
    if len(contexts) > 1:
        raise errors.validation("Only one encryption context constraint can be set on a grant.")
    if contexts and key.spec != SYMMETRIC:
        raise errors.validation("Encryption context constraints are supported on symmetric encryption keys only.")
    if any(len(context) > _PAIRS for context in contexts):
        raise errors.validation(f"An encryption context constraint can have at most {_PAIRS} pairs.")


def _same(one: KeyGrant, other: KeyGrant) -> bool:
    return replace(one, id="", made=other.made, account="", region="") == replace(other, id="")


@op("ListGrants", keys=access.of_request)
def list_grants(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The grants on a key; one, or one grantee's, when asked so."""
    key = finding.need(ctx, req["KeyId"])
    grantee = req.get("GranteePrincipal") or req.get("GranteeServicePrincipal")
    found = [
        grant
        for grant in grants.of_key(ctx, key)
        if req.get("GrantId") in (None, grant.id) and grantee in (None, grant.grantee.name)
    ]
    return {"Grants": [show_grant(key, grant) for grant in found], "Truncated": False}


@op("ListRetirableGrants", keys=access.of_request)
def list_retirable_grants(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The grants in this Region, on keys of whatever account, that a principal of the account may retire."""
    wanted = req.get("RetiringPrincipal") or req.get("RetiringServicePrincipal")
    if not wanted:
        raise errors.validation("You must specify either RetiringPrincipal or RetiringServicePrincipal.")
    shown = []
    for grant in ctx.db.everywhere(KeyGrant):
        if grant.region != ctx.region or grant.retiring is None or grant.retiring.name != wanted:
            continue
        if grant.account == ctx.account or f"::{ctx.account}:" in wanted:
            key = ctx.db.at(grant.account, grant.region)[Key].need(grant.key_id)
            shown.append(show_grant(key, grant))
    return {"Grants": shown, "Truncated": False}


@op("RetireGrant", access=access.retiring)
def retire_grant(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The grant ends: by its token, or by its id and the key's."""
    if not req.get("GrantToken") and not (req.get("KeyId") and req.get("GrantId")):
        raise errors.validation("You must specify either GrantToken, or both KeyId and GrantId.")
    key, grant = grants.to_retire(ctx, req)
    if grant is None:
        if key is None and req.get("KeyId"):
            finding.need(ctx, req["KeyId"])
        raise errors.invalid_grant_id(req.get("GrantId") or "")
    done(req)
    _drop(ctx, grant)
    return {}


@op("RevokeGrant", keys=access.of_request)
def revoke_grant(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The grant ends, by the will of the key's side."""
    key = finding.need(ctx, req["KeyId"])
    grant = ctx.db.at(key.account, key.region)[KeyGrant].get(req["GrantId"])
    if grant is None or grant.key_id != key.id:
        raise AwsError("InvalidGrantIdException", f"Grant ID {req['GrantId']} is not valid", 400)
    done(req)
    _drop(ctx, grant)
    return {}


def _drop(ctx: Ctx, grant: KeyGrant) -> None:
    ctx.db.at(grant.account, grant.region)[KeyGrant].drop(grant)
