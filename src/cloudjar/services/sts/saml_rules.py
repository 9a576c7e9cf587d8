"""What a SAML assertion means to AWS. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_saml.html
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any

from cloudjar.services.sts import errors
from cloudjar.services.sts.assertion import Assertion

_OURS = "https://aws.amazon.com/SAML/Attributes/"
_AUDIENCES = frozenset(("https://signin.aws.amazon.com/saml", "urn:amazon:webservices"))
_RECIPIENT = re.compile(r"https://(?:[a-z0-9-]+\.)?signin\.aws\.amazon\.com/saml(?:/acs/(?P<id>[A-Z0-9]+))?", re.ASCII)
_NAME = re.compile(r"[a-zA-Z_0-9+=,.@-]{2,64}", re.ASCII)
_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
_REDEEM = timedelta(minutes=5)
_SKEW = timedelta(minutes=5)

# Which condition key each attribute fills; the AWS guide's own table, its spellings of object identifiers included.
_EDU = "urn:oid:1.3.6.1.4.1.5923.1."
_LISTS = {
    f"{_EDU}1.1.1": "edupersonaffiliation", f"{_EDU}1.1.2": "edupersonnickname", f"{_EDU}1.1.4": "edupersonorgunitdn",
    f"{_EDU}1.1.7": "edupersonentitlement", f"{_EDU}1.1.9": "edupersonscopedaffiliation",
    f"{_EDU}1.1.10": "edupersontargetedid", f"{_EDU}1.1.11": "edupersonassurance",
    f"{_EDU}2.1.2": "eduorghomepageuri", f"{_EDU}2.1.3": "eduorgidentityauthnpolicyuri",
    f"{_EDU}2.1.4": "eduorglegalname", f"{_EDU}2.1.5": "eduorgsuperioruri", f"{_EDU}2.1.6": "eduorgwhitepagesuri",
    "urn:oid:2.5.4.3": "cn",
}  # fmt: skip
_STRINGS = {
    f"{_EDU}1.1.3": "edupersonorgdn", f"{_EDU}1.1.5": "edupersonprimaryaffiliation",
    f"{_EDU}1.1.6": "edupersonprincipalname", f"{_EDU}1.1.8": "edupersonprimaryorgunitdn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": "name",
    "http://schemas.xmlsoap.org/claims/CommonName": "commonname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname": "givenname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname": "surname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": "mail",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid": "uid",
    "2.5.4.3": "commonname", "2.5.4.4": "surname", "2.4.5.42": "givenname", "2.5.4.45": "x500uniqueidentifier",
    "0.9.2342.19200300100.1.1": "uid", "0.9.2342.19200300100.1.3": "mail",
    "0.9.2342.19200300.100.1.45": "organizationstatus",
}  # fmt: skip


def check(said: Assertion, entity_id: str, provider_id: str, real: datetime) -> None:
    """Raises InvalidIdentityToken or ExpiredTokenException for an assertion that is not meant for AWS, or not now."""
    if said.issuer != entity_id:
        raise errors.invalid_token("Issuer not present in specified provider")
    if not _AUDIENCES.intersection(said.audiences):
        raise errors.invalid_token("Response does not contain the required audience")
    place = _RECIPIENT.fullmatch(said.recipient)
    if place is None or place["id"] not in (None, provider_id):
        raise errors.invalid_token("Response does not contain the required recipient")
    if said.issued + _REDEEM <= real:
        raise errors.expired_token("Token must be redeemed within 5 minutes of issuance")
    if any(end is not None and end <= real for end in (said.confirmed_until, said.ends, said.session_ends)):
        raise errors.expired_token("Token has expired")
    if any(begin is not None and begin > real + _SKEW for begin in (said.issued, said.begins)):
        raise errors.invalid_token("Token is not valid yet")


def grants(said: Assertion, role: str, provider: str) -> bool:
    """Whether the provider maps the user to the role: a pair of the two ARNs, in either order."""
    pairs = [{part.strip() for part in value.split(",")} for value in said.attributes.get(f"{_OURS}Role", ())]
    return bool(said.subject) and {role, provider} in pairs


def _single(said: Assertion, name: str) -> str | None:
    values = said.attributes.get(f"{_OURS}{name}", ())
    return values[0] if len(values) == 1 else None


def session_name(said: Assertion) -> str:
    """The session's name; raises InvalidIdentityToken."""
    found = _single(said, "RoleSessionName")
    if not found:
        raise errors.invalid_token("RoleSessionName is required in AuthnResponse")
    if not _NAME.fullmatch(found):
        raise errors.invalid_token("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
    return found


def source_identity(said: Assertion) -> str:
    """The source identity, or ""."""
    return _single(said, "SourceIdentity") or ""


def tags(said: Assertion) -> list[tuple[str, str]]:
    """Session tags; each has one value. Raises InvalidIdentityToken."""
    prefix = f"{_OURS}PrincipalTag:"
    found = [(name, values) for name, values in said.attributes.items() if name.startswith(prefix)]
    if any(len(values) != 1 for _, values in found):
        raise errors.invalid_token("A PrincipalTag attribute must have exactly one value")
    return [(name.removeprefix(prefix), values[0]) for name, values in found]


def transitive_keys(said: Assertion) -> tuple[str, ...]:
    """Keys of the tags that go on to further roles."""
    return said.attributes.get(f"{_OURS}TransitiveTagKeys", ())


def longest(said: Assertion, real: datetime) -> int | None:
    """How many seconds the session may last at most, where the provider says: its SessionDuration can only shorten."""
    limits = []
    if said.session_ends is not None:
        limits.append(max(1, int((said.session_ends - real).total_seconds())))
    asked = _single(said, "SessionDuration")
    if asked is not None:
        if not asked.isascii() or not asked.isdigit() or len(asked) > 5 or not 900 <= int(asked) <= 43200:
            raise errors.invalid_token("SessionDuration in AuthnResponse must be between 900 and 43200")
        limits.append(int(asked))
    return min(limits, default=None)


def name_qualifier(issuer: str, account: str, provider: str) -> str:
    """Together with the subject it names a user uniquely."""
    text = f"{issuer}{account}/{provider}".encode()
    return b64encode(hashlib.sha1(text, usedforsecurity=False).digest()).decode()


def subject_type(said: Assertion) -> str:
    """``persistent``, ``transient``, or the whole format where it is of another family."""
    return said.format.removeprefix(_FORMAT)


def lasting_keys(said: Assertion, qualifier: str) -> dict[str, str]:
    """Condition keys that hold for every call of the session."""
    keys = {"saml:namequalifier": qualifier, "saml:sub": said.subject, "saml:sub_type": subject_type(said)}
    return {key: value for key, value in keys.items() if value}


def condition_keys(said: Assertion, account: str, provider: str) -> dict[str, Any]:
    """Condition keys for the trust policy; ``saml:aud`` is the recipient, not the audience."""
    keys: dict[str, Any] = {
        "saml:aud": said.recipient,
        "saml:iss": said.issuer,
        "saml:doc": f"{account}/{provider}",
    }
    for name, values in said.attributes.items():
        if name in _LISTS:
            keys.setdefault(f"saml:{_LISTS[name]}", list(values))
        elif name in _STRINGS and values:
            keys.setdefault(f"saml:{_STRINGS[name]}", values[0])
    return keys
