"""The policies that a user, group or role has, each with where it comes from: what the simulator and the reports on
access look at. (What is enforced is read by `identity`, which needs no origins.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.policy.document import Document, parse
from cloudjar.policy.grammar import Flavour
from cloudjar.services.iam import errors, managed, names
from cloudjar.services.iam.records import Group, Principal, Role, User

_KINDS: dict[str, type[Principal]] = {"user": User, "group": Group, "role": Role}


class Source(NamedTuple):
    """A policy of a principal. `holder` is who has it: the user himself or one of his groups; `arn` is empty for
    inline policies."""

    document: Document
    name: str
    arn: str
    holder: Principal

    @property
    def kind(self) -> str:
        """What the holder is: ``user``, ``group`` or ``role``."""
        return kind_of(self.holder)

    @property
    def type(self) -> str:
        """``inline``, ``aws-managed`` or ``user-managed``."""
        if not self.arn:
            return "inline"
        return "aws-managed" if self.arn.startswith(managed.AWS_PREFIX) else "user-managed"

    @property
    def id(self) -> str:
        """How the simulator calls it: a managed policy by its name, an inline one ``role_NAME_POLICY``."""
        return self.name if self.arn else f"{self.kind}_{self.holder.name}_{self.name}"


def kind_of(item: Principal) -> str:
    """``user``, ``group`` or ``role``."""
    return next(word for word, kind in _KINDS.items() if isinstance(item, kind))


def find_principal(ctx: Ctx, arn: str) -> Principal | None:
    """The user, group or role of just this ARN, in whatever account; None when there is none."""
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "iam" or parsed.type not in _KINDS:
        return None
    found = names.find(ctx.at(parsed.account, ""), _KINDS[parsed.type], parsed.name.rpartition("/")[2])
    return found if found is not None and arn_of(found) == arn else None


def need_principal(ctx: Ctx, arn: str) -> Principal:
    """The same; raises InvalidInput for what is no such ARN, NoSuchEntity when there is none."""
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "iam" or parsed.type not in _KINDS or parsed.region:
        raise errors.invalid_input(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    found = find_principal(ctx, arn)
    if found is None:
        name = parsed.name.rpartition("/")[2]
        raise errors.no_such_entity(f"The {parsed.type} with name {name} cannot be found.")
    return found


def own(ctx: Ctx, holder: Principal) -> Iterator[Source]:
    """The policies embedded in a principal and attached to it, without those of a user's groups."""
    there = ctx.at(holder.account, "").db
    for name, text in sorted(holder.inline.items()):
        yield Source(parse(text, Flavour.IDENTITY), name, "", holder)
    for arn in holder.attached:
        found = managed.find(there, arn)
        if found is not None:
            yield Source(parse(found.document, Flavour.IDENTITY), found.name, arn, holder)


def of(ctx: Ctx, principal: Principal) -> Iterator[Source]:
    """Every permissions policy that a principal has, a user's groups included."""
    yield from own(ctx, principal)
    for name in principal.groups if isinstance(principal, User) else ():
        group = ctx.at(principal.account, "").db[Group].get(name)
        if group is not None:
            yield from own(ctx, group)
