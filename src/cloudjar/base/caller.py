"""Who is asking: plain data, made by authentication, read by policies, audit and handlers.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Literal

import msgspec

Kind = Literal["root", "user", "role", "federated", "service", "anonymous", "outsider"]
"""An outsider is somebody whom an identity provider vouches for, and who has no session yet."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated principal. `arn` is the session's own ARN for role sessions and federated users, the provider's
    for an outsider."""

    kind: Kind
    account: str
    arn: str
    unique_id: str = ""
    """``AIDA...`` of a user, ``AROA...:session`` of a role session, the account number of root."""
    user_name: str = ""
    role_arn: str = ""
    """ARN of the role behind a session, path included."""
    session_name: str = ""
    access_key_id: str = ""
    tags: dict[str, str] = {}
    """Principal tags: the user's or role's own, overlaid by session tags."""
    transitive_tags: tuple[str, ...] = ()
    session_policies: tuple[str, ...] = ()
    """JSON documents that narrow the session."""
    session_policy_arns: tuple[str, ...] = ()
    token_issued: datetime | None = None
    expires: datetime | None = None
    mfa_at: datetime | None = None
    source_identity: str = ""
    federated_provider: str = ""
    """The OIDC or SAML provider (its ARN, or ``accounts.google.com`` and the like) that vouched for a role session."""
    session_keys: dict[str, str] = {}
    """Condition keys (lower case) that were fixed when the session was made and hold for each of its calls: the
    instance that a role was delivered to, what an identity provider said. A service principal's go to the roles that
    it assumes."""
    called_via: tuple[str, ...] = ()
    """Services that made this call on the principal's behalf, in order (``secretsmanager.amazonaws.com``)."""
    source_arn: str = ""
    """The resource for which a service principal acts (``aws:SourceArn``)."""
    source_account: str = ""
    service: str = ""
    """``ec2.amazonaws.com`` when an AWS service itself calls."""

    @property
    def name(self) -> str:
        """What CloudTrail shows as the user name."""
        if self.kind == "federated":
            return self.session_name
        return self.user_name or self.session_name or ("root" if self.kind == "root" else self.service)


def root(account: str, access_key_id: str = "") -> Caller:
    """The root user of an account."""
    return Caller(
        kind="root", account=account, arn=f"arn:aws:iam::{account}:root", unique_id=account, access_key_id=access_key_id
    )


@lru_cache(maxsize=4096)
def service(principal: str, account: str, source_arn: str = "") -> Caller:
    """An AWS service principal acting in an account, for a resource of that account."""
    return Caller(
        kind="service",
        account=account,
        arn=principal,
        unique_id=principal,
        service=principal,
        source_arn=source_arn,
        source_account=account if source_arn else "",
    )


DATA_FEEDS = "awsdatafeeds"
"""The account of AWS's own that puts data feeds of Spot into buckets."""
VM_EXPORTS = "vm-import-export"
"""The account of AWS's own that puts exported instances into buckets."""
_PUBLISHED = {
    DATA_FEEDS: "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0",
    VM_EXPORTS: "c4d8eabf8db69dbe46bfe0e517100c554f01200b104d59cd408e777ba442a322",
}
"""Names in S3 that AWS publishes, because buckets' lists must name them.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-data-feeds.html
https://docs.aws.amazon.com/vm-import/latest/userguide/vmexport.html
"""


@lru_cache(maxsize=4096)
def canonical_id(account: str) -> str:
    """S3's name of an account: 64 hexadecimal digits, always the same."""
    if account in _PUBLISHED:
        return _PUBLISHED[account]
    return hashlib.sha256(f"canonical user of {account}".encode()).hexdigest()


ANONYMOUS = Caller(kind="anonymous", account="anonymous", arn="*")
