"""What a token's claims mean to AWS. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from cloudjar.services.sts import errors
from cloudjar.services.sts.vouched import tags_of
from cloudjar.spec import iam

_TAGS = "https://aws.amazon.com/tags"
_SOURCE = "https://aws.amazon.com/source_identity"
_SKEW = 300
"""Seconds by which an issuer's clock may be ahead of ours."""


def bare(issuer: str) -> str:
    """An issuer without its scheme."""
    return issuer.removeprefix("https://")


def text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that must be there; raises InvalidIdentityToken."""
    found = claims.get(name)
    if not isinstance(found, str) or not found:
        raise errors.invalid_token(f"Missing a required claim: {name}")
    return found


def audience(claims: Mapping[str, Any], client_ids: Sequence[str]) -> str:
    """For whom the token is: the authorized party (``azp``) when there is one, else the audience; it must be a client
    of the provider. Raises InvalidIdentityToken."""
    given = claims.get("aud")
    several = given if isinstance(given, list) else [given]
    if not several or not all(isinstance(one, str) and one for one in several):
        raise errors.invalid_token("Missing a required claim: aud")
    if isinstance(claims.get("azp"), str) and claims["azp"]:
        several = [claims["azp"]]
    known = [str(one) for one in several if one in client_ids]
    if not known:
        raise errors.invalid_token("Incorrect token audience")
    return known[0]


def check_dates(claims: Mapping[str, Any], real: datetime) -> None:
    """Raises ExpiredTokenException, or InvalidIdentityToken for a token of the future."""
    now = int(real.timestamp())
    expires, issued, begins = (_moment(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise errors.invalid_token(f"Missing a required claim: {'exp' if expires is None else 'iat'}")
    if expires <= now:
        raise errors.expired_token(
            f"Token expired: current date/time {now} must be before the expiration date/time {expires}"
        )
    if max(issued, begins or 0) > now + _SKEW:
        raise errors.invalid_token("Token is not valid yet")


def _moment(claims: Mapping[str, Any], name: str) -> int | None:
    found = claims.get(name)
    fit = isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 1e12
    return int(found) if fit and found is not None else None


def condition_keys(issuer: str, claims: Mapping[str, Any], client: str) -> dict[str, Any]:
    """``ISSUER:aud`` and the like, for the trust policy: what every issuer says, and what AWS knows of some."""
    prefix = bare(issuer).lower()
    keys: dict[str, Any] = {f"{prefix}:aud": client, f"{prefix}:sub": claims["sub"]}
    amr = claims.get("amr")
    if isinstance(amr, str) or (isinstance(amr, list) and all(isinstance(one, str) for one in amr)):
        keys[f"{prefix}:amr"] = amr
    for known, claim in _special():
        if known.fullmatch(prefix) and f"{prefix}:{claim}" not in keys:
            value = _plain(claims.get(claim))
            if value is not None:
                keys[f"{prefix}:{claim}"] = value
    return keys


def _plain(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


@cache
def _special() -> tuple[tuple[re.Pattern[str], str], ...]:
    """(issuers, claim) of the condition keys that AWS has for single issuers, out of the authorization table."""
    found = []
    for entry in iam.authorization("sts", "AssumeRoleWithWebIdentity"):
        for key in entry.condition_keys:
            issuer, _, claim = key.rpartition(":")
            if "." in issuer and issuer not in ("aws", "sts"):
                parts = re.split(r"\$\{[^}]*\}", issuer.lower())
                found.append((re.compile("[^:]+".join(map(re.escape, parts))), claim.lower()))
    return tuple(found)


def session_tags(claims: Mapping[str, Any]) -> tuple[dict[str, str], ...]:
    """Session tags, nested in one claim or flattened into several; each has one value. Raises InvalidIdentityToken."""
    return tags_of(_pairs(claims))


def _pairs(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    nested = _nested(claims).get("principal_tags") or {}
    if not isinstance(nested, dict):
        raise _malformed()
    for key, value in nested.items():
        yield str(key), _single(value)
    for name, value in claims.items():
        if name.startswith(f"{_TAGS}/principal_tags/"):
            yield name.removeprefix(f"{_TAGS}/principal_tags/"), _single(value)


def _nested(claims: Mapping[str, Any]) -> dict[str, Any]:
    found = claims.get(_TAGS) or {}
    if not isinstance(found, dict):
        raise _malformed()
    return found


def _single(value: Any) -> str:
    only = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(only, str):
        raise _malformed()
    return only


def transitive_keys(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of the tags that go on to further roles."""
    found = _nested(claims).get("transitive_tag_keys") or claims.get(f"{_TAGS}/transitive_tag_keys") or []
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise _malformed()
    return tuple(listed)


def source_identity(claims: Mapping[str, Any]) -> str:
    """The source identity, or "" when the token sets none."""
    found = claims.get(_SOURCE) or ""
    if not isinstance(found, str):
        raise _malformed()
    return found


def _malformed() -> Exception:
    return errors.invalid_token(f"The claims below {_TAGS} are malformed")
