"""``userIdentity``: who made a call, in each of the forms that CloudTrail knows.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.audit import INTERNAL
from cloudjar.kit.audit_event import AuditEvent, SessionFacts

TYPES = {"root": "Root", "user": "IAMUser", "role": "AssumedRole", "federated": "FederatedUser"}

_NOBODY = "ANONYMOUS_PRINCIPAL"


def identity_of(event: AuditEvent) -> dict[str, Any]:
    """The element as the account whose trail it is in may see it."""
    besides = event.besides
    if besides is not None:
        if besides.details is not None:
            return {"accountId": event.account, "invokedBy": INTERNAL}
        if besides.identity is not None:
            return besides.identity
    if event.caller_kind == "service":
        return {"type": "AWSService", "invokedBy": event.caller_name}
    if besides is not None and besides.other:
        other = _NOBODY if event.caller_kind == "anonymous" else besides.other
        return {"type": "AWSAccount", "principalId": event.caller_id, "accountId": other}
    if event.caller_kind not in TYPES:
        nobody = _NOBODY if event.caller_kind == "anonymous" else event.caller_kind.upper()
        return {"type": "AWSAccount", "principalId": "", "accountId": nobody}
    return _own(event)


def _own(event: AuditEvent) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": TYPES[event.caller_kind],
        "principalId": event.caller_id,
        "arn": event.caller_arn,
        "accountId": event.account,
        "accessKeyId": event.access_key_id,
    }
    if event.caller_kind == "user":
        found["userName"] = event.caller_name
    besides = event.besides
    if besides is not None and besides.session is not None:
        found["sessionContext"] = _context(event, besides.session)
    if besides is not None and besides.via:
        found["invokedBy"] = besides.via
    return found


def _context(event: AuditEvent, session: SessionFacts) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if session.issuer:
        context["sessionIssuer"] = _issuer(event, session.issuer)
    if session.provider:
        context["webIdFederationData"] = {"federatedProvider": session.provider, "attributes": {}}
    if session.source_identity:
        context["sourceIdentity"] = session.source_identity
    created = datetime.fromtimestamp(session.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    context["attributes"] = {"creationDate": created, "mfaAuthenticated": "true" if session.mfa else "false"}
    return context


def _issuer(event: AuditEvent, text: str) -> dict[str, Any]:
    """Who handed the session out: the role, or the user (or root) behind a federated one."""
    arn = arns.parse(text)
    if event.caller_kind == "role":
        kind, unique = "Role", event.caller_id.partition(":")[0]
    elif arn is not None and arn.resource == "root":
        return {"type": "Root", "principalId": arn.account, "arn": text, "accountId": arn.account}
    else:
        kind, unique = "IAMUser", ""
    found = {"type": kind, "principalId": unique, "arn": text, "accountId": event.account}
    return {**found, "userName": text.rpartition("/")[2]}
