"""Resource policies of secrets: fit to be stored, not public, not locking their author out.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.auth.authorize import principal
from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.policy.conditions.block import spell
from cloudjar.policy.document import Document, PolicySyntaxError, parse
from cloudjar.policy.evaluate import AccessRequest, Policy, PolicySet, Reason, decide
from cloudjar.policy.grammar import Flavour
from cloudjar.services.secretsmanager import errors
from cloudjar.services.secretsmanager.records import Secret

# Keys that, compared with fixed values, leave known callers only.
_NARROWING = frozenset(
    (
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:userid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourceip",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpcsourceip",
    )
)
_EVERYWHERE = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1")


def checked(ctx: Ctx, text: str) -> Document:
    """The policy, compiled; raises MalformedPolicyDocumentException for what is none, or names who is not there."""
    try:
        document = parse(text, Flavour.RESOURCE)
    except PolicySyntaxError as error:
        if error.reason == "json":
            raise errors.malformed_policy("This resource policy contains invalid Json") from None
        raise errors.malformed_policy(f"This resource policy contains a syntax error: {error.message}") from None
    for statement in document.statements:
        for named in statement.principals.names if statement.principals else ():
            if not _exists(ctx, named):
                raise errors.malformed_policy("This resource policy contains an unsupported principal.")
    return document


def _exists(ctx: Ctx, named: str) -> bool:
    """Users and roles must be there when they are named, in whatever account."""
    arn = arns.parse(named)
    if arn is None or arn.service != "iam" or arn.type not in ("user", "role"):
        return True
    found = ctx.at(arn.account, "").find("iam", arn.type, arn.name.rpartition("/")[2])
    return found is not None and arn_of(found) == named


def is_public(text: str) -> bool:
    """Whether some Allow holds for callers of whom nothing is known: everyone, without a condition that narrows."""
    statements = json.loads(text)["Statement"]
    for statement in [statements] if isinstance(statements, dict) else statements:
        if statement["Effect"] == "Allow" and _everyone(statement) and not _narrowed(statement.get("Condition") or {}):
            return True
    return False


def _everyone(statement: Mapping[str, Any]) -> bool:
    if "NotPrincipal" in statement:
        return True
    named = statement.get("Principal")
    if not isinstance(named, dict):
        return bool(named == "*")
    return any("*" in _texts(values) for values in named.values())


def _narrowed(conditions: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(
        key.lower() in _NARROWING and _fixes(operator, _texts(values))
        for operator, block in conditions.items()
        for key, values in block.items()
    )


def _fixes(operator: str, values: Iterable[str]) -> bool:
    """Whether a comparison demands one of some known values: no negation, no missing key, no wildcard alone."""
    how = spell(operator)
    if how is None or how.if_exists or how.over == "forallvalues":
        return False
    if how.base == "ipaddress":
        return all(value not in _EVERYWHERE for value in values)
    if how.base in ("stringequals", "stringequalsignorecase"):
        return all("${" not in value for value in values)
    return how.base in ("stringlike", "arnlike", "arnequals") and all(_specific(value) for value in values)


def _specific(value: str) -> bool:
    """A pattern that still names an account, an organization or a resource."""
    arn = arns.parse(value)
    if arn is not None:
        account = arn.account or arn.resource
        return not set(account) & set("*?")
    return len(value.rstrip("*?")) >= 1 and not value.startswith(("*", "?", "${"))


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else [str(values)]


def locks_out(ctx: Ctx, secret: Secret, document: Document) -> bool:
    """Whether the policy denies its author to take it back."""
    request = AccessRequest(
        "secretsmanager:PutResourcePolicy", arn_of(secret), principal(ctx.caller), {}, secret.account
    )
    decision = decide(request, PolicySet(resource=Policy(document, "resource")))
    return decision.reason is Reason.EXPLICIT_DENY
