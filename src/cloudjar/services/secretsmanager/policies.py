"""Resource policies of secrets: fit to be stored, not public, not locking their author out.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html
"""

from __future__ import annotations

from cloudjar.auth.authorize import principal
from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.policy.document import Document, PolicySyntaxError, parse
from cloudjar.policy.evaluate import AccessRequest, Policy, PolicySet, Reason, decide
from cloudjar.policy.grammar import Flavour
from cloudjar.services.secretsmanager import errors
from cloudjar.services.secretsmanager.records import Secret


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


def locks_out(ctx: Ctx, secret: Secret, document: Document) -> bool:
    """Whether the policy denies its author to take it back."""
    request = AccessRequest(
        "secretsmanager:PutResourcePolicy", arn_of(secret), principal(ctx.caller), {}, secret.account
    )
    decision = decide(request, PolicySet(resource=Policy(document, "resource")))
    return decision.reason is Reason.EXPLICIT_DENY
