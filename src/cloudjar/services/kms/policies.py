"""Key policies: the default one, what makes one acceptable, and how it reads now.

https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
"""

from __future__ import annotations

import json

from cloudjar.auth import authorize
from cloudjar.auth.environment import Environment, Facts
from cloudjar.kit import named_principals
from cloudjar.kit.context import Ctx
from cloudjar.policy.document import Document, parse
from cloudjar.policy.evaluate import AccessRequest, Policy, PolicySet, decide
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.kms import errors, principals
from cloudjar.services.kms.records import Key

_SIZE = 32 * 1024
_EVERYTHING = Policy(parse('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'))


def default(account: str) -> str:
    """The policy of a key that was made without one: the account decides by IAM policies."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}, indent=2)


def checked(ctx: Ctx, text: str, arn: str, *, bypass: bool) -> dict[str, str]:
    """The unique ids of the users and roles that a policy names, when it is fit to be a key's.

    Raises MalformedPolicyDocumentException (grammar, principals that are not there, and, without `bypass`, a policy
    that would not let the caller change it again) and LimitExceededException.
    """
    if len(text.encode()) > _SIZE:
        raise errors.limit("Policy document is larger than 32 KB.")
    try:
        document = parse(text, Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise errors.malformed_policy(error.message) from None
    for kind, value in principals.named(document):
        if not principals.known(ctx, kind, value):
            raise errors.invalid_principals()
    if not bypass and not _changeable(ctx, document, arn):
        raise errors.lockout()
    return named_principals.unique_ids(ctx, document)


def _changeable(ctx: Ctx, document: Document, arn: str) -> bool:
    """Whether the policy lets the caller put another one: by itself, or by leaving it to the caller's account."""
    facts = Environment(Facts(ctx.caller, ctx.region, ctx.now, ctx.request, ctx.account), caller_keys(ctx))
    request = AccessRequest("kms:PutKeyPolicy", arn, authorize.principal(ctx.caller), facts, ctx.account)
    policies = PolicySet(identity=(_EVERYTHING,), resource=Policy(document), resource_must_allow=True)
    return decide(request, policies).allowed


def caller_keys(ctx: Ctx) -> dict[str, str]:
    """``kms:CallerAccount`` and ``kms:ViaService``."""
    keys = {"kms:calleraccount": ctx.caller.account}
    if ctx.caller.called_via:
        service = ctx.caller.called_via[-1].partition(".")[0]
        keys["kms:viaservice"] = f"{service}.{ctx.region}.amazonaws.com"
    return keys


def in_force(ctx: Ctx, key: Key) -> str:
    """A key's policy as it reads now: who was deleted since goes by his unique id, and a namesake gains nothing."""
    return named_principals.in_force(ctx, key.policy, key.principals, indent=2)
