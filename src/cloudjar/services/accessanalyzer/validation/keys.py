"""Condition keys: which there are, what they hold, how many values.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (read 2026-11)
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from cloudjar.services.accessanalyzer.validation.actions import services
from cloudjar.spec import iam


class Key(NamedTuple):
    """`type` is String, ARN, Bool, Numeric, Date, Epoch or IP."""

    type: str
    many: bool = False


_GLOBAL = {
    "aws:assumedroot": Key("String"),
    "aws:calledvia": Key("String", many=True),
    "aws:calledviafirst": Key("String"),
    "aws:calledvialast": Key("String"),
    "aws:calledviaawsmcp": Key("String"),
    "aws:chatbotsourcearn": Key("ARN"),
    "aws:currenttime": Key("Date"),
    "aws:ec2instancesourceprivateipv4": Key("IP"),
    "aws:ec2instancesourcevpc": Key("String"),
    "aws:epochtime": Key("Epoch"),
    "aws:federatedprovider": Key("String"),
    "aws:ismcpserviceaction": Key("Bool"),
    "aws:multifactorauthage": Key("Numeric"),
    "aws:multifactorauthpresent": Key("Bool"),
    "aws:principalaccount": Key("String"),
    "aws:principalarn": Key("ARN"),
    "aws:principalisawsservice": Key("Bool"),
    "aws:principalorgid": Key("String"),
    "aws:principalorgmasteraccountid": Key("String"),
    "aws:principalorgpaths": Key("String", many=True),
    "aws:principalservicename": Key("String"),
    "aws:principalservicenameslist": Key("String", many=True),
    "aws:principaltype": Key("String"),
    "aws:referer": Key("String"),
    "aws:requestedregion": Key("String"),
    "aws:resourceaccount": Key("String"),
    "aws:resourceorgid": Key("String"),
    "aws:resourceorgpaths": Key("String", many=True),
    "aws:securetransport": Key("Bool"),
    "aws:sourceaccount": Key("String"),
    "aws:sourcearn": Key("ARN"),
    "aws:sourceidentity": Key("String"),
    "aws:sourceip": Key("IP"),
    "aws:sourceorgid": Key("String"),
    "aws:sourceorgpaths": Key("String", many=True),
    "aws:sourceowner": Key("String"),
    "aws:sourcevpc": Key("String"),
    "aws:sourcevpcarn": Key("ARN"),
    "aws:sourcevpce": Key("String"),
    "aws:tagkeys": Key("String", many=True),
    "aws:tokenissuetime": Key("Date"),
    "aws:useragent": Key("String"),
    "aws:userid": Key("String"),
    "aws:username": Key("String"),
    "aws:viaawsservice": Key("Bool"),
    "aws:viaawsmcpservice": Key("Bool"),
    "aws:vpceaccount": Key("String"),
    "aws:vpceorgid": Key("String"),
    "aws:vpceorgpaths": Key("String", many=True),
    "aws:vpcsourceip": Key("IP"),
}
_TAGS = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/")
_ARRAYS = {"ArrayOfString": "String", "ArrayOfARN": "ARN", "ArrayOfBool": "Bool"}

# Keys of identity providers begin with the provider's name, whatever it is.
_PROVIDERS = ("saml:", "accounts.google.com:", "cognito-identity.amazonaws.com:", "graph.facebook.com:",
              "www.amazon.com:")  # fmt: skip


def global_key(name: str) -> Key | None:
    """A key with the prefix ``aws:``; None when there is none of that name."""
    low = name.lower()
    if low.startswith(_TAGS):
        return Key("String")
    return _GLOBAL.get(low)


def of_provider(name: str) -> bool:
    """Whether a key speaks of what an identity provider said."""
    return name.lower().startswith(_PROVIDERS) or "." in name.partition(":")[0] or "/" in name.partition(":")[0]


@cache
def _of_service(prefix: str) -> dict[str, Key]:
    found = {}
    for name, kind in iam.keys_of(prefix).items():
        plain = name.lower().partition("${")[0]  # kms:EncryptionContext:${EncryptionContextKey}
        found[plain] = Key(_ARRAYS.get(kind, kind), kind in _ARRAYS)
    return found


def service_key(name: str) -> Key | None:
    """A service's own key; None when the service has none of that name."""
    prefix, _, _ = name.partition(":")
    if prefix.lower() not in services():
        return None
    known = _of_service(prefix.lower())
    low = name.lower()
    if low in known:
        return known[low]
    return next((key for stem, key in known.items() if stem[-1] in "/:" and low.startswith(stem)), None)
