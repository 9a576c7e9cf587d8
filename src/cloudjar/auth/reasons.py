"""Why a call was allowed or refused, as it is kept with the audit event, and as EC2 encodes it for the caller.

https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from cloudjar.base.caller import Caller
from cloudjar.policy.document import Statement
from cloudjar.policy.evaluate import AccessRequest, Decision, PolicySet, Reason
from cloudjar.policy.explain import caller as named
from cloudjar.policy.principal import Kind
from cloudjar.policy.tell import Account, Grounds, Told, account, label, written
from cloudjar.spec import iam


def nothing_needed(who: Caller) -> str:
    """What is kept of a call that needs no permission."""
    return written(Told(who.arn, ()))


def granted(action: str, resource: str, decision: Decision, who: Caller) -> Account:
    """One question that was answered yes: the statements that allowed, or why none was needed."""
    if not decision.matches:
        return Account(action=action, resource=resource, verdict="allowed", because=f"{who.kind} needs no policy")
    grounds = tuple(
        [
            Grounds(m.layer, m.policy.arn or m.policy.name, label(m.statement.sid, m.statement.index))
            for m in decision.matches
        ]
    )
    return Account(action=action, resource=resource, verdict="allowed", grounds=grounds)


def kept(who: Caller, accounts: Sequence[Account]) -> str:
    """The form in which a call's questions are kept."""
    return written(Told(who.arn, tuple(accounts)))


def refused(request: AccessRequest, policies: PolicySet, before: Sequence[Account]) -> str:
    """What is kept of a refusal: the questions that were allowed before, and this one in full."""
    return written(Told(named(request), (*before, account(request, policies))))


# EC2's encoded message ------------------------------------------------------------------------------


def authorization_message(request: AccessRequest, decision: Decision) -> dict[str, Any]:
    """What `DecodeAuthorizationMessage` gives for a refusal: AWS's names, every known condition key of the request."""
    who = request.principal
    deny = decision.reason is Reason.EXPLICIT_DENY
    return {
        "allowed": decision.allowed,
        "explicitDeny": deny,
        "matchedStatements": _items([_matched(m.statement, request) for m in decision.matches] if deny else []),
        "failures": _items([]),
        "context": {
            "principal": _principal(request),
            "action": request.action,
            "resource": request.resource,
            "conditions": _items(
                [_condition(_spelled(key), value) for key, value in sorted(request.context.items())]
                if who.kind is not Kind.ANONYMOUS
                else []
            ),
        },
    }


def _items(values: Iterable[Any]) -> dict[str, Any]:
    return {"items": list(values)}


def _valued(values: Iterable[str]) -> dict[str, Any]:
    return _items({"value": value} for value in values)


def _condition(key: str, value: str | Sequence[str]) -> dict[str, Any]:
    return {"key": key, "values": _valued([value] if isinstance(value, str) else value)}


def _principal(request: AccessRequest) -> dict[str, Any]:
    who = request.principal
    id_, name = request.context.get("aws:userid") or who.unique_id, request.context.get("aws:username")
    return {"id": id_, "name": name, "arn": who.arn} if name else {"id": id_, "arn": who.arn}


def _matched(statement: Statement, request: AccessRequest) -> dict[str, Any]:
    return {
        "statementId": statement.sid,
        "effect": "ALLOW" if statement.allows else "DENY",
        "principals": _valued([request.principal.unique_id or request.principal.arn]),
        "principalGroups": _items([]),
        "actions": _valued(statement.actions.texts),
        "resources": _valued(statement.resources.texts if statement.resources is not None else ("*",)),
        "conditions": _items([_condition(_spelled(c.key), c.values) for c in statement.conditions]),
    }


@cache
def _spellings(prefix: str) -> dict[str, str]:
    """Condition keys of a service in lower case -> as the reference spells them, up to a tag's name."""
    try:
        keys = iam.keys_of(prefix)
    except iam.UnknownAction:
        return {}
    return {key.partition("/")[0].lower(): key.partition("/")[0] for key in keys}


def _spelled(key: str) -> str:
    head, slash, name = key.partition("/")
    prefix = head.partition(":")[0]
    known = _GLOBAL if prefix == "aws" else _spellings(prefix)
    return f"{known.get(head, head)}{slash}{name}"


_GLOBAL_KEYS = """
    aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:CurrentTime aws:EpochTime aws:FederatedProvider
    aws:MultiFactorAuthAge aws:MultiFactorAuthPresent aws:PrincipalAccount aws:PrincipalArn
    aws:PrincipalIsAWSService aws:PrincipalOrgID aws:PrincipalOrgPaths aws:PrincipalServiceName
    aws:PrincipalServiceNamesList aws:PrincipalTag aws:PrincipalType aws:referer aws:RequestedRegion aws:RequestTag
    aws:ResourceAccount aws:ResourceOrgID aws:ResourceOrgPaths aws:ResourceTag aws:SecureTransport
    aws:SourceAccount aws:SourceArn aws:SourceIdentity aws:SourceIp aws:SourceOrgID aws:SourceOrgPaths
    aws:SourceVpc aws:SourceVpce aws:TagKeys aws:TokenIssueTime aws:UserAgent aws:userid aws:username
    aws:ViaAWSService aws:VpcSourceIp
"""
_GLOBAL = {key.lower(): key for key in _GLOBAL_KEYS.split()}
