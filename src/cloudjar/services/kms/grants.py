"""Grants as policy: each is a statement that allows beside the key policy, for whom, what and with which context.

https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html#grant-constraints
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from cloudjar.kit import named_principals
from cloudjar.kit.context import Ctx
from cloudjar.services.kms import errors, finding
from cloudjar.services.kms.records import Key, KeyGrant, Principal

_TOKEN = "kms-grant-token"
WITH_CONTEXT = frozenset(
    (
        "Encrypt",
        "Decrypt",
        "ReEncryptFrom",
        "ReEncryptTo",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
    )
)
"""Operations with an encryption context, which is all that context constraints bear on."""

# Constraints on the encryption context are exact in case, the public condition keys are not: hence keys of our own.
_CONTEXT, _NEW_CONTEXT = "cloudjar:encryptioncontext", "cloudjar:grantcontext"


def exact(context: Mapping[str, str], prefix: str = _CONTEXT) -> dict[str, str]:
    """An encryption context as condition keys: the whole under one, and each pair under one of its own."""
    pairs = {f"{prefix}/{name.encode().hex()}": value for name, value in context.items()}
    return {prefix: _whole(context), **pairs}


def _whole(context: Mapping[str, str]) -> str:
    return json.dumps(sorted(context.items()))


def strictness(limits: Mapping[str, Any]) -> dict[str, str]:
    """Condition keys of a grant to be made: the context that it insists on."""
    equals, subset = limits.get("EncryptionContextEquals"), limits.get("EncryptionContextSubset")
    if equals is not None:
        return exact(equals, _NEW_CONTEXT)
    keys = exact(subset or {}, _NEW_CONTEXT)
    del keys[_NEW_CONTEXT]
    return keys


def of_key(ctx: Ctx, key: Key) -> list[KeyGrant]:
    """Every grant on a key, oldest first."""
    found = ctx.db.at(key.account, key.region)[KeyGrant].all(key_id=key.id)
    return sorted(found, key=lambda grant: (grant.made, grant.id))


def documents(ctx: Ctx, key: Key) -> Iterator[str]:
    """The grants on a key that may be the caller's, as policies."""
    names = _names(ctx)
    for grant in ctx.db.at(key.account, key.region)[KeyGrant].all(key_id=key.id):
        if grant.grantee.name in names or (grant.grantee.id and grant.grantee.id in names):
            yield _document(ctx, grant.grantee, list(_permissions(grant)))


def _names(ctx: Ctx) -> frozenset[str]:
    caller = ctx.caller
    account = f"arn:aws:iam::{caller.account}:root"
    return frozenset((caller.arn, caller.role_arn, caller.unique_id.partition(":")[0], caller.service, account)) - {""}


def _permissions(grant: KeyGrant) -> Iterator[tuple[list[str], dict[str, dict[str, Any]]]]:
    """What a grant permits: actions, and on which condition."""
    source = {"ArnEquals": {"aws:SourceArn": grant.source_arn}} if grant.source_arn else {}
    with_context = [name for name in grant.operations if name in WITH_CONTEXT]
    others = [name for name in grant.operations if name not in WITH_CONTEXT | {"CreateGrant", "RetireGrant"}]
    if with_context:
        yield with_context, {**source, **_insists(grant, _CONTEXT)}
    if others:
        yield others, source
    if "CreateGrant" in grant.operations:
        no_more = {"ForAllValues:StringEquals": {"kms:GrantOperations": list(grant.operations)}}
        yield ["CreateGrant"], {**source, **_insists(grant, _NEW_CONTEXT), **no_more}


def _insists(grant: KeyGrant, prefix: str) -> dict[str, dict[str, str]]:
    if grant.equals is not None:
        return {"StringEquals": {prefix: _whole(grant.equals)}}
    if grant.subset:
        pairs = exact(grant.subset, prefix)
        del pairs[prefix]
        return {"StringEquals": pairs}
    return {}


def consent_to_retire(ctx: Ctx, grant: KeyGrant) -> Iterator[str]:
    """Who may retire a grant: its retiring principal, and its grantee where the grant says so."""
    permission: list[tuple[list[str], dict[str, dict[str, Any]]]] = [(["RetireGrant"], {})]
    if grant.retiring is not None:
        yield _document(ctx, grant.retiring, permission)
    if "RetireGrant" in grant.operations:
        yield _document(ctx, grant.grantee, permission)


def _document(
    ctx: Ctx, who: Principal, permissions: Iterable[tuple[list[str], dict[str, dict[str, Any]]]]
) -> str:
    """A policy for one principal. Its version knows no variables: a context may have any value."""
    named = {"Service": who.name} if who.service else {"AWS": named_principals.spelled(ctx, who.name, who.id)}
    statements = [
        {
            "Effect": "Allow",
            "Principal": named,
            "Action": [f"kms:{name}" for name in actions],
            "Resource": "*",
            **({"Condition": condition} if condition else {}),
        }
        for actions, condition in permissions
    ]
    return json.dumps({"Version": "2008-10-17", "Statement": statements})


# -- tokens ------------------------------------------------------------------------------------------


class Token(msgspec.Struct, array_like=True):
    """What a grant token says."""

    account: str
    region: str
    key_id: str
    grant_id: str


def token(ctx: Ctx, grant: KeyGrant) -> str:
    """A grant's token. Grants hold at once here, so that it is needed only to retire one."""
    content = Token(grant.account, grant.region, grant.key_id, grant.id)
    return base64.b64encode(ctx.world.sealer.seal(msgspec.msgpack.encode(content), _TOKEN)).decode()


def read_token(ctx: Ctx, text: str) -> Token:
    """What a token says; raises InvalidGrantTokenException."""
    try:
        opened = ctx.world.sealer.open(base64.b64decode(text, validate=True), _TOKEN)
    except ValueError:
        opened = None
    if opened is None:
        raise errors.invalid_grant_token()
    return msgspec.msgpack.decode(opened, type=Token)


def check_tokens(ctx: Ctx, req: Mapping[str, Any]) -> None:
    """Refuse tokens that were not made here."""
    for text in req.get("GrantTokens") or ():
        read_token(ctx, text)


def to_retire(ctx: Ctx, req: Mapping[str, Any]) -> tuple[Key | None, KeyGrant | None]:
    """The key and grant that RetireGrant names, by token or by ids; None for what is not there."""
    if req.get("GrantToken"):
        said = read_token(ctx, req["GrantToken"])
        there = ctx.db.at(said.account, said.region)
        key = there[Key].get(said.key_id) if said.region == ctx.region else None
        grant_id = said.grant_id
    else:
        text = req.get("KeyId") or ""
        key = None if "alias/" in text or not text else finding.find(ctx, text)
        grant_id = req.get("GrantId") or ""
    if key is None:
        return None, None
    grant = ctx.db.at(key.account, key.region)[KeyGrant].get(grant_id)
    return key, grant if grant is not None and grant.key_id == key.id else None
