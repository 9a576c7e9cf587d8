"""Identity providers of an account: what is stored of them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record
from cloudjar.services.iam.records import MISSING

_OIDC_PER_ACCOUNT = ("iam", "L-858F3967")
_SAML_PER_ACCOUNT = ("iam", "L-DB618D39")


def _quota(code: tuple[str, str], name: str) -> tuple[Quota, ...]:
    return (Quota(code, ("LimitExceeded", f"Cannot exceed quota for {name}: {{limit}}")),)


@record(
    "iam",
    "oidc-provider",
    key="arn",
    arn="oidc-provider/{url}",
    missing=(MISSING, "OpenIDConnect Provider not found for arn {key}", 404),
    quotas=_quota(_OIDC_PER_ACCOUNT, "OpenIdConnectProvidersPerAccount"),
    regional=False,
)
class OidcProvider(Record, frozen=True, kw_only=True):
    """An OpenID Connect issuer; `url` is its address without ``https://``, thumbprints are SHA-1 in lower case hex."""

    arn: str
    url: str
    created: datetime
    client_ids: tuple[str, ...] = ()
    thumbprints: tuple[str, ...] = ()
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record(
    "iam",
    "saml-provider",
    key="arn",
    arn="saml-provider/{name}",
    missing=(MISSING, "Manifest not found for arn {key}", 404),
    quotas=_quota(_SAML_PER_ACCOUNT, "SAMLProvidersPerAccount"),
    regional=False,
)
class SamlProvider(Record, frozen=True, kw_only=True):
    """A SAML identity provider, as its metadata document describes it; `certificates` are DER."""

    arn: str
    name: str
    id: str
    metadata: str
    entity_id: str
    certificates: tuple[bytes, ...]
    created: datetime
    valid_until: datetime
    tags: dict[str, str] = msgspec.field(default_factory=dict)
