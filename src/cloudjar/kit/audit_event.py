"""What is kept of a call: small, since every call keeps one. CloudTrail's record is made of it when somebody looks.

Fields are stored by their order: new ones go to the end, with a default.
"""

from __future__ import annotations

from typing import Any

import msgspec


class SessionFacts(msgspec.Struct, array_like=True, kw_only=True):
    """How temporary credentials came to be; `created` is AWS time, `issuer` the ARN of the role or user behind them."""

    issuer: str
    created: float
    mfa: bool = False
    source_identity: str = ""
    provider: str = ""
    """The OIDC or SAML provider that vouched for the session."""


class Besides(msgspec.Struct, array_like=True, kw_only=True):
    """What most calls do not have."""

    session: SessionFacts | None = None
    via: str = ""
    """The service that made the call for its caller (``secretsmanager.amazonaws.com``)."""
    shared: str = ""
    """What the two events of a call across accounts have in common; see `other`."""
    other: str = ""
    """The caller's account, in the event that the resource's account gets."""
    tls: tuple[str, str, str] | None = None
    """(version, cipher suite, host that the client asked for)."""
    endpoint: str = ""
    """Id of the VPC endpoint through which it came."""
    identity: dict[str, Any] | None = None
    """``userIdentity`` as it shall be, of callers without credentials of AWS's (web identities, SAML)."""
    additional: dict[str, Any] | None = None
    """``additionalEventData``."""
    details: dict[str, Any] | None = None
    """``serviceEventDetails``: the event is a service's own (``AwsServiceEvent``), nobody called."""
    data: bool = False
    """A data event (`kit.operation.Operation.data`): the event history does not show it."""


class AuditEvent(msgspec.Struct, array_like=True, kw_only=True):
    """What is kept of a call. `params` and `answer` have sensitive members replaced; times are AWS time."""

    id: str
    time: float
    account: str
    """Whose trail it is in: the caller's, or that of a resource's owner."""
    region: str
    service: str
    operation: str
    reads: bool
    caller_kind: str
    caller_arn: str
    caller_id: str
    caller_name: str
    access_key_id: str
    source_ip: str
    agent: str
    request_id: str
    error_code: str = ""
    error_message: str = ""
    params: Any = None
    answer: Any = None
    resources: tuple[str, ...] = ()
    decision: str = ""
    """How authorisation came out, for ``cloudjar why``."""
    besides: Besides | None = None

    @property
    def counts(self) -> bool:
        """Whether somebody made this call and pays for it: not what a service tells, nor the owner's copy."""
        besides = self.besides
        return besides is None or (besides.details is None and not besides.other and not besides.data)
