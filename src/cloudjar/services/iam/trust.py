"""Trust policies: whom they name must be there; who is deleted goes by his unique id from then on."""

from __future__ import annotations

import re

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.policy.grammar import Flavour
from cloudjar.services.iam import errors, names, rules
from cloudjar.services.iam.records import Role, User
from cloudjar.spec import quotas

_SERVICE = re.compile(r"[a-z0-9][a-z0-9.\-]*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)", re.ASCII)


def checked(ctx: Ctx, text: str) -> str:
    """A trust policy fit to be stored; raises MalformedPolicyDocument, LimitExceeded."""
    document = rules.document(text, Flavour.TRUST)
    limit = ctx.world.state.quotas.limit(ctx.account, "", quotas.IAM_TRUST_POLICY_LENGTH)
    if limit is not None and rules.size(text) > limit:
        raise errors.quota("ACLSizePerRole", limit)
    for statement in document.statements:
        for named in statement.principals.texts if statement.principals else ():
            kind, _, value = named.partition(":")
            if not _known(ctx, kind, value):
                raise errors.malformed_policy(f'Invalid principal in policy: "{kind.upper()}":"{value}"')
    return text


def _known(ctx: Ctx, kind: str, value: str) -> bool:
    if kind == "Service":
        return _SERVICE.fullmatch(value) is not None
    if kind != "AWS" or value == "*":
        return True
    if value.startswith("AIDA"):
        return bool(ctx.db.everywhere(User, id=value))
    if value.startswith("AROA"):
        return bool(ctx.db.everywhere(Role, id=value))
    parsed = arns.parse(value)
    return parsed is None or _principal_exists(ctx, parsed)


def _principal_exists(ctx: Ctx, arn: arns.Arn) -> bool:
    """Users and roles must exist under just that ARN, whatever account they are in."""
    there = ctx.at(arn.account, "")
    name = arn.name.rpartition("/")[2]
    if arn.service == "iam" and arn.type in ("user", "role"):
        found = names.find(there, User if arn.type == "user" else Role, name)
        return found is not None and arn_of(found) == str(arn)
    if arn.type == "assumed-role":
        return names.find(there, Role, arn.name.partition("/")[0]) is not None
    return True


def rename(ctx: Ctx, old: str, new: str) -> None:
    """Have every trust policy of every account call a principal by its new ARN, or by its unique id once deleted."""
    for role in ctx.db.everywhere(Role):
        parsed = rules.document(role.trust, Flavour.TRUST)
        if any(s.principals is not None and old in s.principals.names for s in parsed.statements):
            text = rules.renamed_principal(role.trust, old, new)
            ctx.db.at(role.account, "")[Role].put(replace(role, trust=text))
