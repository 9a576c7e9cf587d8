"""Whom key policies and grants name: they must be there, and whoever later takes their name is somebody else.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cloudjar.base import arn as arns
from cloudjar.kit import named_principals
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import by_noun
from cloudjar.policy.document import Document
from cloudjar.services.kms.records import Principal

_SERVICE = re.compile(r"[a-z0-9][a-z0-9.\-]*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)", re.ASCII)
_UNIQUE = {"AIDA": "user", "AROA": "role"}


def named(document: Document) -> Iterable[tuple[str, str]]:
    """(kind, value) of everybody that a document's statements name: ``("AWS", "arn:...")``."""
    for statement in document.statements:
        for text in statement.principals.texts if statement.principals else ():
            kind, _, value = text.partition(":")
            yield kind, value


def known(ctx: Ctx, kind: str, value: str) -> bool:
    """Whether a principal is there, in whatever account."""
    if kind == "Service":
        return _SERVICE.fullmatch(value) is not None
    if kind != "AWS" or value == "*":
        return kind != "Federated"
    if value[:4] in _UNIQUE:
        return _by_id(ctx, value)
    arn = arns.parse(value)
    if arn is None or arn.resource == "root":
        return True
    if arn.service == "iam" and arn.type in ("user", "role"):
        return bool(named_principals.unique_id(ctx, value))
    if arn.type == "assumed-role":
        return ctx.at(arn.account, "").find("iam", "role", arn.name.partition("/")[0]) is not None
    return arn.type == "federated-user"


def _by_id(ctx: Ctx, value: str) -> bool:
    ctx.world.load("iam")
    declared = by_noun("iam", _UNIQUE[value[:4]])
    return declared is not None and bool(ctx.db.everywhere(declared.type, id=value))


def principal(ctx: Ctx, text: str) -> Principal:
    """Whom a grant names."""
    if not text.startswith("arn:"):
        return Principal(text, service=True)
    return Principal(text, named_principals.unique_id(ctx, text))
